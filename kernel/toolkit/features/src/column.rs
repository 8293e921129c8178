//! A column of a frame -> plain numbers, days or labels.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{Column, DataType, TimeUnit};

/// The column `name`, or an error that says what needs it.
pub(crate) fn find<'a>(frame: &'a DataFrame, name: &str, purpose: &str) -> Result<&'a Column> {
    frame.columns().iter().find(|column| column.name().as_str() == name).ok_or_else(|| Error::ColumnMissing {
        column: name.to_owned(),
        purpose: purpose.to_owned(),
        found: frame.columns().iter().map(|column| column.name().as_str()).collect::<Vec<_>>().join(", "),
    })
}

fn wrong_type(column: &Column, purpose: &str, expected: &'static str) -> Error {
    Error::ColumnType {
        column: column.name().to_string(),
        purpose: purpose.to_owned(),
        expected,
        found: column.dtype().to_string(),
    }
}

/// Numbers, booleans (0 and 1) or dates (days since 1970-01-01, moments in fractions) as `f64`; null becomes NaN.
///
/// An infinite number is refused: it would poison every mean that it takes part in.
pub(crate) fn numbers(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<f64>> {
    let column = find(frame, name, purpose)?;
    let dtype = column.dtype();
    // A moment counts in units of its type; two frames with different units must give the same feature.
    let per_unit = match dtype {
        DataType::Datetime(TimeUnit::Milliseconds, _) => 86_400e3,
        DataType::Datetime(TimeUnit::Microseconds, _) => 86_400e6,
        DataType::Datetime(TimeUnit::Nanoseconds, _) => 86_400e9,
        DataType::Date | DataType::Boolean | DataType::Null => 1.0,
        dtype if dtype.is_primitive_numeric() => 1.0,
        _ => return Err(wrong_type(column, purpose, "numbers, booleans or dates")),
    };
    let values = column.cast(&DataType::Float64)?;
    let values: Vec<f64> = values.f64()?.iter().map(|value| value.map_or(f64::NAN, |value| value / per_unit)).collect();
    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
        return Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a finite number or null",
            found: values[row].to_string(),
            hint: "set it to null where the amount is not known",
        });
    }
    Ok(values)
}

/// As [`numbers`], for telling values apart: refuses whole numbers that `f64` cannot.
pub(crate) fn key_numbers(frame: &DataFrame, name: &str, purpose: &str) -> Result<Vec<f64>> {
    /// 2^53: from here on, neighbouring whole numbers are one `f64`.
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    let values = numbers(frame, name, purpose)?;
    let wide = || values.iter().position(|value| value.abs() >= LIMIT);
    if let Some(row) = find(frame, name, purpose)?.dtype().is_integer().then(wide).flatten() {
        return Err(Error::Value {
            column: name.to_owned(),
            row,
            expected: "a whole number below 2^53",
            found: values[row].to_string(),
            hint: "make text of the column, so that long numbers stay apart",
        });
    }
    Ok(values)
}

/// Days since 1970-01-01, from a `Date` or `Datetime` column, from whole numbers of days, or from
/// text `YYYY-MM-DD`.
pub(crate) fn days(frame: &DataFrame, name: &str) -> Result<Vec<i32>> {
    const PURPOSE: &str = "the order in time";
    const EXPECTED: &str = "a date";
    let column = find(frame, name, PURPOSE)?;
    let value = |row: usize, found: String| Error::Value {
        column: name.to_owned(),
        row,
        expected: EXPECTED,
        found,
        hint: "a row without a date has no past; drop it or give it its date",
    };
    if column.dtype() == &DataType::String {
        return column
            .str()?
            .iter()
            .enumerate()
            .map(|(row, text)| {
                let text = text.ok_or_else(|| value(row, "null".to_owned()))?;
                parse_day(text).ok_or_else(|| value(row, format!("`{text}`")))
            })
            .collect();
    }
    let dates = match column.dtype() {
        dtype if dtype.is_temporal() => column.cast(&DataType::Date)?.cast(&DataType::Int32)?,
        dtype if dtype.is_integer() => column.cast(&DataType::Int32)?,
        _ => return Err(wrong_type(column, PURPOSE, "Date, Datetime, whole days or text YYYY-MM-DD")),
    };
    dates.i32()?.iter().enumerate().map(|(row, day)| day.ok_or_else(|| value(row, "null".to_owned()))).collect()
}

