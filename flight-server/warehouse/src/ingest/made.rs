//! What goes in: record batches of any plain columns, for a table that a user makes. What comes out: the table, or
//! more rows of it, in the changes that are being prepared.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use sha2::Digest;

use super::source::BatchHash;
use super::{Changes, ROWS_IN_A_FILE};
use crate::store::{Input, Kind, MadeColumn, NewOperation};
use crate::{Error, Result};

/// The longest name of a table or column, in letters.
const NAME_LETTERS: usize = 63;
/// The most columns of a table.
const COLUMNS: usize = 1_000;

/// The columns of a table that a user has made.
pub fn made_schema(columns: &[MadeColumn]) -> Result<SchemaRef> {
    let field = |column: &MadeColumn| {
        let data_type = column.data_type.parse::<DataType>().map_err(Error::data("read the columns of a table"))?;
        Ok(Field::new(&column.name, data_type, column.nullable))
    };
    Ok(Arc::new(Schema::new(columns.iter().map(field).collect::<Result<Vec<_>>>()?)))
}

impl Changes {
    /// Takes note of what is asked for, for the content that an idempotency key stands for.
    pub fn asked(&mut self, what: &str) {
        self.content.update(format!("{what}\n"));
    }

    /// The columns of a table that a user has made, as the changes so far leave it.
    pub fn made(&self, schema: &str, table: &str) -> Result<Option<SchemaRef>> {
        self.transaction.made(schema, table).map(made_schema).transpose()
    }

    /// Makes an empty table with columns like these, in the place of one that has the name. Dictionaries, views and
    /// large texts become plain ones. Fails with [`Error::CannotMake`] when a name or a type cannot be kept.
    pub fn make(&mut self, schema: &str, table: &str, columns: &Schema) -> Result<()> {
        let columns = kept(table, columns)?;
        if !self.repeats() {
            self.transaction.make(schema, table, columns);
            self.changed = true;
        }
        Ok(())
    }

    /// Number of rows of a table, as the changes so far leave it.
    pub fn made_rows(&self, schema: &str, table: &str) -> u64 {
        self.transaction.files(schema, table).iter().map(|file| file.rows).sum()
    }

    /// Adds rows to a table that a user has made, file by file, so that few of them are in memory. `kind` says what
    /// they are recorded as, `removed` what went before. Columns are found by their names. Returns how many there
    /// were. Fails with [`Error::Misfit`] where a column does not fit.
    pub fn fill(
        &mut self,
        kind: Kind,
        (schema, table): (&str, &str),
        name: &str,
        batches: impl Iterator<Item = Result<RecordBatch>>,
        removed: u64,
    ) -> Result<u64> {
        let mut hash = BatchHash::default();
        let keyed = self.has_key();
        let target = if self.repeats() { None } else { self.made(schema, table)? };
        let mut sink = None;
        let mut rows = 0;
        for batch in batches {
            let batch = batch?;
            if keyed {
                hash.note(&batch)?;
            }
            rows += batch.num_rows() as u64;
            let Some(target) = &target else { continue };
            let batch = fitted(table, target, &batch)?;
            let mut open = match sink.take() {
                Some(open) => open,
                None => self.transaction.file(target)?,
            };
            open.write(&batch)?;
            if open.rows() >= ROWS_IN_A_FILE as u64 {
                self.transaction.add_file(schema, table, open)?;
            } else {
                sink = Some(open);
            }
        }
        if let Some(open) = sink.filter(|open| open.rows() > 0) {
            self.transaction.add_file(schema, table, open)?;
        }
        let mut inputs = Vec::new();
        if keyed {
            let sha256 = hash.finish()?;
            self.content.update(format!("{sha256}\n"));
            inputs.push(Input { name: name.to_owned(), sha256 });
        }
        if target.is_some() {
            self.note(kind, schema, table, inputs, (rows, removed));
        }
        Ok(rows)
    }

    fn note(&mut self, kind: Kind, schema: &str, table: &str, inputs: Vec<Input>, (accepted, removed): (u64, u64)) {
        self.changed = true;
        self.done.accepted += accepted;
        self.done.removed += removed;
        let (schema, table, format) = (schema.to_owned(), table.to_owned(), "table".to_owned());
        self.transaction.record(NewOperation { kind, schema, table, format, inputs, accepted, rejected: 0, removed });
    }
}

