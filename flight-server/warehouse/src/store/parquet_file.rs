//! What goes in: the rows of one table in any order. What comes out: a Parquet file that is sorted,
//! compressed, and carries what readers need to skip what they do not want.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::{Error, Result};

/// Small enough that a filter on dates skips most of a table, large enough that the statistics
/// stay a small part of the file.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// Identifiers with so many values that minimum and maximum say nothing: readers get a bloom filter.
const BLOOM: [&str; 5] = ["declaration_id", "importer_id", "declarant_id", "seller_id", "courier_id"];

/// Writes `batches` (one schema, at least one batch) sorted by `sort` to a new file at `path`, and
/// returns rows and bytes. The file is complete but not yet on the disk.
pub(super) fn write(path: &Path, batches: &[RecordBatch], sort: &[&str]) -> Result<(u64, u64)> {
    let Some(first) = batches.first() else { return Ok((0, 0)) };
    let schema = first.schema();
    let failed = || format!("write {}", path.display());
    let whole = concat_batches(&schema, batches).map_err(Error::data(failed()))?;
    let sorted = sort_rows(&whole, sort)?;

    let by_position: Vec<SortingColumn> = sort
        .iter()
        .filter_map(|name| schema.index_of(name).ok())
        .map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: true })
        .collect();
    let mut properties = WriterProperties::builder()
        .set_created_by("haetae".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_sorting_columns((!by_position.is_empty()).then_some(by_position));
    for name in BLOOM.into_iter().filter(|name| schema.index_of(name).is_ok()) {
        properties = properties.set_column_bloom_filter_enabled(ColumnPath::from(name), true);
    }

    let file = File::create_new(path).map_err(Error::io("create", path))?;
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties.build())).map_err(Error::data(failed()))?;
    writer.write(&sorted).map_err(Error::data(failed()))?;
    let file = writer.into_inner().map_err(Error::data(failed()))?;
    let bytes = file.metadata().map_err(Error::io("read the size of", path))?.len();
    Ok((sorted.num_rows() as u64, bytes))
}

fn sort_rows(batch: &RecordBatch, sort: &[&str]) -> Result<RecordBatch> {
    let columns: Vec<SortColumn> = sort
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|values| SortColumn { values: values.clone(), options: None })
        .collect();
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    let order = lexsort_to_indices(&columns, None).map_err(Error::data("sort rows"))?;
    take_record_batch(batch, &order).map_err(Error::data("sort rows"))
}
