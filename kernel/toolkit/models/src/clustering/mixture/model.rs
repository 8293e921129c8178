//! Bells that have been fitted: chances and likelihoods of rows, old and new.

use super::bells::{Bell, densities};
use super::em::Found;
use super::params::{Covariance, GaussianMixtureParams};
use crate::Result;
use crate::clustering::{Profiles, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::threads::with_threads;
use haetae_features::FeatureMatrix;

/// Bells that have been fitted; see [`super::GaussianMixture`].
#[derive(Clone)]
pub struct GaussianMixtureModel {
    scaling: Scaling,
    bells: Vec<Bell>,
    form: Covariance,
    chances: Vec<f64>,
    likelihood: f64,
    iterations: usize,
    converged: bool,
    origin: Origin,
    threads: Option<usize>,
}

impl std::fmt::Debug for GaussianMixtureModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = if self.converged { "converged" } else { "NOT converged" };
        let (bells, rounds) = (self.bells.len(), self.iterations);
        write!(
            f,
            "Gaussian mixture, {bells} bells, log-likelihood {:.6} a row, {end} after {rounds} rounds",
            self.likelihood
        )
    }
}

impl GaussianMixtureModel {
    pub(super) fn new(scaling: Scaling, found: Found, params: &GaussianMixtureParams) -> Self {
        let Found { bells, chances, likelihood, iterations, converged } = found;
        let (form, threads) = (params.covariance, params.threads);
        let origin = Origin::of(params);
        Self { scaling, bells, form, chances, likelihood, iterations, converged, origin, threads }
    }

    /// Number of bells.
    pub fn bells(&self) -> usize {
        self.bells.len()
    }

    /// Share of the rows that each bell stands for.
    pub fn weights(&self) -> Vec<f64> {
        self.bells.iter().map(|bell| bell.weight).collect()
    }

    /// The middle of each bell, in the units of the features.
    pub fn means(&self) -> Vec<Vec<f64>> {
        self.bells.iter().map(|bell| self.scaling.back(&bell.mean)).collect()
    }

    /// Covariance of two features within a bell, in the units of the features; NaN outside.
    pub fn covariance(&self, bell: usize, a: usize, b: usize) -> f64 {
        let (low, high) = (a.min(b), a.max(b));
        let columns = self.scaling.names.len();
        if high >= columns || bell >= self.bells.len() {
            return f64::NAN;
        }
        let value = match self.form {
            Covariance::Full => self.bells[bell].covariance[high * (high + 1) / 2 + low],
            Covariance::Diagonal if a == b => self.bells[bell].covariance[a],
            Covariance::Diagonal => 0.0,
        };
        value * self.scaling.deviations[a] * self.scaling.deviations[b]
    }

    /// Mean logarithm of the density of a training row, in the units of the fit.
    pub fn log_likelihood(&self) -> f64 {
        self.likelihood
    }

    /// Rounds of the best start.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Whether the last round changed the likelihood by less than the tolerance.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Bayes' information criterion of the training rows, -2 log-likelihood + free numbers * ln(rows): less is better;
    /// for the choice of the number of bells.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub fn bic(&self) -> f64 {
        let (columns, bells) = (self.scaling.names.len() as f64, self.bells.len() as f64);
        let each = match self.form {
            Covariance::Full => columns + columns * (columns + 1.0) / 2.0,
            Covariance::Diagonal => 2.0 * columns,
        };
        let rows = (self.chances.len() / self.bells.len()) as f64;
        -2.0 * self.likelihood * rows + (bells * each + bells - 1.0) * rows.ln()
    }

    /// The likeliest bell of each training row.
    pub fn labels(&self) -> Vec<i32> {
        likeliest(&self.chances, self.bells.len())
    }

    /// The likeliest bell of each row.
    ///
    /// # Errors
    /// When the features are not those of the fit, a value is missing or infinite, [`crate::Error::TooLarge`] and
    /// [`crate::Error::TooFar`] for a row beyond all numbers, or the notebook's stop button was pressed.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<i32>> {
        Ok(likeliest(&self.predict_proba(features)?, self.bells.len()))
    }

    /// How likely each bell is for each row, row after row.
    ///
    /// # Errors
    /// As [`GaussianMixtureModel::predict`].
    pub fn predict_proba(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.run(features)?.0)
    }

    /// Logarithm of the density at each row, in the units of the fit: the lower, the stranger the row.
    ///
    /// # Errors
    /// As [`GaussianMixtureModel::predict`].
    pub fn log_densities(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        Ok(self.run(features)?.1)
    }

    fn run(&self, features: &FeatureMatrix) -> Result<(Vec<f64>, Vec<f64>)> {
        let points = self.scaling.points(features)?;
        let mut chances = vec![0.0; points.rows * self.bells.len()];
        let logs = with_threads(self.threads, || densities(&points, &self.bells, self.form, &mut chances))??;
        Ok((chances, logs))
    }

    /// What each cluster of likeliest rows is like, in words; `features` are those of the fit.
    ///
    /// # Errors
    /// As [`Profiles::of`].
    pub fn profiles(&self, features: &FeatureMatrix) -> Result<Profiles> {
        Profiles::of(features, &self.labels())
    }
}

/// Of equals the first.
fn likeliest(chances: &[f64], bells: usize) -> Vec<i32> {
    let of = |chances: &[f64]| {
        let best =
            (0..).zip(chances).fold(
                (0, f64::NEG_INFINITY),
                |best, (label, &chance)| {
                    if chance > best.1 { (label, chance) } else { best }
                },
            );
        best.0
    };
    chances.chunks_exact(bells).map(of).collect()
}

stored!(GaussianMixtureModel {
    scaling, bells, form, chances, likelihood, iterations, converged, origin
} anew { threads: None });

impl Described for GaussianMixtureModel {
    fn about(&self) -> About {
        About::of_numbers(&self.scaling.names, &self.origin)
    }

    fn is_sound(&self) -> bool {
        let columns = self.scaling.names.len();
        let bells = !self.bells.is_empty() && self.bells.iter().all(|bell| bell.is_sound(columns, self.form));
        self.scaling.is_sound() && bells && self.chances.len().is_multiple_of(self.bells.len())
    }
}
