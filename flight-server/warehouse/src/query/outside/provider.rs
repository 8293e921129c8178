//! What goes in: a table outside of the warehouse. What comes out: a scan of the files of one state of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::checked::Checked;
use super::{prune, values};
use crate::outside::{OLD_TIMES, OutsideFile, files, zone_of_old_times};
use crate::store::OutsideTable;

/// A table of one statement.
pub(super) struct OutsideProvider {
    name: String,
    table: Arc<OutsideTable>,
    columns: SchemaRef,
    root: PathBuf,
    version: Option<u64>,
    checked: Arc<Checked>,
    /// The files that were found when the statement read it first.
    found: Arc<Mutex<Option<Arc<Vec<OutsideFile>>>>>,
}

impl std::fmt::Debug for OutsideProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

impl OutsideProvider {
    pub(super) fn new(
        name: &str,
        table: Arc<OutsideTable>,
        columns: SchemaRef,
        root: PathBuf,
        version: Option<u64>,
        checked: Arc<Checked>,
    ) -> Self {
        Self { name: name.to_owned(), table, columns, root, version, checked, found: Arc::default() }
    }

    /// The files of the state that the statement sees.
    async fn found(&self) -> Result<Arc<Vec<OutsideFile>>> {
        let (table, root, version) = (Arc::clone(&self.table), self.root.clone(), self.version);
        let (found, checked) = (Arc::clone(&self.found), Arc::clone(&self.checked));
        self.waiting(move || {
            // Held while the log is read, so that two scans of one statement do not find two states.
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = &*found {
                return Ok(Arc::clone(found));
            }
            let fresh = Arc::new(files(&root, &table, version, &checked.logs)?);
            *found = Some(Arc::clone(&fresh));
            Ok(fresh)
        })
        .await
    }

    /// Work on a thread that may wait for the disk.
    async fn waiting<T: Send + 'static>(&self, work: impl FnOnce() -> crate::Result<T> + Send + 'static) -> Result<T> {
        let failed =
            |reason: String| DataFusionError::Execution(format!("cannot read outside.{}: {reason}", self.name));
        let done = SpawnedTask::spawn_blocking(work).join().await.map_err(|error| failed(error.to_string()))?;
        done.map_err(|error| failed(error.to_string()))
    }

    /// The columns of the files, and behind them those that stand elsewhere.
    fn layout(&self) -> (SchemaRef, Vec<FieldRef>) {
        let apart = |field: &&FieldRef| self.table.partitions.contains(field.name());
        let files: Vec<FieldRef> = self.columns.fields().iter().filter(|field| !apart(field)).cloned().collect();
        // In the order in which files have their values.
        let by_name = |name: &String| self.columns.fields().iter().find(|field| field.name() == name).cloned();
        (Arc::new(Schema::new(files)), self.table.partitions.iter().filter_map(by_name).collect())
    }
}

#[async_trait]
impl TableProvider for OutsideProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// They skip whole files here, and stay above.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let found = self.found().await?;
        let (in_files, apart) = self.layout();
        let table_schema = TableSchema::builder(Arc::clone(&in_files)).with_table_partition_cols(apart.clone()).build();
        let mut files = Vec::with_capacity(found.len());
        for file in found.iter() {
            let partitions = values::partitions(&apart, file)
                .map_err(|reason| DataFusionError::Execution(format!("cannot read outside.{}: {reason}", self.name)))?;
            files.push((file, partitions));
        }
        let files = prune::matching(session, table_schema.table_schema(), &in_files, filters, files)?;
        let wanted: Vec<OutsideFile> = files.iter().map(|(file, _)| (*file).clone()).collect();
        let (table, checked) = (Arc::clone(&self.table), Arc::clone(&self.checked));
        self.waiting(move || checked.all(&table, &wanted)).await?;
        let indices: Vec<usize> = match projection {
            Some(some) => some.clone(),
            None => (0..self.columns.fields().len()).collect(),
        };
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.columns.project(&indices)?))));
        }
        let place = |index: &usize| table_schema.table_schema().index_of(self.columns.field(*index).name());
        let indices = indices.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let whole: Vec<PartitionedFile> = files
            .into_iter()
            .map(|(file, partitions)| {
                Ok(PartitionedFile::new_from_meta(object(file)?).with_partition_values(partitions))
            })
            .collect::<Result<_>>()?;
        let groups = FileGroup::new(whole).split_files(session.config().target_partitions());
        let global = session.config().options().execution.parquet.clone();
        let mut options = TableParquetOptions { global, ..Default::default() };
        options.global.coerce_int96 = Some(OLD_TIMES.to_owned());
        options.global.coerce_int96_tz = zone_of_old_times(self.table.kind).map(str::to_owned);
        let source = Arc::new(ParquetSource::new(table_schema).with_table_parquet_options(options.clone()));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_projection_indices(Some(indices))?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        ParquetFormat::default().with_options(options).create_physical_plan(session, config).await
    }
}

/// The file as the reader finds it; what is kept of a footer is of this size and time.
fn object(file: &OutsideFile) -> Result<ObjectMeta> {
    let location = ObjectPath::from_absolute_path(&file.path)
        .map_err(|error| DataFusionError::Execution(format!("cannot read {}: {error}", file.path.display())))?;
    Ok(ObjectMeta { location, last_modified: file.modified.into(), size: file.bytes, e_tag: None, version: None })
}

/// A table that cannot be read.
#[derive(Debug)]
pub(super) struct Unusable {
    columns: SchemaRef,
    reason: &'static str,
}

impl Unusable {
    pub(super) fn new(columns: SchemaRef, reason: &'static str) -> Self {
        Self { columns, reason }
    }
}

#[async_trait]
impl TableProvider for Unusable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Execution(self.reason.to_owned()))
    }
}
