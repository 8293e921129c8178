//! Named columns of numbers, as models take them.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{Column, DataType};

/// Features of rows: column-major `f64`, NaN where a value is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    names: Vec<String>,
    categorical: Vec<bool>,
    rows: usize,
    values: Vec<f64>,
}

impl FeatureMatrix {
    /// A matrix of named columns; `categorical[i]` says that column `i` holds codes 0, 1, 2 …
    /// without an order.
    ///
    /// # Errors
    /// [`Error::Shape`] when the columns differ in length, or the three lists do.
    pub fn new(names: Vec<String>, columns: Vec<Vec<f64>>, categorical: Vec<bool>) -> Result<Self> {
        for found in [columns.len(), categorical.len()] {
            if found != names.len() {
                return Err(Error::Setting {
                    name: "columns of a matrix".to_owned(),
                    expected: "as many columns and categorical marks as names",
                    found: format!("{} names, {found}", names.len()),
                });
            }
        }
        let rows = columns.first().map_or(0, Vec::len);
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != rows {
                return Err(Error::Shape { column: name.clone(), expected: rows, found: column.len() });
            }
        }
        Ok(Self { names, categorical, rows, values: columns.concat() })
    }

    /// A matrix of all columns of a frame; text columns become categorical codes in the order of
    /// the sorted texts, null becomes NaN. The codes are those of this frame: another frame has others. Where a model is
    /// to score rows of later, [`crate::FeatureBuilder::categorical`] keeps them.
    ///
    /// # Errors
    /// [`Error::ColumnType`] for types that are neither numbers, booleans, dates nor text.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        let mut names = Vec::new();
        let mut columns = Vec::new();
        let mut categorical = Vec::new();
        for column in frame.columns() {
            let name = column.name().as_str();
            let text = column.dtype() == &DataType::String;
            columns.push(if text {
                text_codes(frame, name)?
            } else {
                crate::column::numbers(frame, name, "a feature matrix")?
            });
            names.push(name.to_owned());
            categorical.push(text);
        }
        Self::new(names, columns, categorical)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features.
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// Names of the features, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether feature `column` holds categorical codes; false for a column that is not there.
    pub fn is_categorical(&self, column: usize) -> bool {
        self.categorical.get(column).copied().unwrap_or(false)
    }

    /// Position of a feature by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// One feature of all rows; empty for a column that is not there.
    pub fn column(&self, column: usize) -> &[f64] {
        if column >= self.columns() {
            return &[];
        }
        self.values.get(column * self.rows..(column + 1) * self.rows).unwrap_or(&[])
    }

    /// One value; NaN where it is missing or outside the matrix.
    pub fn value(&self, row: usize, column: usize) -> f64 {
        if row >= self.rows {
            return f64::NAN;
        }
        self.column(column).get(row).copied().unwrap_or(f64::NAN)
    }

    /// All values, column after column.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The given rows, in the given order; rows outside the matrix become NaN.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.names.len());
        for column in 0..self.columns() {
            let from = self.column(column);
            values.extend(rows.iter().map(|&row| from.get(row).copied().unwrap_or(f64::NAN)));
        }
        Self { values, rows: rows.len(), names: self.names.clone(), categorical: self.categorical.clone() }
    }

    /// The matrix as a frame of `Float64` columns, NaN turned into null.
    ///
    /// # Errors
    /// [`Error::Frame`] when two features have one name.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let columns = self
            .names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let values: Vec<Option<f64>> =
                    self.column(i).iter().map(|&v| if v.is_nan() { None } else { Some(v) }).collect();
                Column::new(name.as_str().into(), values)
            })
            .collect();
        Ok(DataFrame::new(self.rows, columns)?)
    }
}

fn text_codes(frame: &DataFrame, name: &str) -> Result<Vec<f64>> {
    let mut dictionary = crate::key::Dictionary::fit(frame, name, "a feature matrix")?;
    dictionary.sort();
    Ok(dictionary.codes(frame)?.into_iter().map(crate::key::code_value).collect())
}
