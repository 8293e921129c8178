//! What goes in: record batches, of a Parquet or Arrow file or from memory. What comes out: chunks in the
//! layout's types, with the values that do not fit marked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::util::display::array_value_to_string;

use super::chunk::{Chunk, Failure, ROWS, Raw};
use super::layout::{Layout, Source};
use super::values::Values;
use crate::names::{hint, near};
use crate::{Error, Result};

type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// A file of record batches that is being read.
pub(super) struct Columnar<'a> {
    path: PathBuf,
    layout: &'a Layout,
    batches: Batches,
    done: u64,
    rows: Option<u64>,
    /// What is left of a batch that was longer than a chunk.
    rest: Option<RecordBatch>,
}

impl<'a> Columnar<'a> {
    /// Checks the columns; `rows` is the number of rows where it is known.
    pub(super) fn new(
        path: &Path,
        layout: &'a Layout,
        schema: &Schema,
        batches: Batches,
        rows: Option<u64>,
    ) -> Result<Self> {
        check_schema(path, layout, schema)?;
        Ok(Self { path: path.to_path_buf(), layout, batches, done: 0, rows, rest: None })
    }

    /// Rows read and rows in the file (those read, where their number is not known).
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.done, self.rows.unwrap_or(self.done + 1))
    }

    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.batches.next() {
                Some(batch) => batch?,
                None => return Ok(None),
            },
        };
        let rows = batch.num_rows().min(ROWS);
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        let first = self.done + 1;
        self.done += rows as u64;
        let chunk = chunk(self.layout, &batch.slice(0, rows), first);
        chunk.map(Some).map_err(|error| damaged(&self.path, "rows that can be read")(&error))
    }
}

