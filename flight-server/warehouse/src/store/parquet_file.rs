//! What goes in: the rows of one table. What comes out: a Parquet file that is sorted, compressed,
//! and carries what readers need to skip what they do not want.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::bounds::{Bounds, Watch};
use super::disk::Disk;
use crate::{Error, Result};

/// Small enough that a filter on dates skips most of a table, large enough that the statistics
/// stay a small part of the file.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Identifiers with so many values that minimum and maximum say nothing: readers get a bloom filter.
pub(crate) const BLOOM: [&str; 5] = ["declaration_id", "importer_id", "declarant_id", "seller_id", "courier_id"];

/// How many rows a reader returns at a time unless told otherwise.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// A file that is being written. It is not on the disk when it is finished.
pub(crate) struct Sink {
    path: PathBuf,
    writer: ArrowWriter<Box<dyn Write + Send>>,
    rows: u64,
    watch: Watch,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Sink {
    /// A new file at `path` for rows that come in the order of `sort`.
    pub(super) fn create(disk: &dyn Disk, path: PathBuf, schema: &SchemaRef, sort: &[&str]) -> Result<Self> {
        let file = disk.make_file(&path)?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(schema, sort)))
            .map_err(Error::data(format!("write {}", path.display())))?;
        Ok(Self { path, writer, rows: 0, watch: Watch::new(schema, sort) })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.watch.add(batch);
        self.writer.write(batch).map_err(Error::data(format!("write {}", self.path.display())))
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the file; returns its path, rows, bytes and bounds.
    pub(super) fn finish(self) -> Result<(PathBuf, u64, u64, Vec<Bounds>)> {
        let failed = format!("write {}", self.path.display());
        let mut file = self.writer.into_inner().map_err(Error::data(failed))?;
        file.flush().map_err(Error::io("write", &self.path))?;
        drop(file);
        let bytes = std::fs::metadata(&self.path).map_err(Error::io("read the size of", &self.path))?.len();
        Ok((self.path, self.rows, bytes, self.watch.finish()))
    }
}

fn properties(schema: &Schema, sort: &[&str]) -> WriterProperties {
    let by_position: Vec<SortingColumn> = sort
        .iter()
        .filter_map(|name| schema.index_of(name).ok())
        .map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: true })
        .collect();
    // Dictionaries are on for every column; the writer gives one up by itself where values hardly
    // repeat. Statistics of pages are the page index.
    let mut properties = WriterProperties::builder()
        .set_created_by("haetae".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns((!by_position.is_empty()).then_some(by_position));
    for name in BLOOM.into_iter().filter(|name| schema.index_of(name).is_ok()) {
        properties = properties.set_column_bloom_filter_enabled(ColumnPath::from(name), true);
    }
    properties.build()
}

/// `batches` as one, in the order of `sort` (nulls first).
pub(super) fn sorted(schema: &SchemaRef, batches: &[RecordBatch], sort: &[&str]) -> Result<RecordBatch> {
    let batch = concat_batches(schema, batches).map_err(Error::data("sort rows"))?;
    let columns: Vec<SortColumn> = sort
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn { values: values.clone(), options: None })
        .collect();
    if columns.is_empty() {
        return Ok(batch);
    }
    let order = lexsort_to_indices(&columns, None).map_err(Error::data("sort rows"))?;
    take_record_batch(&batch, &order).map_err(Error::data("sort rows"))
}

/// The rows of a file of the store, in batches of `rows`; `columns` chooses some of them.
pub(crate) fn read(path: &Path, columns: Option<&[&str]>, rows: usize) -> Result<ParquetRecordBatchReader> {
    let failed = || format!("read {}", path.display());
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(Error::data(failed()))?;
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    builder.with_batch_size(rows).build().map_err(Error::data(failed()))
}
