//! What goes in: values. What comes out: Arrow columns, batches, and tables handed to a sink.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;

use crate::calendar::FIRST_DATE;
use crate::dims::Sink;
use crate::error::SynthError;

/// Rows of a batch of what lasts: what keeps memory low for large worlds.
pub const ROWS: usize = 65_536;

/// Texts without nulls.
pub fn text<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Texts with nulls.
pub fn maybe<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// Numbers.
pub fn numbers(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// Whole numbers.
pub fn whole(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

/// Yes or no.
pub fn flags(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<BooleanArray>())
}

/// Days from day indices.
pub fn days(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(values.into_iter().map(|day| FIRST_DATE + day)))
}

/// The same with nulls.
pub fn maybe_days(values: impl IntoIterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.into_iter().map(|day| day.map(|day| FIRST_DATE + day)).collect::<Date32Array>())
}

/// The schema that the catalogue agrees on.
pub fn served_schema(table: &'static str) -> SchemaRef {
    haetae_schema::table(table).map_or_else(|| Arc::new(Schema::empty()), haetae_schema::Table::arrow_schema)
}

/// A batch of one table.
///
/// # Errors
/// Columns that do not fit the schema.
pub fn batch(table: &'static str, schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch, SynthError> {
    RecordBatch::try_new(schema, columns).map_err(|source| SynthError::Schema { table, source })
}

/// A batch of a served table.
pub fn rows(table: &'static str, columns: Vec<ArrayRef>) -> Result<RecordBatch, SynthError> {
    batch(table, served_schema(table), columns)
}

/// The numbers of `n` things in the order of their ids.
pub fn by_id<'a>(n: usize, id: impl Fn(usize) -> &'a str) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| id(i));
    order
}

/// Hands a served table to the sink, in batches that are made one by one.
pub fn table<T>(
    sink: &mut Sink<'_>,
    name: &'static str,
    all: &[T],
    columns: impl Fn(&[T]) -> Vec<ArrayRef>,
) -> Result<(), SynthError> {
    let mut batches = all.chunks(ROWS).map(|some| rows(name, columns(some)));
    sink("tables", name, served_schema(name), &mut batches)
}

/// A day as text, YYYY-MM-DD.
pub fn iso(day: i32) -> String {
    date32_to_datetime(FIRST_DATE + day).map_or_else(String::new, |time| time.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_names() {
        assert_eq!((iso(0), iso(59), iso(-1)), ("2020-01-01".into(), "2020-02-29".into(), "2019-12-31".into()));
        assert_eq!((iso(546), iso(-18_262)), ("2021-06-30".into(), "1970-01-01".into()));
    }
}
