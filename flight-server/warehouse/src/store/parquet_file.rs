//! What goes in: the rows of one table. What comes out: a Parquet file that is sorted, compressed,
//! and carries what readers need to skip what they do not want.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::bounds::{Bounds, Watch};
use super::disk::Disk;
use crate::{Error, Result};

/// Small enough that a filter on dates skips most of a table, large enough that the statistics
/// stay a small part of the file.
pub(super) const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Identifiers with so many values that minimum and maximum say nothing: readers get a bloom filter.
pub(crate) const BLOOM: [&str; 5] = ["declaration_id", "importer_id", "declarant_id", "seller_id", "courier_id"];

/// Numbers that hardly repeat: with a dictionary they would be larger. Their bytes are laid apart, first the first of
/// each, which packs best.
const SPREAD: [&str; 1] = ["item_price_krw"];

/// How many rows a reader returns at a time unless told otherwise.
pub(crate) const BATCH_ROWS: usize = 65_536;

type Output = Box<dyn Write + Send>;

/// Path, rows, bytes and bounds of a file that is complete.
pub(super) type Written = (PathBuf, u64, u64, Vec<Bounds>);

/// A file that is being written. It is not on the disk when it is finished.
pub(crate) struct Sink {
    path: PathBuf,
    writer: ArrowWriter<Output>,
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
        self.note(batch);
        self.writer.write(batch).map_err(Error::data(format!("write {}", self.path.display())))
    }

    /// Counts rows that come into the file, and keeps their bounds.
    pub(super) fn note(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        self.watch.add(batch);
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file.
    pub(super) fn finish(self) -> Result<Written> {
        self.finish_with(|_, _| Ok(()))
    }

    /// Completes the file after `write` has appended row groups, whose rows have been noted.
    pub(super) fn finish_with(
        self,
        write: impl FnOnce(&mut SerializedFileWriter<Output>, &ArrowRowGroupWriterFactory) -> ParquetResult<()>,
    ) -> Result<Written> {
        let failed = Error::data(format!("write {}", self.path.display()));
        let complete = |writer: ArrowWriter<Output>| {
            let (mut file, encoder) = writer.into_serialized_writer()?;
            write(&mut file, &encoder)?;
            file.into_inner()
        };
        let mut file = complete(self.writer).map_err(failed)?;
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
    // Dictionaries are on for every other column; the writer gives one up by itself where values hardly
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
    let number = |name: &&str| schema.field_with_name(name).is_ok_and(|field| *field.data_type() == DataType::Float64);
    for name in SPREAD.into_iter().filter(number) {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::BYTE_STREAM_SPLIT);
    }
    properties.build()
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
