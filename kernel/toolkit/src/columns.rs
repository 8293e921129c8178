//! A frame's columns as plain vectors, which charts and one's own code take.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, Column, DataType};

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

fn named<'a>(frame: &'a DataFrame, column: &str) -> Result<&'a Column> {
    frame.column(column).map_err(|_| {
        let found: Vec<&str> = frame.columns().iter().map(|own| own.name().as_str()).collect();
        Error::NoColumn { column: column.to_owned(), found: found.join(", ") }
    })
}

impl ColumnValues for DataFrame {
    fn numbers(&self, column: &str) -> Result<Vec<f64>> {
        let values = named(self, column)?;
        if matches!(values.dtype(), DataType::String) {
            return Err(Error::ColumnKind { column: column.to_owned(), expected: "numbers", found: "text".to_owned() });
        }
        let values = values.cast(&DataType::Float64)?;
        Ok(values.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }

    fn texts(&self, column: &str) -> Result<Vec<String>> {
        let values = named(self, column)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::df;

    #[test]
    fn a_column_that_is_not_there_is_named_beside_those_that_are() {
        let frame = df!("price" => [Some(1.0), None], "hs6" => ["010121", "020130"]).unwrap();
        assert!(frame.numbers("price").unwrap()[1].is_nan());
        assert_eq!(frame.texts("price").unwrap(), ["1.0", ""]);
        let said = "column `prize` is not in the frame; found: price, hs6";
        assert_eq!(frame.numbers("prize").unwrap_err().to_string(), said);
        assert_eq!(frame.texts("prize").unwrap_err().to_string(), said);
        assert_eq!(frame.numbers("hs6").unwrap_err().to_string(), "column `hs6` holds text, expected numbers");
    }
}
