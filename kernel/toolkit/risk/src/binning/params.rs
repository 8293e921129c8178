//! How bins are to be made, checked before anything is counted.

use super::bins::{Attribute, Bins};
use super::{Base, category, number};
use crate::error::refuse;
use crate::frame::{column, count, is_number, names, numbers, target, texts};
use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::DataType;
use std::collections::BTreeMap;

/// Which way the risk may go as a number grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The way that has the greater information value.
    Either,
    /// More is riskier.
    Rising,
    /// More is safer.
    Falling,
}

impl Direction {
    pub(super) fn allows(self, rises: bool) -> bool {
        match self {
            Self::Either => true,
            Self::Rising => rises,
            Self::Falling => !rises,
        }
    }
}

/// Parameters of the bins; each method sets one.
///
/// Numbers and dates are cut so that the share of bad rows only rises or only falls, exactly: of all such cuts at (at
/// most 40) candidate places, the one with the greatest information value is taken, by dynamic programming. Categories
/// are put in order by their share of bad rows and then cut the same way. Missing values (null), and special ones such
/// as -1 for *never audited*, have bins of their own outside the order.
///
/// Source of weight of evidence and information value: Siddiqi, *Credit Risk Scorecards*, 2006.
#[derive(Debug, Clone, PartialEq)]
pub struct Binning {
    pub(super) most_bins: usize,
    pub(super) min_share: f64,
    pub(super) min_gain: f64,
    pub(super) smoothing: f64,
    columns: Vec<String>,
    special: BTreeMap<String, Vec<f64>>,
    directions: BTreeMap<String, Direction>,
    categories: Vec<String>,
}

impl Default for Binning {
    fn default() -> Self {
        Self::new()
    }
}

impl Binning {
    /// All columns but the target, at most 8 bins of at least 5 % of the rows.
    pub fn new() -> Self {
        Self {
            most_bins: 8,
            min_share: 0.05,
            min_gain: 0.003,
            smoothing: 20.0,
            columns: Vec::new(),
            special: BTreeMap::new(),
            directions: BTreeMap::new(),
            categories: Vec::new(),
        }
    }

    /// The columns to bin; all but the target unless said.
    #[must_use]
    pub fn columns(mut self, columns: &[&str]) -> Self {
        self.columns = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// Most bins of a column, beside those for missing and special values; 8 unless said.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.most_bins = bins;
        self
    }

    /// Least share of all rows in a bin; 0.05 unless said. Bins of missing and special values may be smaller.
    #[must_use]
    pub fn min_share(mut self, share: f64) -> Self {
        self.min_share = share;
        self
    }

    /// Information value that each further bin has to bring; 0.003 unless said.
    #[must_use]
    pub fn min_gain(mut self, gain: f64) -> Self {
        self.min_gain = gain;
        self
    }

    /// So many rows with the share of bad ones of all rows are added to each bin; 20 unless said. A bin of few rows says
    /// less for it, and one without bad (or good) rows does not say everything. Texts of a category with fewer rows stand
    /// together in one bin. Above 0.
    #[must_use]
    pub fn smoothing(mut self, rows: f64) -> Self {
        self.smoothing = rows;
        self
    }

    /// Numbers of a column that are signs rather than sizes; each gets a bin of its own.
    #[must_use]
    pub fn special(mut self, column: &str, values: &[f64]) -> Self {
        self.special.insert(column.to_owned(), values.to_vec());
        self
    }

    /// Which way the risk of a column of numbers may go.
    #[must_use]
    pub fn direction(mut self, column: &str, direction: Direction) -> Self {
        self.directions.insert(column.to_owned(), direction);
        self
    }

    /// Columns of numbers that are names, such as a code of an office.
    #[must_use]
    pub fn categories(mut self, columns: &[&str]) -> Self {
        self.categories = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is out of its range.
    pub fn check(&self) -> Result<()> {
        if !(2..=50).contains(&self.most_bins) {
            return refuse("binning, bins", "2 to 50", self.most_bins);
        }
        if !(self.min_share > 0.0 && self.min_share <= 0.5) {
            return refuse("binning, min_share", "above 0 and at most 0.5", self.min_share);
        }
        if !(self.min_gain >= 0.0 && self.min_gain.is_finite()) {
            return refuse("binning, min_gain", "a finite number of at least 0", self.min_gain);
        }
        if !(self.smoothing > 0.0 && self.smoothing.is_finite()) {
            return refuse("binning, smoothing", "a finite number above 0", self.smoothing);
        }
        Ok(())
    }

    /// Makes the bins of every column from rows whose `target` is known (booleans, or 0 and 1; 1 is bad).
    ///
    /// # Errors
    /// When a parameter is out of its range, a column is missing or of a type that has no bins, a number is NaN or
    /// infinite, a target is neither 0 nor 1, or all are equal.
    pub fn fit(&self, frame: &DataFrame, target_column: &str) -> Result<Bins> {
        self.check()?;
        let target = target(frame, target_column)?;
        let columns = self.column_names(frame, target_column)?;
        let bad: f64 = target.iter().sum();
        let base = Base::new(bad, count(target.len()) - bad, self.smoothing);
        let attributes =
            columns.iter().map(|name| self.attribute(frame, name, &target, &base)).collect::<Result<_>>()?;
        Ok(Bins::new(attributes, base))
    }

    fn column_names(&self, frame: &DataFrame, target: &str) -> Result<Vec<String>> {
        let columns = match self.columns.is_empty() {
            true => names(frame).into_iter().filter(|name| name != target).collect(),
            false => self.columns.clone(),
        };
        let mut seen = std::collections::BTreeSet::new();
        for name in &columns {
            if name == target {
                return refuse("binning, columns", "columns other than the target", format!("`{name}`"));
            }
            if !seen.insert(name) {
                return refuse("binning, columns", "each column once", format!("`{name}` twice"));
            }
        }
        let set = self.special.keys().chain(self.directions.keys()).chain(&self.categories);
        match set.into_iter().find(|name| !seen.contains(name)) {
            Some(name) => refuse(
                "binning, special values, directions and categories",
                format!("columns among {}", columns.join(", ")),
                format!("`{name}`"),
            ),
            None => Ok(columns),
        }
    }

    fn attribute(&self, frame: &DataFrame, name: &str, target: &[f64], base: &Base) -> Result<Attribute> {
        let purpose = "the bins";
        let dtype = column(frame, name, purpose)?.dtype().clone();
        let as_name = self.categories.iter().any(|known| known == name);
        if is_number(&dtype) && !as_name {
            let special = self.special.get(name).map_or(&[][..], Vec::as_slice);
            let direction = self.directions.get(name).copied().unwrap_or(Direction::Either);
            return Ok(number::fit(name, &numbers(frame, name, purpose)?, target, base, (self, special, direction)));
        }
        let fits = as_name || matches!(dtype, DataType::String | DataType::Boolean) || dtype.is_categorical();
        if !fits {
            let (column, purpose, found) = (name.to_owned(), purpose.to_owned(), dtype.to_string());
            return Err(Error::ColumnType { column, purpose, expected: "numbers, dates, booleans or text", found });
        }
        if self.special.contains_key(name) || self.directions.contains_key(name) {
            return refuse(
                "binning, special values and directions",
                "columns of numbers",
                format!("`{name}` ({dtype})"),
            );
        }
        Ok(category::fit(name, &texts(frame, name, purpose)?, target, base, self))
    }

    pub(super) fn least_rows(&self, rows: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the rows")]
        let least = (count(rows) * self.min_share).ceil() as usize;
        least.max(1)
    }
}
