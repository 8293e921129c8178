//! Fitted weights: probabilities, and what each weight stands for.

use crate::file::{About, Described, Origin, stored};
use crate::linear::{Design, Encoder, SparseMatrix, coefficients, finite_sums, of_features, of_sparse, probability};
use crate::{Contributions, Result};
use haetae_features::FeatureMatrix;

/// Weights that have been fitted; see [`super::Logistic`].
#[derive(Clone)]
pub struct LogisticModel {
    /// None where it was fitted on sparse rows.
    encoder: Option<Encoder>,
    weights: Vec<f64>,
    origin: Origin,
}

impl std::fmt::Debug for LogisticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.encoder {
            Some(encoder) => {
                write!(f, "logistic regression, {} weights on {} features", encoder.names.len(), self.names().len())
            }
            None => write!(f, "logistic regression, {} weights on sparse rows", self.weights().len()),
        }
    }
}

impl LogisticModel {
    pub(super) fn new(encoder: Option<Encoder>, weights: Vec<f64>, origin: Origin) -> Self {
        Self { encoder, weights, origin }
    }

    /// Names of the features that it was fitted on, in their order; empty where it was fitted on sparse rows.
    pub fn names(&self) -> &[String] {
        self.encoder.as_ref().map_or(&[], |encoder| &encoder.features)
    }

    /// The weights, without the intercept: as [`LogisticModel::coefficients`] names them, or one a column of the sparse
    /// rows.
    pub fn weights(&self) -> &[f64] {
        self.weights.split_last().map_or(&[], |(_, weights)| weights)
    }

    /// Log-odds of a row whose numbers are all average and whose categories have no weight.
    pub fn intercept(&self) -> f64 {
        self.weights.last().copied().unwrap_or(0.0)
    }

    /// Every weight with what it stands for: `feature=code` (`=missing`, `=other`) for categories,
    /// the feature's name for numbers, by standard deviation; the number of the column for sparse rows.
    pub fn coefficients(&self) -> Vec<(String, f64)> {
        coefficients(self.encoder.as_ref(), self.weights())
    }

    /// Probability of 1 for each row.
    ///
    /// # Errors
    /// [`crate::Error::FeatureMismatch`] and [`crate::Error::FeatureType`] when the features are not those of the fit,
    /// [`crate::Error::Columns`] when the fit was one on sparse rows; for a category that is none or an infinite number; and
    /// [`crate::Error::TooFar`] for a row whose sum is no finite number.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        self.chances(&self.read(features)?.1)
    }

    /// What each feature adds to the log-odds of each row: its weight, times its number in deviations or of its category.
    /// The expected value is the intercept, so a category adds even where it is the usual one.
    ///
    /// # Errors
    /// As [`LogisticModel::predict`].
    pub fn contributions(&self, features: &FeatureMatrix) -> Result<Contributions> {
        let (encoder, design) = self.read(features)?;
        let mut values = Vec::with_capacity(features.rows() * (features.columns() + 1));
        for row in 0..features.rows() {
            values.extend(encoder.parts(&design, row, &self.weights));
            values.push(self.intercept());
        }
        finite_sums(&values, features.columns() + 1)?;
        Ok(Contributions { names: self.names().to_vec(), rows: features.rows(), classes: 1, values })
    }

    fn read(&self, features: &FeatureMatrix) -> Result<(&Encoder, Design<'static>)> {
        of_features(self.encoder.as_ref(), self.weights().len(), features)
    }

    /// As [`LogisticModel::predict`], of sparse rows.
    ///
    /// # Errors
    /// [`crate::Error::Columns`] when the rows have other columns than those of the fit, and [`crate::Error::TooFar`].
    pub fn predict_sparse(&self, rows: &SparseMatrix) -> Result<Vec<f64>> {
        self.chances(&of_sparse(self.encoder.as_ref(), self.weights().len(), rows)?)
    }

    fn chances(&self, design: &Design<'_>) -> Result<Vec<f64>> {
        let sums: Vec<f64> = (0..design.rows).map(|row| design.dot(row, &self.weights)).collect();
        finite_sums(&sums, 1)?;
        Ok(sums.into_iter().map(probability).collect())
    }
}

stored!(LogisticModel { encoder, weights, origin });

impl Described for LogisticModel {
    fn about(&self) -> About {
        let categorical = |i| self.encoder.as_ref().is_some_and(|encoder| encoder.is_categorical(i));
        About::new(self.names(), &categorical, &self.origin)
    }

    fn is_sound(&self) -> bool {
        !self.weights.is_empty() && self.encoder.as_ref().is_none_or(|encoder| encoder.is_sound(self.weights.len()))
    }
}
