//! Fitted weights: probabilities, and what each weight stands for.

use crate::Result;
use crate::check::{check_categories, finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::linear::{Encoder, probability};
use haetae_features::FeatureMatrix;

/// Weights that have been fitted; see [`super::Logistic`].
#[derive(Clone)]
pub struct LogisticModel {
    encoder: Encoder,
    weights: Vec<f64>,
    origin: Origin,
}

impl std::fmt::Debug for LogisticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "logistic regression, {} weights on {} features", self.encoder.names.len(), self.names().len())
    }
}

impl LogisticModel {
    pub(super) fn new(encoder: Encoder, weights: Vec<f64>, origin: Origin) -> Self {
        Self { encoder, weights, origin }
    }

    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        let Encoder { features, .. } = &self.encoder;
        features
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
    /// [`crate::Error::FeatureMismatch`] when the features are not those of the fit; and for a category that is none or an
    /// infinite number.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        same_types(self.names(), &|i| self.encoder.is_categorical(i), features)?;
        check_categories(features)?;
        finite(features)?;
        let design = self.encoder.encode(features);
        Ok((0..design.rows).map(|row| probability(design.dot(row, &self.weights))).collect())
    }
}

stored!(LogisticModel { encoder, weights, origin });

impl Described for LogisticModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.encoder.is_categorical(i), &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.encoder.is_sound(self.weights.len())
    }
}
