//! Fitted weights of several classes: probabilities, and what each weight stands for.

use crate::file::{About, Described, Origin, stored};
use crate::linear::{Design, Encoder, SparseMatrix, coefficients, finite_sums, of_features, of_sparse, softmax};
use crate::{Contributions, Result};
use haetae_features::FeatureMatrix;

/// Weights of several classes that have been fitted; see [`super::MultinomialLogistic`].
#[derive(Clone)]
pub struct MultinomialLogisticModel {
    /// None where it was fitted on sparse rows.
    pub(super) encoder: Option<Encoder>,
    pub(super) classes: usize,
    /// Class after class, of each the intercept last.
    pub(super) weights: Vec<f64>,
    pub(super) origin: Origin,
}

impl std::fmt::Debug for MultinomialLogisticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (classes, weights) = (self.classes, self.width() - 1);
        write!(f, "multinomial logistic regression, {classes} classes of {weights} weights each on ")?;
        match &self.encoder {
            Some(_) => write!(f, "{} features", self.names().len()),
            None => write!(f, "sparse rows"),
        }
    }
}

impl MultinomialLogisticModel {
    /// Names of the features that it was fitted on, in their order; empty where it was fitted on sparse rows.
    pub fn names(&self) -> &[String] {
        self.encoder.as_ref().map_or(&[], |encoder| &encoder.features)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Weights of a class, the intercept included.
    fn width(&self) -> usize {
        self.weights.len() / self.classes
    }

    fn of_class(&self, class: usize) -> &[f64] {
        self.weights.chunks_exact(self.width()).nth(class).unwrap_or(&[])
    }

    /// The weights of a class, without its intercept, as [`MultinomialLogisticModel::coefficients`] names them; empty
    /// outside. What is in the mean over the classes is 0 under an L2 penalty.
    pub fn weights(&self, class: usize) -> &[f64] {
        self.of_class(class).split_last().map_or(&[], |(_, weights)| weights)
    }

    /// The sum of a class for a row whose numbers are all average and whose categories have no weight; NaN outside. The
    /// mean over the classes is 0.
    pub fn intercept(&self, class: usize) -> f64 {
        self.of_class(class).last().copied().unwrap_or(f64::NAN)
    }

    /// Every weight of a class with what it stands for, as [`crate::LogisticModel::coefficients`] says; empty outside.
    pub fn coefficients(&self, class: usize) -> Vec<(String, f64)> {
        coefficients(self.encoder.as_ref(), self.weights(class))
    }

    /// Probability of each class, row after row. [`crate::metrics::likeliest`] makes classes of them.
    ///
    /// # Errors
    /// [`crate::Error::FeatureMismatch`] and [`crate::Error::FeatureType`] when the features are not those of the fit,
    /// [`crate::Error::Columns`] when the fit was one on sparse rows; for a category that is none or an infinite number; and
    /// [`crate::Error::TooFar`] for a row whose sum is no finite number.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        self.chances(&self.read(features)?.1)
    }

    /// As [`MultinomialLogisticModel::predict`], of sparse rows.
    ///
    /// # Errors
    /// [`crate::Error::Columns`] when the rows have other columns than those of the fit, and [`crate::Error::TooFar`].
    pub fn predict_sparse(&self, rows: &SparseMatrix) -> Result<Vec<f64>> {
        self.chances(&of_sparse(self.encoder.as_ref(), self.width() - 1, rows)?)
    }

    /// What each feature adds to the sum of each class in each row, of which the probabilities are made: its weight, times
    /// its number in deviations or of its category. The expected value is the intercept.
    ///
    /// # Errors
    /// As [`MultinomialLogisticModel::predict`].
    pub fn contributions(&self, features: &FeatureMatrix) -> Result<Contributions> {
        let (encoder, design) = self.read(features)?;
        let mut values = Vec::with_capacity(features.rows() * self.classes * (features.columns() + 1));
        for row in 0..features.rows() {
            for own in self.weights.chunks_exact(self.width()) {
                values.extend(encoder.parts(&design, row, own));
                values.extend(own.last());
            }
        }
        finite_sums(&values, self.classes * (features.columns() + 1))?;
        Ok(Contributions { names: self.names().to_vec(), rows: features.rows(), classes: self.classes, values })
    }

    fn read(&self, features: &FeatureMatrix) -> Result<(&Encoder, Design<'static>)> {
        of_features(self.encoder.as_ref(), self.width() - 1, features)
    }

    fn chances(&self, design: &Design<'_>) -> Result<Vec<f64>> {
        let own = || self.weights.chunks_exact(self.width());
        let mut sums: Vec<f64> = (0..design.rows).flat_map(|row| own().map(move |own| design.dot(row, own))).collect();
        finite_sums(&sums, self.classes)?;
        sums.chunks_exact_mut(self.classes).for_each(softmax);
        Ok(sums)
    }
}

stored!(MultinomialLogisticModel { encoder, classes, weights, origin });

impl Described for MultinomialLogisticModel {
    fn about(&self) -> About {
        let categorical = |i| self.encoder.as_ref().is_some_and(|encoder| encoder.is_categorical(i));
        About::new(self.names(), &categorical, &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.classes > 1
            && self.weights.len() >= self.classes
            && self.weights.len().is_multiple_of(self.classes)
            && self.encoder.as_ref().is_none_or(|encoder| encoder.is_sound(self.width()))
    }
}