/// `YYYY-MM-DD` -> days since 1970-01-01 in the Gregorian calendar; `None` where it is no date.
pub fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let mut part = |width: usize| {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i32>().ok()).flatten()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if day < 1 || day > length || year < 1 {
        return None;
    }
    let before = year - 1;
    let days_before_year = before * 365 + before / 4 - before / 100 + before / 400;
    let days_before_month: i32 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    // 719162 days lie between 0001-01-01 and 1970-01-01.
    Some(days_before_year + days_before_month + day - 1 - 719_162)
}

/// Labels of rows: true/false or 1/0 as 1.0/0.0, null as `None`.
pub(crate) fn labels(frame: &DataFrame, name: &str) -> Result<Vec<Option<bool>>> {
    const PURPOSE: &str = "the target";
    let column = find(frame, name, PURPOSE)?;
    if column.dtype().is_temporal() || column.dtype() == &DataType::String {
        return Err(wrong_type(column, PURPOSE, "booleans, or numbers 0 and 1"));
    }
    numbers(frame, name, PURPOSE)?
        .into_iter()
        .enumerate()
        .map(|(row, value)| match value {
            1.0 => Ok(Some(true)),
            0.0 => Ok(Some(false)),
            value if value.is_nan() => Ok(None),
            value => Err(Error::Value {
                column: name.to_owned(),
                row,
                expected: "0, 1 or null",
                found: value.to_string(),
                hint: "make a yes/no column of it first, such as `class > 0`",
            }),
        })
        .collect()
}

/// Rows whose label is not null, in their order: the rows that were inspected.
///
/// # Errors
/// [`Error::ColumnMissing`], [`Error::ColumnType`] for anything but booleans and numbers,
/// [`Error::Value`] with the row for a number other than 0 and 1.
pub fn labelled_rows(frame: &DataFrame, target: &str) -> Result<Vec<usize>> {
    let labels = labels(frame, target)?;
    Ok(labels.iter().enumerate().filter(|(_, label)| label.is_some()).map(|(row, _)| row).collect())
}

/// First and last day of a date column, in days since 1970-01-01; `None` without rows.
///
/// # Errors
/// When the column is missing, is of a type that holds no dates, or a date is null.
pub fn day_range(frame: &DataFrame, date: &str) -> Result<Option<(i32, i32)>> {
    let days = days(frame, date)?;
    Ok(days.iter().min().copied().zip(days.iter().max().copied()))
}

/// The target of every row as 1.0 or 0.0, for a model's `fit`.
///
/// # Errors
/// [`Error::ColumnMissing`], [`Error::ColumnType`] for anything but booleans and numbers,
/// [`Error::Value`] with the row for a null or a number other than 0 and 1.
pub fn target(frame: &DataFrame, column: &str) -> Result<Vec<f64>> {
    labels(frame, column)?
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            label.map(f64::from).ok_or_else(|| Error::Value {
                column: column.to_owned(),
                row,
                expected: "0 or 1",
                found: "null".to_owned(),
                hint: "a model learns from inspected rows only; filter to rows with a label",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_known_dates() {
        for (text, day) in [
            ("1970-01-01", Some(0)),
            ("2020-01-01", Some(18262)),
            ("2020-02-29", Some(18321)),
            ("2021-02-29", None),
            ("1969-12-31", Some(-1)),
            ("2000-03-01", Some(11017)),
            ("1900-02-29", None),
            ("2021-13-01", None),
            ("2021-1-01", None),
            ("2021-00-10", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse_day(text), day, "{text}");
        }
    }
}
