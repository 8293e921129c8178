//! What goes in: a Parquet file of the store, values of some of its columns. What comes out: the rows that have them,
//! read as sparingly as the file allows; or a whole row group, to be kept.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, Scalar};
use arrow::compute::kernels::cmp::{eq, gt_eq, lt_eq};
use arrow::compute::{and, concat_batches, prep_null_mask_filter};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection,
};
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::PageIndexPolicy;

/// More rows than this are for the engine, which reads them bit by bit, within the memory that a query may have.
pub(super) const ROWS: usize = 8192;

/// A column, and the value that it must have.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) column: usize,
    /// Of the type of the column, and not null.
    pub(super) value: Scalar<ArrayRef>,
}

impl Wanted {
    /// The value of a column of texts.
    pub(super) fn text(&self) -> Option<&str> {
        let (value, _) = arrow::array::Datum::get(&self.value);
        value.as_string_opt::<i32>().filter(|texts| !texts.is_empty()).map(|texts| texts.value(0))
    }
}

/// Lowest and highest values, by row group or page.
type Bounds = (ArrayRef, ArrayRef);

/// By row group and column; `None` where there is no filter.
type Blooms = HashMap<(usize, usize), Option<Arc<Sbbf>>>;

/// A file of the store whose footer and page index have been read. It never changes.
pub(super) struct Opened {
    path: PathBuf,
    schema: SchemaRef,
    meta: ArrowReaderMetadata,
    /// By column.
    bounds: Vec<Option<Bounds>>,
    blooms: Mutex<Blooms>,
}

impl Opened {
    /// Fails when the columns in the file are not those of `schema`.
    pub(super) fn new(path: &Path, schema: &SchemaRef) -> Result<Self> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let meta = ArrowReaderMetadata::load(&File::open(path)?, options)?;
        let stored = Arc::clone(meta.schema());
        let like = |(a, b): (&Arc<Field>, &Arc<Field>)| a.name() == b.name() && a.data_type() == b.data_type();
        let same = stored.fields().len() == schema.fields().len()
            && stored.fields().len() == meta.parquet_schema().num_columns()
            && stored.fields().iter().zip(schema.fields()).all(like);
        if !same {
            return Err(ParquetError::General("the file has other columns than the table".to_owned()));
        }
        let groups = meta.metadata().row_groups();
        let bounds = stored.fields().iter().map(|field| {
            let converter = StatisticsConverter::try_new(field.name(), &stored, meta.parquet_schema()).ok()?;
            Some((converter.row_group_mins(groups).ok()?, converter.row_group_maxes(groups).ok()?))
        });
        let bounds = bounds.collect();
        Ok(Self { path: path.to_owned(), schema: Arc::clone(schema), meta, bounds, blooms: Mutex::default() })
    }

    /// The row groups that can have such rows, as far as lowest and highest values tell.
    pub(super) fn groups(&self, wanted: &[Wanted]) -> Vec<usize> {
        let mut may = vec![true; self.meta.metadata().num_row_groups()];
        for wanted in wanted {
            if let Some(Some(bounds)) = self.bounds.get(wanted.column) {
                narrow(&mut may, bounds, &wanted.value);
            }
        }
        may.iter().enumerate().filter(|(_, may)| **may).map(|(group, _)| group).collect()
    }

    /// Whether the bloom filter of a row group leaves it open that a column of texts has the value; `None` where the
    /// filter has not been read and may not be.
    pub(super) fn may_have(&self, group: usize, wanted: &Wanted, may_read: bool) -> Result<Option<bool>> {
        let key = (group, wanted.column);
        let known = self.blooms.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let bloom = match known {
            Some(bloom) => bloom,
            None if !may_read => return Ok(None),
            None => {
                let reader = self.reader(self.meta.clone())?;
                let bloom = reader.get_row_group_column_bloom_filter(group, wanted.column)?.map(Arc::new);
                self.blooms.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bloom.clone());
                bloom
            }
        };
        Ok(Some(match (bloom, wanted.text()) {
            (Some(bloom), Some(text)) => bloom.check(text),
            _ => true,
        }))
    }

    /// The rows of a row group that have the values, with all columns of the table. More than [`ROWS`] are an error.
    pub(super) fn read(&self, group: usize, wanted: &[Wanted]) -> Result<RecordBatch> {
        let mut builder = self.reader(self.meta.clone())?.with_row_groups(vec![group]).with_batch_size(8192);
        if let Some(pages) = self.pages(group, wanted) {
            builder = builder.with_row_selection(pages);
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().map(|wanted| wanted.column));
        let (schema, values) = (Arc::clone(&self.schema), wanted.to_vec());
        let filter = ArrowPredicateFn::new(mask, move |batch| having(&batch, &schema, &values));
        let reader = builder.with_row_filter(RowFilter::new(vec![Box::new(filter)])).with_limit(ROWS + 1).build()?;
        let batches = reader.collect::<Result<Vec<_>, ArrowError>>()?;
        few(batches.iter().map(RecordBatch::num_rows).sum())?;
        let batches = batches.into_iter().map(|batch| batch.with_schema(Arc::clone(&self.schema)));
        Ok(concat_batches(&self.schema, &batches.collect::<Result<Vec<_>, ArrowError>>()?)?)
    }

    /// All rows of a row group, with texts as dictionaries.
    pub(super) fn whole(&self, group: usize) -> Result<RecordBatch> {
        let fields = self.meta.schema().fields().iter().map(|field| match field.data_type() {
            DataType::Utf8 => field.as_ref().clone().with_data_type(compact()),
            _ => field.as_ref().clone(),
        });
        let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), self.meta.schema().metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let meta = ArrowReaderMetadata::try_new(Arc::clone(self.meta.metadata()), options)?;
        let schema = Arc::clone(meta.schema());
        let builder = self.reader(meta)?.with_row_groups(vec![group]).with_batch_size(self.rows(group));
        let batches = builder.build()?.collect::<Result<Vec<_>, ArrowError>>()?;
        match <[RecordBatch; 1]>::try_from(batches) {
            Ok([batch]) => Ok(batch),
            Err(batches) => Ok(concat_batches(&schema, &batches)?),
        }
    }

    /// About how many bytes the rows of a row group take when they are kept.
    pub(super) fn estimate(&self, group: usize) -> usize {
        let bytes = self.meta.metadata().row_groups().get(group).map_or(0, |group| group.total_byte_size());
        let codes = self.rows(group).saturating_mul(4 * self.schema.fields().len());
        usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(codes)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self, group: usize) -> usize {
        let rows = self.meta.metadata().row_groups().get(group).map_or(0, |group| group.num_rows());
        usize::try_from(rows).unwrap_or_default()
    }

    fn reader(&self, meta: ArrowReaderMetadata) -> Result<ParquetRecordBatchReaderBuilder<File>> {
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(&self.path)?, meta))
    }

    /// The pages that can have such rows; `None` where the file does not tell.
    fn pages(&self, group: usize, wanted: &[Wanted]) -> Option<RowSelection> {
        let meta = self.meta.metadata();
        let (columns, offsets) = (meta.column_index()?, meta.offset_index()?);
        let rows = self.rows(group);
        let stored = self.meta.schema();
        let mut chosen: Option<RowSelection> = None;
        for wanted in wanted {
            let name = stored.fields().get(wanted.column)?.name();
            let converter = StatisticsConverter::try_new(name, stored, self.meta.parquet_schema()).ok()?;
            let low = converter.data_page_mins(columns, offsets, [&group]).ok()?;
            let high = converter.data_page_maxes(columns, offsets, [&group]).ok()?;
            let pages = offsets.get(group)?.get(wanted.column)?.page_locations();
            let mut may = vec![true; pages.len()];
            narrow(&mut may, &(low, high), &wanted.value);
            let mut starts = pages.iter().map(|page| usize::try_from(page.first_row_index).unwrap_or_default());
            let first = starts.next()?;
            let ends = starts.chain([rows]);
            let ranges = ends.scan(first, |start, end| Some(std::mem::replace(start, end)..end));
            let ranges = ranges.zip(&may).filter(|(_, may)| **may).map(|(range, _)| range);
            let found = RowSelection::from_consecutive_ranges(ranges, rows);
            chosen = Some(chosen.map_or_else(|| found.clone(), |before| before.intersection(&found)));
        }
        chosen
    }
}

