//! Features -> points whose distances mean something: numbers only, none missing, scaled if asked.

use crate::check::{finite, same_features};
use crate::file::stored;
use crate::unit::unit;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;
use std::collections::BTreeSet;

/// How far from 0 a coordinate may lie: squares of differences, summed over any number of rows and features, are finite.
const FARTHEST: f64 = 1e150;

/// Rows as points, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

/// What is taken from each feature, and by what it is divided; learnt from training rows.
#[derive(Debug, Clone)]
pub(crate) struct Scaling {
    pub(crate) names: Vec<String>,
    pub(crate) means: Vec<f64>,
    pub(crate) deviations: Vec<f64>,
}

impl Scaling {
    /// To mean 0 and deviation 1 where `scaled` (a constant feature to 0), else as it is.
    pub(crate) fn fit(what: &'static str, features: &FeatureMatrix, scaled: bool) -> Result<Self> {
        if features.rows() == 0 || features.columns() == 0 {
            return Err(Error::Empty { what, rows: features.rows(), columns: features.columns() });
        }
        only_numbers(features)?;
        let mut scaling = Self::none(features.names());
        if scaled {
            (scaling.means, scaling.deviations) = (0..features.columns()).map(|i| moments(features.column(i))).unzip();
        }
        Ok(scaling)
    }

    /// Of features that stay as they are.
    pub(crate) fn none(names: &[String]) -> Self {
        Self { names: names.to_vec(), means: vec![0.0; names.len()], deviations: vec![1.0; names.len()] }
    }

    /// Points of rows that have the features of the fit. [`Error::TooLarge`] where squares of distances between them
    /// might be no finite numbers.
    pub(crate) fn points(&self, features: &FeatureMatrix) -> Result<Points> {
        same_features(&self.names, features.names())?;
        only_numbers(features)?;
        let (rows, columns) = (features.rows(), features.columns());
        let mut values = vec![0.0; rows * columns];
        for i in 0..columns {
            let (mean, deviation) = (self.means[i], self.deviations[i]);
            let column = features.column(i);
            for (row, &value) in column.iter().enumerate() {
                let place = (value - mean) / deviation;
                if place.is_nan() || place.abs() > FARTHEST {
                    // A mean that one row has drawn far away is far from all the others too.
                    let largest = (0..rows).max_by(|&a, &b| column[a].abs().total_cmp(&column[b].abs())).unwrap_or(row);
                    return Err(Error::TooLarge {
                        feature: self.names[i].clone(),
                        row: largest,
                        found: column[largest],
                    });
                }
                values[row * columns + i] = place;
            }
        }
        Ok(Points { rows, columns, values })
    }

    /// A point in the units of the features.
    pub(crate) fn back(&self, point: &[f64]) -> Vec<f64> {
        let scales = self.means.iter().zip(&self.deviations);
        point.iter().zip(scales).map(|(value, (mean, deviation))| value * deviation + mean).collect()
    }

    /// A point in the units of the fit.
    pub(crate) fn to(&self, point: &[f64]) -> Vec<f64> {
        let scales = self.means.iter().zip(&self.deviations);
        point.iter().zip(scales).map(|(value, (mean, deviation))| (value - mean) / deviation).collect()
    }
}

impl Points {
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// How many different points there are, counted up to `enough`.
    pub(crate) fn different(&self, enough: usize) -> usize {
        let mut known: BTreeSet<Vec<u64>> = BTreeSet::new();
        for row in self.values.chunks_exact(self.columns) {
            if known.len() >= enough {
                break;
            }
            // A 0 below 0 is 0.
            known.insert(row.iter().map(|value| (value + 0.0).to_bits()).collect());
        }
        known.len()
    }
}

/// Mean and standard deviation (of the rows themselves, not of a larger whole) of finite numbers; deviation 1 for a
/// constant. The sizes of the numbers do not matter: neither sums nor squares leave what a number can hold.
pub(crate) fn moments(column: &[f64]) -> (f64, f64) {
    let (mut mean, mut deviation) = plain_moments(column, 1.0);
    if !(mean.is_finite() && deviation.is_finite() && deviation > 1e-140) {
        let unit = unit(column.iter().copied());
        (mean, deviation) = plain_moments(column, unit);
        (mean, deviation) = (mean * unit, deviation * unit);
    }
    // Rounding of a constant's mean leaves a little.
    (mean, if deviation > 1e-12 * mean.abs() { deviation.min(f64::MAX) } else { 1.0 })
}

/// Mean and deviation in units of `unit`.
fn plain_moments(column: &[f64], unit: f64) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let rows = column.len() as f64;
    let mean = column.iter().map(|value| value / unit).sum::<f64>() / rows;
    let variance = column.iter().map(|value| (value / unit - mean).powi(2)).sum::<f64>() / rows;
    (mean, variance.sqrt())
}

/// Refuses categories, missing values and infinite ones: there is no distance to them.
pub(crate) fn only_numbers(features: &FeatureMatrix) -> Result<()> {
    if let Some(i) = (0..features.columns()).find(|&i| features.is_categorical(i)) {
        return Err(Error::NoDistance { feature: features.names()[i].clone() });
    }
    if let Some(at) = features.values().iter().position(|value| value.is_nan()) {
        let (column, row) = (at / features.rows(), at % features.rows());
        return Err(Error::Missing { feature: features.names()[column].clone(), row });
    }
    finite(features)
}

stored!(Scaling { names, means, deviations });

impl Scaling {
    /// Whether there is a mean and a deviation for each of some features.
    pub(crate) fn is_sound(&self) -> bool {
        let columns = self.names.len();
        columns > 0 && self.means.len() == columns && self.deviations.len() == columns
    }
}
