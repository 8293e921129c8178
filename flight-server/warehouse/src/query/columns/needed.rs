//! What goes in: what a query wants of the rows, and the footer of a file. What comes out: the row groups that can have
//! such rows, as far as statistics and bloom filters tell.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    BloomFilterStatistics, ParquetAccessPlan, RowGroupAccessPlanFilter,
};
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::DynamicFilterTracking;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};

use super::super::plain::plain_type;
use super::place::FileName;

/// A file, and what its end says of it.
pub(super) struct Footer {
    pub(super) file: PartitionedFile,
    pub(super) about: Arc<ParquetMetaData>,
    pub(super) name: Arc<FileName>,
    /// Whether its columns are those of the table.
    alike: bool,
}

/// What is wanted of the rows.
pub(super) struct Needed {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Whether other parts of the query say more of the predicate while it runs.
    pub(super) changing: bool,
    file_schema: SchemaRef,
    factory: Arc<dyn ParquetFileReaderFactory>,
}

impl Needed {
    pub(super) fn new(
        predicate: Option<Arc<dyn PhysicalExpr>>,
        file_schema: SchemaRef,
        factory: Arc<dyn ParquetFileReaderFactory>,
    ) -> Self {
        let changing =
            predicate.as_ref().is_some_and(|found| DynamicFilterTracking::classify(found).contains_dynamic_filter());
        Self { predicate, changing, file_schema, factory }
    }

    pub(super) async fn footer(&self, file: PartitionedFile) -> Result<Footer> {
        let mut reader = self.factory.create_reader(0, file.clone(), None, &ExecutionPlanMetricsSet::new())?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Skip);
        let about = reader.get_metadata(Some(&options)).await?;
        let name = Arc::new(FileName::of(&file.object_meta));
        let alike = self.predicate.is_some() && self.has_columns(&about);
        Ok(Footer { file, about, name, alike })
    }

    /// Statistics go by the position of a column, and the predicate by the table's. DataFusion writes the predicate anew for
    /// a file that an older release has written with other columns; that is left to it.
    fn has_columns(&self, about: &ParquetMetaData) -> bool {
        let about = about.file_metadata();
        let Ok(stored) = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata()) else {
            return false;
        };
        let like = |(a, b): (&Arc<Field>, &Arc<Field>)| {
            a.name() == b.name() && plain_type(a.data_type(), false) == plain_type(b.data_type(), false)
        };
        stored.fields().len() == self.file_schema.fields().len()
            && stored.fields().iter().zip(self.file_schema.fields()).all(like)
    }

    /// The row groups that are needed of the part of the file that is to be read.
    pub(super) async fn at_first(&self, footer: &Footer) -> Result<Vec<usize>> {
        let groups = footer.about.row_groups();
        let mut found = RowGroupAccessPlanFilter::new(ParquetAccessPlan::new_all(groups.len()));
        if let Some(range) = &footer.file.range {
            found.prune_by_range(groups, range);
        }
        if let Some((predicate, metrics)) = self.by_statistics(footer, &mut found) {
            let open: Vec<usize> = found.row_group_indexes().collect();
            if let Some(blooms) = self.blooms(footer, &predicate, &open).await? {
                found.prune_by_bloom_filters(&predicate, &metrics, &blooms);
            }
        }
        Ok(found.build().row_group_indexes())
    }

    /// Whether a row group is needed still.
    pub(super) fn still(&self, footer: &Footer, group: usize) -> bool {
        let mut found = RowGroupAccessPlanFilter::new(only(&footer.about, &[group]));
        self.by_statistics(footer, &mut found);
        !found.is_empty()
    }

    fn by_statistics(
        &self,
        footer: &Footer,
        found: &mut RowGroupAccessPlanFilter,
    ) -> Option<(Arc<PruningPredicate>, ParquetFileMetrics)> {
        let predicate = self.predicate.as_ref().filter(|_| footer.alike)?;
        let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.file_schema));
        let predicate = pruning.build(Arc::clone(predicate))?;
        let metrics = ParquetFileMetrics::new(0, footer.file.path().as_ref(), &ExecutionPlanMetricsSet::new());
        let schema = footer.about.file_metadata().schema_descr();
        found.prune_by_statistics(&self.file_schema, schema, footer.about.row_groups(), &predicate, &metrics);
        Some((predicate, metrics))
    }

    /// By row group, the bloom filters of columns that are to have given values; `None` where there are none. Those that
    /// cannot be read are left out, as DataFusion leaves them out.
    async fn blooms(
        &self,
        footer: &Footer,
        predicate: &PruningPredicate,
        groups: &[usize],
    ) -> Result<Option<Vec<BloomFilterStatistics>>> {
        let (names, about) = (predicate.literal_columns(), &footer.about);
        let mut wanted = Vec::new();
        for group in groups {
            let chunks = about.row_group(*group).columns().iter();
            for chunk in chunks.filter(|chunk| names.contains(&chunk.column_path().string())) {
                let place = (chunk.bloom_filter_offset(), chunk.bloom_filter_length());
                if let (Some(Ok(from)), Some(Ok(bytes))) = (place.0.map(u64::try_from), place.1.map(u64::try_from)) {
                    wanted.push((*group, chunk, from..from.saturating_add(bytes)));
                }
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        let mut reader = self.factory.create_reader(0, footer.file.clone(), None, &ExecutionPlanMetricsSet::new())?;
        let mut found = vec![BloomFilterStatistics::new(); about.num_row_groups()];
        for (group, chunk, range) in wanted {
            let bloom = reader.get_bytes(range).await.and_then(|bytes| Sbbf::from_bytes(&bytes));
            if let (Ok(bloom), Some(of_group)) = (bloom, found.get_mut(group)) {
                let column = chunk.column_descr();
                of_group.insert(chunk.column_path().string(), bloom, column.physical_type(), column.type_length());
            }
        }
        Ok(Some(found))
    }
}

/// These row groups.
pub(super) fn only(about: &ParquetMetaData, groups: &[usize]) -> ParquetAccessPlan {
    let mut plan = ParquetAccessPlan::new_none(about.num_row_groups());
    groups.iter().for_each(|group| plan.scan(*group));
    plan
}
