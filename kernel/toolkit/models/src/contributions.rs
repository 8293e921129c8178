//! SHAP values of trees -> rows, reasons and frames.

use crate::Result;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// What each feature adds to each row's raw score (log-odds of boosted trees, probability of a forest). All of a row's contributions and its
/// [`Contributions::expected`] sum to the raw score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    pub(crate) names: Vec<String>,
    pub(crate) rows: usize,
    pub(crate) classes: usize,
    /// Row after row, within a row class after class: all features, then the expected value.
    pub(crate) values: Vec<f64>,
}

impl Contributions {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of classes; 1 where there is one score a row.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Names of the features.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Contributions of all features to the raw score of one class in one row; empty outside.
    pub fn row(&self, row: usize, class: usize) -> &[f64] {
        self.slice(row, class).map_or(&[], |slice| &slice[..self.names.len()])
    }

    /// The raw score that a row has before any feature is known; NaN outside.
    pub fn expected(&self, row: usize, class: usize) -> f64 {
        self.slice(row, class).and_then(|slice| slice.last()).copied().unwrap_or(f64::NAN)
    }

    fn slice(&self, row: usize, class: usize) -> Option<&[f64]> {
        if row >= self.rows || class >= self.classes {
            return None;
        }
        let width = self.names.len() + 1;
        let from = (row * self.classes + class) * width;
        self.values.get(from..from + width)
    }

    /// The features that raise a row's score most, greatest first, with what they add; at most
    /// `count`, and none that lowers it.
    pub fn reasons(&self, row: usize, class: usize, count: usize) -> Vec<(String, f64)> {
        let mut raised: Vec<(String, f64)> =
            self.names.iter().cloned().zip(self.row(row, class).iter().copied()).filter(|pair| pair.1 > 0.0).collect();
        raised.sort_by(|a, b| b.1.total_cmp(&a.1));
        raised.truncate(count);
        raised
    }

    /// One class as a frame: a column for each feature, and `expected`.
    ///
    /// # Errors
    /// [`Error::Frame`] when a feature is itself named `expected`.
    pub fn to_frame(&self, class: usize) -> Result<DataFrame> {
        let mut columns: Vec<Column> = Vec::with_capacity(self.names.len() + 1);
        for (i, name) in self.names.iter().enumerate() {
            let values: Vec<f64> =
                (0..self.rows).map(|row| self.row(row, class).get(i).copied().unwrap_or(f64::NAN)).collect();
            columns.push(Column::new(name.as_str().into(), values));
        }
        let expected: Vec<f64> = (0..self.rows).map(|row| self.expected(row, class)).collect();
        columns.push(Column::new("expected".into(), expected));
        Ok(DataFrame::new(self.rows, columns)?)
    }
}