/// Whether so many rows are not too many.
pub(super) fn few(rows: usize) -> Result<()> {
    match rows {
        0..=ROWS => Ok(()),
        _ => Err(ParquetError::General(format!("more than {ROWS} rows have the values"))),
    }
}

/// How texts are kept: once each, with a number for each row.
fn compact() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Takes out those whose bounds exclude the value; unknown bounds exclude nothing.
fn narrow(may: &mut [bool], (low, high): &Bounds, value: &Scalar<ArrayRef>) {
    let (Ok(above), Ok(below)) = (lt_eq(low, value), gt_eq(high, value)) else { return };
    let excluded = |test: &BooleanArray, index| index < test.len() && test.is_valid(index) && !test.value(index);
    for (index, may) in may.iter_mut().enumerate() {
        *may &= !excluded(&above, index) && !excluded(&below, index);
    }
}

/// Which rows of a batch have the values. It may have fewer columns than the table.
pub(super) fn having(
    batch: &RecordBatch,
    schema: &SchemaRef,
    wanted: &[Wanted],
) -> std::result::Result<BooleanArray, ArrowError> {
    let mut all = BooleanArray::from(vec![true; batch.num_rows()]);
    for wanted in wanted {
        let name = schema.field(wanted.column).name();
        let missing = || ArrowError::SchemaError(format!("there is no column {name}"));
        let column = batch.column_by_name(name).ok_or_else(missing)?;
        let same = eq(column, &wanted.value)?;
        // It cannot do without nulls.
        all = and(&all, &if same.null_count() == 0 { same } else { prep_null_mask_filter(&same) })?;
    }
    Ok(all)
}
