//! What features add to scores -> rows, reasons, sentences and frames.

use crate::Result;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// What each feature adds to each row's raw score (log-odds of boosted trees and of logistic regression, probability of
/// a forest). All of a row's contributions and its [`Contributions::expected`] sum to the raw score.
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

    /// Those to the score of one class alone, as a model of one score a row has them: charts show these. No rows outside.
    #[must_use]
    pub fn of_class(&self, class: usize) -> Self {
        let rows = if class < self.classes { self.rows } else { 0 };
        let values = (0..rows).filter_map(|row| self.slice(row, class)).flatten().copied().collect();
        Self { names: self.names.clone(), rows, classes: 1, values }
    }

    /// The features that raise a row's score most, greatest first, with what they add; at most
    /// `count`, and none that lowers it.
    pub fn reasons(&self, row: usize, class: usize, count: usize) -> Vec<(String, f64)> {
        first(self.named(row, class).filter(|pair| pair.1 > 0.0).collect(), count)
    }

    /// The features that move a row's score most, up or down, the largest first, equal ones in their order; at most
    /// `count`, and none that does not move it.
    pub fn strongest(&self, row: usize, class: usize, count: usize) -> Vec<(String, f64)> {
        first(self.named(row, class).filter(|pair| pair.1 != 0.0).collect(), count)
    }

    fn named(&self, row: usize, class: usize) -> impl Iterator<Item = (String, f64)> + '_ {
        self.names.iter().cloned().zip(self.row(row, class).iter().copied())
    }

    /// How far each feature moves the score of one class, up or down, in the mean over all rows; the largest first, equal
    /// ones in their order.
    pub fn overall(&self, class: usize) -> Vec<(String, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rows = self.rows.max(1) as f64;
        let mean = |i: usize| {
            (0..self.rows).filter_map(|row| self.row(row, class).get(i)).map(|value| value.abs()).sum::<f64>() / rows
        };
        first(self.names.iter().enumerate().map(|(i, name)| (name.clone(), mean(i))).collect(), usize::MAX)
    }

    /// A row's score in words: where it comes from, what moves it most (at most `count` features), and what all others
    /// come to. Empty for a row or a class that is not there.
    pub fn sentence(&self, row: usize, class: usize, count: usize) -> String {
        let own = self.row(row, class);
        if own.is_empty() {
            return String::new();
        }
        let moved = |by: f64| format!("{} it by {:.3}", if by < 0.0 { "lowers" } else { "raises" }, by.abs());
        let named = self.strongest(row, class, count);
        let mut parts: Vec<String> = named.iter().map(|(name, by)| format!("{name} {}", moved(*by))).collect();
        let all: f64 = own.iter().sum();
        let others = own.len() - named.len();
        if others > 0 {
            let rest = all - named.iter().map(|(_, by)| by).sum::<f64>();
            parts.push(format!("all else {}", moved(rest)));
        }
        let expected = self.expected(row, class);
        format!(
            "The score is {:.3}, from {expected:.3} before any feature is known: {}.",
            expected + all,
            parts.join(", ")
        )
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

/// The first `count` by size, whatever their sign.
fn first(mut pairs: Vec<(String, f64)>, count: usize) -> Vec<(String, f64)> {
    pairs.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    pairs.truncate(count);
    pairs
}
