//! What goes in: what the optimizer asks of the source of a read. What comes out: DataFusion's source of Parquet files
//! with the same answers, which opens files by way of what is kept.
//!
//! What is chosen and computed of the columns stays here: from the files come whole columns, so that they can be kept.
//! Reads that begin at other row groups than the first, for the greatest rows of an order, are DataFusion's alone.

use std::fmt::Formatter;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};

use super::kept::Columns;
use super::opener::{self, AsToday, KeptOpener};

/// Functions of the file that a row is in, which the reader of the file answers.
const OF_FILES: [&str; 2] = ["input_file_name", "file_row_index"];

/// Parquet files of the warehouse.
#[derive(Clone)]
pub(super) struct KeptSource {
    /// Without a choice of columns.
    read: ParquetSource,
    projection: ProjectionExprs,
    batch_size: Option<usize>,
    pub(super) columns: Arc<Columns>,
    /// Whether texts come out one after another in the place of views.
    texts: bool,
}

impl KeptSource {
    /// `None` where the source does more than read and rule out.
    pub(super) fn over(source: &ParquetSource, columns: &Arc<Columns>) -> Option<Self> {
        let options = source.table_parquet_options();
        if options.global.pushdown_filters || !source.table_schema().table_partition_cols().is_empty() {
            return None;
        }
        let factory = source.parquet_file_reader_factory()?;
        let mut read = ParquetSource::new(source.table_schema().clone())
            .with_table_parquet_options(options.clone())
            .with_parquet_file_reader_factory(Arc::clone(factory));
        if let Some(hint) = options.global.metadata_size_hint {
            read = read.with_metadata_size_hint(hint);
        }
        if let Some(predicate) = source.filter() {
            read = read.with_predicate(predicate);
        }
        let projection = source.projection()?.clone();
        Some(Self { read, projection, batch_size: None, columns: Arc::clone(columns), texts: false })
    }

    /// The same source, whose texts are as they are sent. Only for who takes batches as they come.
    pub(super) fn as_sent(&self) -> Option<Self> {
        opener::plain_columns(&self.projection).map(|_| Self { texts: true, ..self.clone() })
    }

    /// DataFusion's source for the same.
    fn as_today(&self) -> Result<Arc<dyn FileSource>> {
        let projected = self.read.try_pushdown_projection(&self.projection)?;
        let source = projected.unwrap_or_else(|| Arc::new(self.read.clone()));
        Ok(self.batch_size.map_or_else(|| Arc::clone(&source), |rows| source.with_batch_size(rows)))
    }

    fn with_read(&self, read: &Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        match read.downcast_ref::<ParquetSource>() {
            Some(read) => Arc::new(Self { read: read.clone(), ..self.clone() }),
            None => Arc::clone(read),
        }
    }
}

impl FileSource for KeptSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let wanted = self.projection.column_indices();
        let factory = self.read.parquet_file_reader_factory();
        let filtered = self.read.table_parquet_options().global.pushdown_filters;
        // A limit ends within a row group, as a rule.
        let other = wanted.is_empty() || filtered || config.limit.is_some();
        let (Some(factory), Some(rows), false) = (factory, self.batch_size, other) else {
            let reader = opener::reader(self.as_today()?.as_ref(), store, config, partition)?;
            return Ok(Arc::new(AsToday(reader)));
        };
        let all = self.table_schema().table_schema();
        let raw = self.read.with_batch_size(rows);
        let raw = raw.try_pushdown_projection(&ProjectionExprs::from_indices(&wanted, all))?.unwrap_or(raw);
        let reader = opener::reader(raw.as_ref(), store, config, partition)?;
        let columns = Arc::new(all.project(&wanted)?);
        let opener = KeptOpener::new(
            (reader, Arc::clone(factory)),
            Arc::clone(&self.columns),
            (columns, self.texts),
            &self.projection,
            (self.read.filter(), Arc::clone(self.table_schema().file_schema())),
        )?;
        Ok(Arc::new(opener))
    }

    fn table_schema(&self) -> &TableSchema {
        self.read.table_schema()
    }

    fn with_batch_size(&self, rows: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size: Some(rows), ..self.clone() })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.read.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.read.metrics()
    }

    fn file_type(&self) -> &str {
        self.read.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.read.fmt_extra(t, f)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let FilterPushdownPropagation { filters, updated_node } = self.read.try_pushdown_filters(filters, config)?;
        let updated_node = updated_node.map(|read| self.with_read(&read));
        Ok(FilterPushdownPropagation { filters, updated_node })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(match self.as_today()?.try_pushdown_sort(order, properties)? {
            SortOrderPushdownResult::Exact { .. } => SortOrderPushdownResult::Exact { inner: Arc::new(self.clone()) },
            other => other,
        })
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.read.reorder_files(files)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        if projection.expr_iter().any(|expr| is_of_files(&expr)) {
            return self.as_today()?.try_pushdown_projection(projection);
        }
        let projection = self.projection.try_merge(projection)?;
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.as_today()?.apply_expressions(f)
    }
}

fn is_of_files(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let of_files = |expr: &Arc<dyn PhysicalExpr>| {
        Ok(expr.downcast_ref::<ScalarFunctionExpr>().is_some_and(|function| OF_FILES.contains(&function.fun().name())))
    };
    !matches!(expr.exists(of_files), Ok(false))
}
