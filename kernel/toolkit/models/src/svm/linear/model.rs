//! Fitted weights: on which side of the plane a row lies, and how far from it.

use crate::file::{About, Described, Origin, stored};
use crate::linear::{Design, Encoder, SparseMatrix, coefficients, dot_rows, finite_sums, of_features, of_sparse};
use crate::{Error, Platt, Result};
use haetae_features::FeatureMatrix;

/// A plane that has been fitted; see [`super::LinearSvm`].
#[derive(Clone)]
pub struct LinearSvmModel {
    /// None where it was fitted on sparse rows.
    encoder: Option<Encoder>,
    weights: Vec<f64>,
    calibration: Option<Platt>,
    origin: Origin,
}

impl std::fmt::Debug for LinearSvmModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "linear SVM, {} weights", self.weights.len() - 1)
    }
}

impl LinearSvmModel {
    pub(super) fn new(encoder: Option<Encoder>, weights: Vec<f64>, origin: Origin) -> Self {
        Self { encoder, weights, calibration: None, origin }
    }

    /// Names of the features that it was fitted on, in their order; empty where it was fitted on sparse rows.
    pub fn names(&self) -> &[String] {
        self.encoder.as_ref().map_or(&[], |encoder| &encoder.features)
    }

    /// The decision on a row whose numbers are all average and whose categories have no weight.
    pub fn intercept(&self) -> f64 {
        self.weights.last().copied().unwrap_or(0.0)
    }

    /// The weights, without the intercept: as [`LinearSvmModel::coefficients`] names them, or one a column of the sparse
    /// rows.
    pub fn weights(&self) -> &[f64] {
        self.weights.split_last().map_or(&[], |(_, weights)| weights)
    }

    /// Every weight with what it stands for: `feature=code` (`=missing`, `=other`) for categories, the feature's name
    /// for numbers, by standard deviation; the number of the column for sparse rows.
    pub fn coefficients(&self) -> Vec<(String, f64)> {
        coefficients(self.encoder.as_ref(), self.weights())
    }

    /// Each row's weighted sum: above 0 on the side of target 1, and beyond 1 or -1 outside of the margin. Any list of
    /// scores: the metrics take it as it is.
    ///
    /// # Errors
    /// [`Error::FeatureMismatch`] and [`Error::FeatureType`] when the features are not those of the fit,
    /// [`Error::Columns`] when the fit was one on sparse rows, and [`Error::TooFar`] for a row whose sum is no finite number.
    pub fn decision(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        self.sums(&of_features(self.encoder.as_ref(), self.weights().len(), features)?.1)
    }

    /// As [`LinearSvmModel::decision`], of sparse rows.
    ///
    /// # Errors
    /// [`Error::Columns`] when the rows have other columns than those of the fit, and [`Error::TooFar`].
    pub fn decision_sparse(&self, rows: &SparseMatrix) -> Result<Vec<f64>> {
        self.sums(&of_sparse(self.encoder.as_ref(), self.weights().len(), rows)?)
    }

    fn sums(&self, design: &Design<'_>) -> Result<Vec<f64>> {
        let mut sums = vec![0.0; design.rows];
        dot_rows(design, 0, &self.weights, &mut sums);
        finite_sums(&sums, 1)?;
        Ok(sums)
    }

    /// The side on which each row lies: 1 where the decision is above 0, else 0.
    ///
    /// # Errors
    /// As [`LinearSvmModel::decision`].
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.decision(features)?.iter().map(|&sum| f64::from(sum > 0.0)).collect())
    }

    /// The model with a curve from decisions to probabilities ([`Platt`]), fitted on rows that it has not seen.
    ///
    /// # Errors
    /// As [`LinearSvmModel::decision`] and [`Platt::fit`].
    pub fn calibrated(&self, features: &FeatureMatrix, target: &[f64]) -> Result<Self> {
        let calibration = Some(Platt::fit(&self.decision(features)?, target)?);
        Ok(Self { calibration, origin: self.origin.renewed(), ..self.clone() })
    }

    /// Probability of 1 for each row.
    ///
    /// # Errors
    /// [`Error::NotCalibrated`] unless [`LinearSvmModel::calibrated`] made the model, and as
    /// [`LinearSvmModel::decision`].
    pub fn predict_proba(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        let calibration = self.calibration.ok_or(Error::NotCalibrated { model: "linear SVM" })?;
        Ok(calibration.predict(&self.decision(features)?))
    }
}

stored!(LinearSvmModel { encoder, weights, calibration, origin });

impl Described for LinearSvmModel {
    fn about(&self) -> About {
        let categorical = |i| self.encoder.as_ref().is_some_and(|encoder| encoder.is_categorical(i));
        About::new(self.names(), &categorical, &self.origin)
    }

    fn is_sound(&self) -> bool {
        !self.weights.is_empty() && self.encoder.as_ref().is_none_or(|encoder| encoder.is_sound(self.weights.len()))
    }
}
