//! Fitted weights: probabilities, and what each weight stands for.

use super::encode::Encoder;
use super::solver::probability;
use crate::Result;
use crate::check::same_features;
use haetae_features::FeatureMatrix;

/// Weights that have been fitted; see [`super::Logistic`].
#[derive(Debug, Clone)]
pub struct LogisticModel {
    encoder: Encoder,
    weights: Vec<f64>,
}

impl LogisticModel {
    pub(super) fn new(encoder: Encoder, weights: Vec<f64>) -> Self {
        Self { encoder, weights }
    }

    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.encoder.features
    }

    /// Log-odds of a row whose numbers are all average and whose categories have no weight.
    pub fn intercept(&self) -> f64 {
        self.weights.last().copied().unwrap_or(0.0)
    }

    /// Every weight with what it stands for: `feature=code` (`=missing`, `=other`) for categories,
    /// the feature's name for numbers, by standard deviation.
    pub fn coefficients(&self) -> Vec<(String, f64)> {
        self.encoder.names.iter().cloned().zip(self.weights.iter().copied()).collect()
    }

    /// Probability of 1 for each row.
    ///
    /// # Errors
    /// [`crate::Error::FeatureMismatch`] when the features are not those of the fit.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        same_features(&self.encoder.features, features.names())?;
        let design = self.encoder.encode(features);
        Ok((0..design.rows).map(|row| probability(design.dot(row, &self.weights))).collect())
    }
}
