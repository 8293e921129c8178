//! How many bells and of which form; checked before anything is fitted.

use super::em::{Found, fit};
use super::model::GaussianMixtureModel;
use crate::clustering::{KMeans, Scaling};
use crate::file::stored;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;

/// A mixture of normal distributions, fitted by expectation and maximisation from a k-means start.
///
/// Source: Dempster, Laird and Rubin, *Maximum likelihood from incomplete data via the EM algorithm*, 1977.
#[derive(Debug, Clone, Copy)]
pub struct GaussianMixture;

impl GaussianMixture {
    /// The parameters to start from.
    pub fn params() -> GaussianMixtureParams {
        GaussianMixtureParams::default()
    }
}

/// The form of a bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariance {
    /// Any ellipsoid.
    Full,
    /// An ellipsoid along the axes: features are independent within a bell.
    Diagonal,
}

/// Parameters of [`GaussianMixture`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixtureParams {
    pub(super) bells: usize,
    pub(super) covariance: Covariance,
    pub(super) starts: usize,
    pub(super) iterations: usize,
    pub(super) tolerance: f64,
    pub(super) regularisation: f64,
    pub(super) scaled: bool,
    pub(super) seed: u64,
    pub(super) threads: Option<usize>,
}

impl Default for GaussianMixtureParams {
    fn default() -> Self {
        Self {
            bells: 2,
            covariance: Covariance::Full,
            starts: 1,
            iterations: 100,
            tolerance: 1e-3,
            regularisation: 1e-6,
            scaled: true,
            seed: 7,
            threads: None,
        }
    }
}

impl GaussianMixtureParams {
    /// Number of bells; 2 unless said.
    #[must_use]
    pub fn bells(mut self, bells: usize) -> Self {
        self.bells = bells;
        self
    }

    /// The form of a bell; [`Covariance::Full`] unless said.
    #[must_use]
    pub fn covariance(mut self, form: Covariance) -> Self {
        self.covariance = form;
        self
    }

    /// How often to begin anew, of which the likeliest is kept; 1 unless said.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Most rounds; 100 unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// The bells are taken as found when the mean log-likelihood of a row changes by less; 1e-3 unless said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Added to every variance, so that no bell becomes a needle; 1e-6 unless said.
    #[must_use]
    pub fn regularisation(mut self, variance: f64) -> Self {
        self.regularisation = variance;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Where drawing begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The bells do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedGaussianMixture> {
        let ranges = Ranges("Gaussian mixture");
        for (name, value) in [("bells", self.bells), ("starts", self.starts), ("iterations", self.iterations)] {
            ranges.whole(name, value, 1..=100_000)?;
        }
        ranges.not_below_zero("tolerance", self.tolerance)?;
        ranges.not_below_zero("regularisation", self.regularisation)?;
        ranges.threads(self.threads)?;
        Ok(CheckedGaussianMixture { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedGaussianMixture::fit`].
    ///
    /// # Errors
    /// As [`GaussianMixtureParams::check`] and [`CheckedGaussianMixture::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<GaussianMixtureModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedGaussianMixture {
    params: GaussianMixtureParams,
}

impl CheckedGaussianMixture {
    /// Fits bells to rows without missing values and categories.
    ///
    /// # Errors
    /// When there are no rows, fewer different ones than bells, a value is missing or infinite, a feature is
    /// categorical, [`Error::Flat`] when a bell has no width in some direction, or the stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<GaussianMixtureModel> {
        let p = &self.params;
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let points = scaling.points(features)?;
        let different = points.different(p.bells);
        if different < p.bells {
            let (model, what) = ("Gaussian mixture", "different rows");
            return Err(Error::TooFewRows { model, what, expected: p.bells, found: different });
        }
        let mut best: Option<Found> = None;
        for start in 0..p.starts {
            let first = KMeans::params().clusters(p.bells).starts(1).scaled(p.scaled);
            let first = first.seed(p.seed.wrapping_add(start as u64)).threads_option(p.threads).fit(features)?;
            let found = with_threads(p.threads, || fit(&points, first.labels(), p))??;
            if best.as_ref().is_none_or(|best| found.likelihood > best.likelihood) {
                best = Some(found);
            }
        }
        let best = best.ok_or(Error::Cancelled { what: "starts", done: 0, of: p.starts })?;
        Ok(GaussianMixtureModel::new(scaling, best, p))
    }
}

stored!(Covariance [0 => Full {}, 1 => Diagonal {}]);