/// The columns as the manifest keeps them.
pub(crate) fn kept(table: &str, columns: &Schema) -> Result<Vec<MadeColumn>> {
    let wrong = |reason: String| Error::CannotMake { table: table.to_owned(), reason };
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !(1..=NAME_LETTERS).contains(&table.len()) || !table.chars().all(plain) || table.starts_with(char::is_numeric) {
        let rule = format!(
            "a name has small letters a to z, digits and _, does not begin with a digit, {NAME_LETTERS} letters at most"
        );
        return Err(wrong(rule));
    }
    if !(1..=COLUMNS).contains(&columns.fields().len()) {
        let found = columns.fields().len();
        return Err(wrong(format!("expected 1 to {COLUMNS} columns, found {found}")));
    }
    let mut names = BTreeSet::new();
    let column = |field: &Arc<Field>| {
        let name = field.name();
        let letters = name.chars().count();
        if !(1..=NAME_LETTERS).contains(&letters) || name.chars().any(char::is_control) {
            return Err(wrong(format!(
                "the column name {name:?} cannot be used; expected 1 to {NAME_LETTERS} letters"
            )));
        }
        if !names.insert(name.to_lowercase()) {
            return Err(wrong(format!("there are two columns \"{name}\"")));
        }
        let data_type = plain_type(field.data_type());
        let text = data_type.to_string();
        if !is_kept(&data_type) || text.parse::<DataType>().ok().as_ref() != Some(&data_type) {
            let found = field.data_type();
            return Err(wrong(format!(
                "the column \"{name}\" is {found}; expected numbers, texts, bytes, truth values, days, times or decimals"
            )));
        }
        Ok(MadeColumn { name: name.clone(), data_type: text, nullable: field.is_nullable() })
    };
    columns.fields().iter().map(column).collect()
}

pub(crate) fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    }
}

fn is_kept(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Float32
                | DataType::Float64
                | DataType::Utf8
                | DataType::Binary
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
        )
}

/// The batch with the columns of the table. What it lacks is null, where it may be.
fn fitted(table: &str, target: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let misfit =
        |column: &str, reason: String| Error::Misfit { table: table.to_owned(), column: column.to_owned(), reason };
    let given = batch.schema();
    if let Some(unknown) = given.fields().iter().find(|field| target.column_with_name(field.name()).is_none()) {
        let known: Vec<&str> = target.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(misfit(unknown.name(), format!("the table has none of that name; it has {}", known.join(", "))));
    }
    let mut names = BTreeSet::new();
    for field in given.fields() {
        if !names.insert(field.name()) {
            return Err(misfit(field.name(), "it is there twice".to_owned()));
        }
    }
    let column = |field: &Arc<Field>| -> Result<ArrayRef> {
        let name = field.name();
        let Some(column) = batch.column_by_name(name) else {
            if !field.is_nullable() {
                return Err(misfit(name, "it is missing, and cannot be null".to_owned()));
            }
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        };
        let (found, wanted) = (column.data_type(), field.data_type());
        if !fits(&plain_type(found), wanted) {
            return Err(misfit(name, format!("expected {wanted}, found {found}")));
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let column = cast_with_options(column, wanted, &strict);
        let column = column.map_err(|error| misfit(name, format!("expected {wanted}: {error}")))?;
        if !field.is_nullable() && column.null_count() > 0 {
            return Err(misfit(name, format!("expected no nulls, found {}", column.null_count())));
        }
        Ok(column)
    };
    let columns = target.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(target), columns, &rows).map_err(Error::data("take over rows"))
}

/// Whether every value can be kept as it is, or is refused where it cannot.
fn fits(found: &DataType, wanted: &DataType) -> bool {
    found == wanted
        || *found == DataType::Null
        || (found.is_integer() && wanted.is_integer())
        || (*wanted == DataType::Float64
            && matches!(found, DataType::Float32 | DataType::Int32 | DataType::Int16 | DataType::Int8))
}
