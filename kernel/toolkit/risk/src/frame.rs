//! A frame and the name of a column -> its values as numbers, texts or a target, or an error with the row.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, Column, DataType};

pub(crate) fn column<'a>(frame: &'a DataFrame, name: &str, purpose: &str) -> Result<&'a Column> {
    frame.column(name).map_err(|_| Error::ColumnMissing {
        column: name.to_owned(),
        purpose: purpose.to_owned(),
        found: names(frame).join(", "),
    })
}

pub(crate) fn names(frame: &DataFrame) -> Vec<String> {
    frame.get_column_names().iter().map(|name| name.to_string()).collect()
}

/// Whether a column holds what can be put in order by size.
pub(crate) fn is_number(dtype: &DataType) -> bool {
    dtype.is_primitive_numeric() || matches!(dtype, DataType::Date)
}

/// Numbers and dates (as days since 1970-01-01); null is `None`, and NaN or an infinite number refused.
pub(crate) fn numbers(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<Option<f64>>> {
    let values = column(frame, name, purpose)?;
    if !is_number(values.dtype()) && *values.dtype() != DataType::Boolean {
        return Err(Error::ColumnType {
            column: name.to_owned(),
            purpose: purpose.to_owned(),
            expected: "numbers, booleans or dates",
            found: values.dtype().to_string(),
        });
    }
    let values = values.cast(&DataType::Float64)?;
    let values: Vec<Option<f64>> = values.f64()?.iter().collect();
    match values.iter().position(|value| value.is_some_and(|value| !value.is_finite())) {
        None => Ok(values),
        Some(row) => Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a finite number or null".to_owned(),
            found: values[row].map_or(String::new(), |value| value.to_string()),
            hint: "set it to null where it is not known",
        }),
    }
}

/// Numbers of which none may be missing.
pub(crate) fn all_numbers(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<f64>> {
    let values = numbers(frame, name, purpose)?;
    if let Some(row) = values.iter().position(Option::is_none) {
        return Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a number".to_owned(),
            found: "null".to_owned(),
            hint: "fill it, or leave the row out",
        });
    }
    Ok(values.into_iter().flatten().collect())
}

/// Any column as texts; null is `None`.
pub(crate) fn texts(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<Option<String>>> {
    let values = column(frame, name, purpose)?;
    let text = |row| match values.get(row)? {
        AnyValue::Null => Ok(None),
        value => Ok(Some(value.str_value().into_owned())),
    };
    (0..values.len()).map(text).collect()
}

/// Texts of which none may be missing.
pub(crate) fn all_texts(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<String>> {
    let values = texts(frame, name, purpose)?;
    if let Some(row) = values.iter().position(Option::is_none) {
        return Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a value".to_owned(),
            found: "null".to_owned(),
            hint: "fill it, or leave the row out",
        });
    }
    Ok(values.into_iter().flatten().collect())
}

/// Days as `YYYY-MM-DD`, in whose order texts are in the order of time.
pub(crate) fn all_days(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<String>> {
    let days = all_texts(frame, name, purpose)?;
    match days.iter().position(|day| haetae_features::parse_day(day).is_none()) {
        None => Ok(days),
        Some(row) => Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a day such as 2026-03-01".to_owned(),
            found: format!("`{}`", days[row]),
            hint: "cast the column to a date",
        }),
    }
}

/// Whether each row is bad, and that there are rows of both kinds.
pub(crate) fn target(frame: &DataFrame, name: &str) -> Result<Vec<f64>> {
    if frame.height() == 0 {
        return Err(Error::NoRows { what: "training rows" });
    }
    column(frame, name, "the target")?;
    let target = haetae_features::target(frame, name)?;
    match target.first() {
        Some(&found) if target.iter().all(|&value| value == found) => {
            Err(Error::OneClass { column: name.to_owned(), found, rows: target.len() })
        }
        _ => Ok(target),
    }
}

/// A list as long as the frame, whose values are probabilities.
pub(crate) fn probabilities(frame: &DataFrame, values: &[f64], what: &'static str) -> Result<()> {
    if values.len() != frame.height() {
        return Err(Error::Length { what, expected: frame.height(), found: values.len() });
    }
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        None => Ok(()),
        Some(row) => Err(Error::Value {
            column: what.to_owned(),
            row,
            expected: "a probability from 0 to 1".to_owned(),
            found: values[row].to_string(),
            hint: "give the model's probability, not its raw score",
        }),
    }
}

/// Whole numbers of rows as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
pub(crate) fn count(rows: usize) -> f64 {
    rows as f64
}

/// The nearest whole number; points are far below what an `i64` holds.
#[expect(clippy::cast_possible_truncation, reason = "out of range it saturates")]
pub(crate) fn nearest(value: f64) -> i64 {
    value.round() as i64
}
