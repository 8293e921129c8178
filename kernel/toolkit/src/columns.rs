//! A frame's columns as plain vectors, which charts and one's own code take.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, DataType};

/// Reads a column of a frame as a vector.
pub trait ColumnValues {
    /// The column as numbers; null becomes NaN, true 1, a date its days since 1970-01-01.
    ///
    /// # Errors
    /// When there is no such column or it holds text.
    fn numbers(&self, column: &str) -> Result<Vec<f64>>;

    /// The column as text; null becomes an empty string, dates `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When there is no such column.
    fn texts(&self, column: &str) -> Result<Vec<String>>;
}

impl ColumnValues for DataFrame {
    fn numbers(&self, column: &str) -> Result<Vec<f64>> {
        let values = self.column(column)?;
        if matches!(values.dtype(), DataType::String) {
            return Err(Error::ColumnKind { column: column.to_owned(), expected: "numbers", found: "text".to_owned() });
        }
        let values = values.cast(&DataType::Float64)?;
        Ok(values.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }

    fn texts(&self, column: &str) -> Result<Vec<String>> {
        let values = self.column(column)?;
        (0..values.len())
            .map(|row| {
                Ok(match values.get(row)? {
                    AnyValue::Null => String::new(),
                    value => value.str_value().into_owned(),
                })
            })
            .collect()
    }
}
