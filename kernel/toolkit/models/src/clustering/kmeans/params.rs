//! How many centres, and how they are sought; checked before anything is fitted.

use super::batch::minibatch;
use super::lloyd::{Found, lloyd};
use super::model::KMeansModel;
use super::start::plus_plus;
use crate::clustering::{Points, Scaling};
use crate::file::Origin;
use crate::random::Random;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;

const RANGES: Ranges = Ranges("k-means");

/// k-means clustering: minimises the sum of squared distances between rows and the nearest of so many centres.
///
/// Sources: Lloyd, *Least squares quantization in PCM*, 1982; the start: Arthur and Vassilvitskii, *k-means++*, 2007;
/// distances that need not be computed: Hamerly, *Making k-means even faster*, 2010; in batches: Sculley, *Web-scale
/// k-means clustering*, 2010.
#[derive(Debug, Clone, Copy)]
pub struct KMeans;

impl KMeans {
    /// The parameters to start from.
    pub fn params() -> KMeansParams {
        KMeansParams::default()
    }
}

/// Parameters of [`KMeans`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeansParams {
    clusters: usize,
    starts: usize,
    iterations: usize,
    tolerance: f64,
    scaled: bool,
    batch: Option<usize>,
    from: Vec<Vec<f64>>,
    seed: u64,
    threads: Option<usize>,
}

impl Default for KMeansParams {
    fn default() -> Self {
        Self {
            clusters: 8,
            starts: 3,
            iterations: 300,
            tolerance: 1e-4,
            scaled: true,
            batch: None,
            from: Vec::new(),
            seed: 7,
            threads: None,
        }
    }
}

impl KMeansParams {
    /// Number of clusters; 8 unless said.
    #[must_use]
    pub fn clusters(mut self, clusters: usize) -> Self {
        self.clusters = clusters;
        self
    }

    /// How often to begin anew, of which the best is kept; 3 unless said.
    #[must_use]
    pub fn starts(mut self, starts: usize) -> Self {
        self.starts = starts;
        self
    }

    /// Most rounds of moving the centres; 300 unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// The centres are taken as found when the sum of their squared moves is at most this share of the mean variance of
    /// the features; 1e-4 unless said. 0: until no row changes its cluster.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said. Otherwise the feature with the
    /// greatest numbers decides alone.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Looks at so many drawn rows at a time instead of all: faster for millions of rows, and a little worse; never
    /// unless said.
    #[must_use]
    pub fn batch(mut self, rows: usize) -> Self {
        self.batch = Some(rows);
        self
    }

    /// Begins with these centres, in the units of the features, and once only.
    #[must_use]
    pub fn start_from(mut self, centers: &[Vec<f64>]) -> Self {
        self.from = centers.to_vec();
        self
    }

    /// Where drawing begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The clusters do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    pub(crate) fn threads_option(mut self, threads: Option<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedKMeans> {
        for (name, value) in [("clusters", self.clusters), ("starts", self.starts), ("iterations", self.iterations)] {
            RANGES.whole(name, value, 1..=1_000_000)?;
        }
        if !(self.tolerance >= 0.0 && self.tolerance < 1.0) {
            return RANGES.refuse("tolerance", "at least 0 and below 1", self.tolerance);
        }
        RANGES.whole("batch", self.batch.unwrap_or(1), 1..=usize::MAX)?;
        if !self.from.is_empty() && self.from.len() != self.clusters {
            return RANGES.refuse("start_from", "as many centres as clusters", self.from.len());
        }
        RANGES.threads(self.threads)?;
        Ok(CheckedKMeans { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedKMeans::fit`].
    ///
    /// # Errors
    /// As [`KMeansParams::check`] and [`CheckedKMeans::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<KMeansModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedKMeans {
    params: KMeansParams,
}

impl CheckedKMeans {
    /// Seeks the centres of rows without missing values and categories.
    ///
    /// # Errors
    /// When there are no rows, fewer different ones than clusters, a value is missing or infinite, a feature is
    /// categorical, or the notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<KMeansModel> {
        let p = &self.params;
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let points = scaling.points(features)?;
        let different = points.different(p.clusters);
        if different < p.clusters {
            return Err(Error::TooFewRows {
                model: "k-means",
                what: "different rows",
                expected: p.clusters,
                found: different,
            });
        }
        if let Some(wrong) = p.from.iter().find(|center| center.len() != points.columns) {
            return RANGES.refuse("start_from", "centres of as many numbers as features", wrong.len());
        }
        let found = with_threads(p.threads, || self.best(&points, &scaling))??;
        Ok(KMeansModel::new(scaling, found, Origin::of(&self.params)))
    }

    fn best(&self, points: &Points, scaling: &Scaling) -> Result<Found> {
        let p = &self.params;
        let starts = if p.from.is_empty() { p.starts } else { 1 };
        let mut best: Option<Found> = None;
        for start in 0..starts {
            let mut random = Random::stream(p.seed, start as u64);
            let centers = match p.from.is_empty() {
                true => plus_plus(points, p.clusters, &mut random)?,
                false => p.from.iter().flat_map(|center| scaling.to(center)).collect(),
            };
            let found = match p.batch {
                None => lloyd(points, centers, p.iterations, p.tolerance)?,
                Some(batch) => minibatch(points, centers, batch, p.iterations, &mut random)?,
            };
            if best.as_ref().is_none_or(|best| found.inertia < best.inertia) {
                best = Some(found);
            }
        }
        best.ok_or(Error::Cancelled { what: "starts", done: 0, of: starts })
    }
}
