//! What goes in: the files of a table as the manifest knows them. What comes out: their format, which asks the manifest
//! for rows and bounds where there are so many files that to open all of them would take long.
//!
//! A planner wants to know of every file how many rows it has and between which values they lie, before it reads any.
//! The footers say so of all columns, the manifest of those that tables are sorted by. With few files the footers are
//! worth reading; with thousands the first query would wait for them, and each one after it, when they do not fit into
//! the cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::file_format::{FileFormat, FileMeta};
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::physical_plan::ExecutionPlan;

use super::columns::{self, Columns};
use crate::store::{Bound, DataFile};

/// With more files than this nobody reads all footers to plan a query.
const FOOTERS_READ: usize = 256;

/// The format by which the files of a table are read.
pub(super) fn format(files: &[DataFile]) -> Arc<dyn FileFormat> {
    let parquet = ParquetFormat::default();
    let many = files.len() > FOOTERS_READ;
    let files = files.iter().filter(|file| many && !file.bounds.is_empty());
    Arc::new(KnownFiles { parquet, files: files.map(|file| (file.path.clone(), file.clone())).collect() })
}

/// Parquet files of the warehouse.
#[derive(Debug)]
struct KnownFiles {
    parquet: ParquetFormat,
    /// Those of which the manifest is asked what is in them.
    files: BTreeMap<String, DataFile>,
}

impl KnownFiles {
    fn statistics(&self, schema: &SchemaRef, object: &ObjectMeta) -> Option<Statistics> {
        // A file of another size is not the one that the manifest means: let its footer say what it is.
        let path: &str = object.location.as_ref();
        let file = self.files.get(path).filter(|file| file.bytes == object.size)?;
        let columns = schema.fields().iter().map(|field| {
            let known = file.bounds.iter().find(|bounds| bounds.column == *field.name());
            let mut found = ColumnStatistics::new_unknown();
            if let Some(bounds) = known {
                found = found.with_null_count(Precision::Exact(bounds.nulls as usize));
                let values =
                    bounds.between.as_ref().map(|(a, b)| (scalar(a, field.data_type()), scalar(b, field.data_type())));
                if let Some((Some(least), Some(greatest))) = values {
                    found = found.with_min_value(Precision::Exact(least)).with_max_value(Precision::Exact(greatest));
                }
            }
            found
        });
        Some(Statistics {
            num_rows: Precision::Exact(file.rows as usize),
            total_byte_size: Precision::Inexact(file.bytes as usize),
            column_statistics: columns.collect(),
        })
    }
}

/// The value as the column has it; `None` where the column is of another type than when the file was written.
fn scalar(bound: &Bound, data_type: &DataType) -> Option<ScalarValue> {
    Some(match (bound, data_type) {
        (Bound::Text(text), DataType::Utf8) => ScalarValue::Utf8(Some(text.clone())),
        (Bound::Text(text), DataType::Utf8View) => ScalarValue::Utf8View(Some(text.clone())),
        (Bound::Whole(day), DataType::Date32) => ScalarValue::Date32(Some(i32::try_from(*day).ok()?)),
        (Bound::Whole(number), DataType::Int32) => ScalarValue::Int32(Some(i32::try_from(*number).ok()?)),
        (Bound::Whole(number), DataType::Int64) => ScalarValue::Int64(Some(*number)),
        _ => return None,
    })
}

#[async_trait]
impl FileFormat for KnownFiles {
    fn get_ext(&self) -> String {
        self.parquet.get_ext()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        self.parquet.get_ext_with_compression(compression)
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        self.parquet.compression_type()
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        objects: &[ObjectMeta],
    ) -> Result<SchemaRef> {
        self.parquet.infer_schema(state, store, objects).await
    }

    async fn infer_stats(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<Statistics> {
        match self.statistics(&table_schema, object) {
            Some(known) => Ok(known),
            None => self.parquet.infer_stats(state, store, table_schema, object).await,
        }
    }

    async fn infer_stats_and_ordering(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        object: &ObjectMeta,
    ) -> Result<FileMeta> {
        match self.statistics(&table_schema, object) {
            // In what order so many files are does not help: they would have to be merged.
            Some(known) => Ok(FileMeta::new(known)),
            None => self.parquet.infer_stats_and_ordering(state, store, table_schema, object).await,
        }
    }

    async fn create_physical_plan(&self, state: &dyn Session, conf: FileScanConfig) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.parquet.create_physical_plan(state, conf).await?;
        match state.config().get_extension::<Columns>() {
            Some(columns) => columns::over(plan, &columns),
            None => Ok(plan),
        }
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        self.parquet.file_source(table_schema)
    }
}
