//! What goes in: values. What comes out: Arrow columns, batches, and tables handed to a sink.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};

use crate::calendar::FIRST_DATE;
use crate::dims::Sink;
use crate::error::SynthError;
use crate::rows::{batch, served_schema};

/// Rows of a batch of what lasts: what keeps memory low for large worlds.
const ROWS: usize = 65_536;

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

/// A batch of a served table.
pub fn rows(table: &'static str, columns: Vec<ArrayRef>) -> Result<RecordBatch, SynthError> {
    batch(table, served_schema(table), columns)
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

/// A day as text, YYYY-MM-DD, for any year.
pub fn iso(day: i32) -> String {
    let (year, month, day) = civil(FIRST_DATE + day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the month of a number of days since 1970-01-01, by the proleptic Gregorian calendar (after
/// Howard Hinnant's `civil_from_days`).
pub fn civil(days: i32) -> (i32, i32, i32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
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