/// The error for a file that begins as `kind` and is broken further on.
pub(super) fn damaged(path: &Path, kind: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Error + use<> {
    let path = path.to_path_buf();
    move |error| Error::unreadable(&path, kind, format!("a damaged one: {error}"))
}

/// The rows of `batch` as a chunk; `first` is the number of its first row.
pub(super) fn chunk(layout: &Layout, batch: &RecordBatch, first: u64) -> Result<Chunk> {
    let mut failures: BTreeMap<usize, Failure> = BTreeMap::new();
    let mut columns = Vec::with_capacity(layout.sources.len());
    let mut shown = Vec::with_capacity(layout.sources.len());
    for (position, source) in layout.sources.iter().enumerate() {
        let given = batch
            .column_by_name(source.header)
            .ok_or_else(|| Error::unreadable(source.header, "a column of that name", "a batch without it"))?;
        let values = convert(source, given)?;
        // A null may stand in the values of a dictionary, or be a column of nothing else.
        let nulls = given.logical_nulls();
        if values.null_count() > nulls.as_ref().map_or(0, |nulls| nulls.null_count()) {
            let given_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            for row in (0..given.len()).filter(|row| values.is_null(*row) && !given_null(*row)) {
                let found = array_value_to_string(given, row).unwrap_or_default();
                let reason = format!("\"{found}\" is not {}", expected(&source.column.data_type));
                failures.entry(row).or_insert(Failure { source: Some(position), reason });
            }
        }
        columns.push(values);
        shown.push(given.clone());
    }
    let rows = RecordBatch::try_new(layout.wide_schema(), columns).map_err(Error::data("take over a batch"))?;
    let lines = (first..first + rows.num_rows() as u64).collect();
    let fields: Vec<_> =
        layout.sources.iter().filter_map(|s| batch.schema().field_with_name(s.header).cloned().ok()).collect();
    let raw = RecordBatch::try_new(Schema::new(fields).into(), shown).map_err(Error::data("take over a batch"))?;
    Ok(Chunk { rows, lines, raw: Raw::Columns(raw), failures, broken: Vec::new() })
}

/// Checks names and types of the columns of `source` (a file or a name that stands for one).
pub(super) fn check_schema(source: &Path, layout: &Layout, schema: &Schema) -> Result<()> {
    let names: Vec<&str> = layout.sources.iter().map(|source| source.header).collect();
    let mut problems = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        if schema.fields()[..place].iter().any(|earlier| earlier.name() == field.name()) {
            problems.push(format!("the column \"{}\" twice", field.name()));
        }
    }
    for field in schema.fields() {
        if !names.contains(&field.name().as_str()) {
            let hint = hint(&near(field.name(), names.iter().copied()));
            problems.push(format!("the unknown column \"{}\".{hint}", field.name()));
        }
    }
    for wanted in &layout.sources {
        let target = &wanted.column.data_type;
        match schema.field_with_name(wanted.header) {
            Err(_) => problems.push(format!("no column \"{}\"", wanted.header)),
            Ok(field) if !fits(field.data_type(), target) => {
                problems.push(format!(
                    "the column \"{}\" as {}, which is no {target}",
                    wanted.header,
                    field.data_type()
                ));
            }
            Ok(_) => {}
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let expected = format!("the {} columns {}", names.len(), names.join(", "));
    Err(Error::unreadable(source, expected, problems.join(", ")))
}

/// Whether values of one type can be read as another without changing what they say.
fn fits(found: &DataType, target: &DataType) -> bool {
    if let DataType::Dictionary(_, values) = found {
        return fits(values, target);
    }
    let text = is_text(found);
    let fitting = match target {
        DataType::Utf8 | DataType::Int8 | DataType::Int32 => text || found.is_integer(),
        DataType::Float64 => text || found.is_numeric(),
        DataType::Date32 => text || matches!(found, DataType::Date32 | DataType::Date64),
        DataType::Boolean => text || found.is_integer() || *found == DataType::Boolean,
        other => found == other,
    };
    fitting || *found == DataType::Null
}

/// What cannot be kept as it is becomes null. Texts are read as those of a CSV file are.
fn convert(source: &Source, given: &ArrayRef) -> Result<ArrayRef> {
    let target = &source.column.data_type;
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast_to = |values: &ArrayRef, target: &DataType| {
        cast_with_options(values, target, &options)
            .map_err(Error::data(format!("read the column {} as {target}", source.header)))
    };
    let plain = match given.data_type() {
        DataType::Dictionary(_, values) => cast_to(given, values)?,
        _ => given.clone(),
    };
    if is_text(plain.data_type()) && *target != DataType::Utf8 {
        let texts = cast_to(&plain, &DataType::Utf8)?;
        let mut read = Values::new(source);
        for text in texts.as_string::<i32>() {
            // The row is refused for its null, with a reason of its own.
            drop(read.push(text.unwrap_or_default(), source));
        }
        return Ok(read.finish());
    }
    let values = cast_to(&plain, target)?;
    let lossy = match (plain.data_type(), target) {
        (DataType::Date64, DataType::Date32) => true,
        (found, DataType::Boolean | DataType::Float64) => found.is_integer(),
        _ => false,
    };
    let values = if lossy {
        let back = cast_to(&values, plain.data_type())?;
        let same =
            arrow::compute::kernels::cmp::not_distinct(&back, &plain).map_err(Error::data("compare a column"))?;
        let other = arrow::compute::not(&same).map_err(Error::data("compare a column"))?;
        arrow::compute::kernels::nullif::nullif(&values, &other).map_err(Error::data("compare a column"))?
    } else {
        values
    };
    if source.divisor == 1.0 || *target != DataType::Float64 {
        return Ok(values);
    }
    let numbers = values.as_primitive::<Float64Type>();
    Ok(Arc::new(numbers.unary::<_, Float64Type>(|number| source.scaled(number))))
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn expected(target: &DataType) -> &'static str {
    match target {
        DataType::Date32 => "a date; expected YYYY-MM-DD",
        DataType::Int8 => "a whole number from -128 to 127",
        DataType::Int32 => "a whole number of 32 bits",
        DataType::Float64 => "a number",
        DataType::Boolean => "true or false",
        _ => "a text",
    }
}
