//! What a model has to beat: the importer's past, and a table of goods already judged.

use crate::{Error, Result};
use haetae_features::{History, KeySet, target};
use polars::frame::DataFrame;

/// Rows that draw an importer's rate towards the overall one.
const IMPORTER_PRIOR: f64 = 10.0;
/// Rows that draw the rate of the exact goods towards the overall one.
const LOOKUP_PRIOR: f64 = 1.0;

/// The importer's own past rate of fraud, smoothed by 10 rows of the overall rate: what an officer
/// knows by heart. Only rows before a row's day count; see [`History`] for the formula.
#[derive(Debug, Clone)]
pub struct ImporterHistory(History);

impl ImporterHistory {
    /// Learns from rows with an `importer` column, a target (0, 1 or null: not inspected) and a date.
    ///
    /// # Errors
    /// As [`History::fit`].
    pub fn fit(train: &DataFrame, importer: &str, target: &str, date: &str) -> Result<Self> {
        Ok(Self(History::fit(train, &[importer], IMPORTER_PRIOR, target, date)?))
    }

    /// The importer's rate before each row's day; 0 where there was no label before it at all.
    ///
    /// # Errors
    /// As [`History::rates`].
    pub fn score(&self, frame: &DataFrame) -> Result<Vec<f64>> {
        let rates = self.0.rates(frame)?;
        Ok(rates.into_iter().map(|rate| if rate.is_nan() { 0.0 } else { rate }).collect())
    }
}

/// A table of the rate of fraud for each combination of values in training, and no model at all.
///
/// `(positive + r) / (rows + 1)` for a combination that training had, `r` for any other, where `r`
/// is the overall rate. A model that does not beat it on unseen keys has only learnt the table.
#[derive(Debug, Clone)]
pub struct Lookup {
    keys: KeySet,
    rates: Vec<f64>,
    overall: f64,
}

impl Lookup {
    /// Learns the table of `key` from rows that all have a label.
    ///
    /// # Errors
    /// When there are no rows, a column is missing or of the wrong type, or a label is not 0 or 1.
    pub fn fit(train: &DataFrame, key: &[&str], target_column: &str) -> Result<Self> {
        let labels = target(train, target_column)?;
        if labels.is_empty() {
            return Err(Error::NoLabels { what: "training rows", rows: 0 });
        }
        let keys = KeySet::fit(train, key)?;
        let mut sums = vec![(0.0, 0.0); keys.len()];
        for (position, label) in keys.positions(train)?.into_iter().zip(&labels) {
            if let Some((positive, rows)) = position.and_then(|position| sums.get_mut(position)) {
                *positive += label;
                *rows += 1.0;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let overall = labels.iter().sum::<f64>() / labels.len() as f64;
        let rates = sums
            .into_iter()
            .map(|(positive, rows)| (positive + LOOKUP_PRIOR * overall) / (rows + LOOKUP_PRIOR))
            .collect();
        Ok(Self { keys, rates, overall })
    }

    /// The rate of each row's combination.
    ///
    /// # Errors
    /// When a column is missing or has changed its type.
    pub fn score(&self, frame: &DataFrame) -> Result<Vec<f64>> {
        let positions = self.keys.positions(frame)?;
        let rate = |position: Option<usize>| position.and_then(|position| self.rates.get(position)).copied();
        Ok(positions.into_iter().map(|position| rate(position).unwrap_or(self.overall)).collect())
    }

    /// For every row: was its combination in the training rows?
    ///
    /// # Errors
    /// As [`Lookup::score`].
    pub fn knows(&self, frame: &DataFrame) -> Result<Vec<bool>> {
        Ok(self.keys.contains(frame)?)
    }

    /// The combinations of the training rows.
    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }
}
