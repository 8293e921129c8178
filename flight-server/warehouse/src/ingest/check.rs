//! What goes in: a chunk of typed rows. What comes out: the same rows with codes in their full
//! length, and for each bad row the first rule that it breaks, in the order of the layout.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int8Type, Int32Type};
use arrow::temporal_conversions::date32_to_datetime;

use super::chunk::{Chunk, Failure};
use super::layout::{Layout, Source, code_digits};
use crate::{Error, Result};

/// Days since 1970 of 1800-01-01 and of 2199-12-31. Years outside, such as 0 and 9999, stand for "not known" or "no
/// end", which null says here.
const DAYS: std::ops::RangeInclusive<i32> = -62_091..=84_005;

/// Fills up HS codes and empties empty texts, then finds for each row the first broken rule.
pub(super) fn check(layout: &Layout, chunk: &mut Chunk) -> Result<Vec<Option<Failure>>> {
    chunk.rows = normalise(layout, &chunk.rows)?;
    let mut found: Vec<Option<Failure>> = vec![None; chunk.rows.num_rows()];
    for (row, failure) in &chunk.failures {
        found[*row] = Some(failure.clone());
    }
    for (position, source) in layout.sources.iter().enumerate() {
        // A value that could not be read is null, and its reason is there already; any other row
        // keeps the failure of its first column.
        let mut report = |row: usize, reason: String| {
            let entry = &mut found[row];
            if entry.as_ref().is_none_or(|earlier| earlier.source > Some(position)) {
                *entry = Some(Failure { source: Some(position), reason });
            }
        };
        check_column(source, chunk.rows.column(position), &mut report);
    }
    Ok(found)
}

fn check_column(source: &Source, values: &ArrayRef, report: &mut dyn FnMut(usize, String)) {
    let column = source.column;
    if !column.nullable && values.null_count() > 0 {
        for row in (0..values.len()).filter(|row| values.is_null(*row)) {
            report(row, "is empty; a value is required".to_owned());
        }
    }
    match column.data_type {
        DataType::Float64 => {
            for (row, value) in values.as_primitive::<Float64Type>().iter().enumerate() {
                let Some(value) = value else { continue };
                if !value.is_finite() {
                    report(row, format!("{value} is not a finite number"));
                } else if value < 0.0 && !column.signed {
                    // Written as the file has it, not as the fraction that it has become.
                    report(row, format!("{} is negative; expected 0 or more", source.unscaled(value)));
                }
            }
        }
        DataType::Date32 => {
            for (row, day) in values.as_primitive::<Date32Type>().iter().enumerate() {
                if let Some(day) = day.filter(|day| !DAYS.contains(day)) {
                    let date =
                        date32_to_datetime(day).map_or_else(|| format!("day {day}"), |time| time.date().to_string());
                    report(row, format!("{date} is not a date from 1800-01-01 to 2199-12-31"));
                }
            }
        }
        DataType::Int32 if column.name == "item_no" => {
            for (row, value) in values.as_primitive::<Int32Type>().iter().enumerate() {
                if let Some(value) = value.filter(|value| *value < 1) {
                    report(row, format!("{value} is no item number; expected 1 or more"));
                }
            }
        }
        DataType::Int8 => {
            let Some(list) = column.code_list else { return };
            for (row, value) in values.as_primitive::<Int8Type>().iter().enumerate() {
                if let Some(value) = value.filter(|value| list.describe(&value.to_string()).is_none()) {
                    let known: Vec<&str> = list.codes.iter().map(|(code, _)| *code).collect();
                    report(row, format!("{value} is not among the codes {}", known.join(", ")));
                }
            }
        }
        DataType::Utf8 => {
            let Some(digits) = code_digits(column) else { return };
            for (row, value) in values.as_string::<i32>().iter().enumerate() {
                if let Some(value) = value.filter(|value| !is_code(value, digits)) {
                    report(row, format!("\"{value}\" is not an HS code of {digits} digits"));
                }
            }
        }
        _ => {}
    }
}

fn is_code(value: &str, digits: usize) -> bool {
    value.len() == digits && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Empty text becomes null, and an HS code that lost its leading zero in a spreadsheet gets it back.
fn normalise(layout: &Layout, rows: &RecordBatch) -> Result<RecordBatch> {
    let columns = layout.sources.iter().zip(rows.columns()).map(|(source, values)| {
        if *values.data_type() != DataType::Utf8 {
            return values.clone();
        }
        let text = values.as_string::<i32>();
        let digits = code_digits(source.column);
        let short = |value: &str| digits.is_some_and(|n| value.len() != n || value.trim_ascii().len() != value.len());
        if !text.iter().flatten().any(|value| value.is_empty() || short(value)) {
            return values.clone();
        }
        let full: StringArray = text.iter().map(|value| value.and_then(|value| complete(value, digits))).collect();
        Arc::new(full) as ArrayRef
    });
    RecordBatch::try_new(rows.schema(), columns.collect()).map_err(Error::data("check rows"))
}

/// Only one zero is added: a code that lacks more digits is a heading or a slip, not a subheading.
fn complete(value: &str, digits: Option<usize>) -> Option<String> {
    let Some(digits) = digits else { return (!value.is_empty()).then(|| value.to_owned()) };
    let value = value.trim_ascii();
    let lost_zero = value.len() + 1 == digits && value.bytes().all(|byte| byte.is_ascii_digit());
    match value {
        "" => None,
        _ if lost_zero => Some(format!("0{value}")),
        _ => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_dates_are_those_that_the_message_names() {
        let shown = |day: i32| date32_to_datetime(day).unwrap().date().to_string();
        assert_eq!((shown(*DAYS.start()), shown(*DAYS.end())), ("1800-01-01".to_owned(), "2199-12-31".to_owned()));
    }

    #[test]
    fn a_lost_zero_comes_back_and_nothing_else() {
        assert_eq!(complete("10129", Some(6)), Some("010129".to_owned()));
        assert_eq!(complete(" 010129 ", Some(6)), Some("010129".to_owned()));
        assert_eq!(complete("129", Some(6)), Some("129".to_owned()));
        assert_eq!(complete("1012a", Some(6)), Some("1012a".to_owned()));
        assert_eq!(complete("", Some(6)), None);
        assert_eq!(complete("", None), None);
    }
}
