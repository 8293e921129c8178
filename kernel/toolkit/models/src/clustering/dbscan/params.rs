//! How near and how many make a dense place; checked before anything is fitted.

use super::connect::cluster;
use crate::clustering::{Profiles, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "DBSCAN";

/// Density-based clustering. A row is a core row when at least `min_rows` rows, itself included, are no further from it
/// than `distance`; core rows so near to each other are one cluster; a row near a core row, but no core row itself,
/// belongs to the cluster that comes first; all others are noise. Exact, by Euclidean distance.
///
/// Source: Ester, Kriegel, Sander and Xu, *A density-based algorithm for discovering clusters*, KDD 1996.
#[derive(Debug, Clone, Copy)]
pub struct Dbscan;

impl Dbscan {
    /// The parameters to start from.
    pub fn params() -> DbscanParams {
        DbscanParams::default()
    }
}

/// Parameters of [`Dbscan`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct DbscanParams {
    distance: f64,
    min_rows: usize,
    scaled: bool,
    threads: Option<usize>,
}

impl Default for DbscanParams {
    fn default() -> Self {
        Self { distance: 0.5, min_rows: 5, scaled: true, threads: None }
    }
}

impl DbscanParams {
    /// How far neighbours may be from each other, in deviations where features are scaled; 0.5 unless said.
    #[must_use]
    pub fn distance(mut self, distance: f64) -> Self {
        self.distance = distance;
        self
    }

    /// Fewest rows near a core row, itself included; 5 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The clusters do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedDbscan> {
        let ranges = Ranges(MODEL);
        ranges.above_zero("distance", self.distance)?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.threads(self.threads)?;
        Ok(CheckedDbscan { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedDbscan::fit`].
    ///
    /// # Errors
    /// As [`DbscanParams::check`] and [`CheckedDbscan::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<DbscanModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedDbscan {
    params: DbscanParams,
}

impl CheckedDbscan {
    /// Finds the clusters of rows without missing values and categories.
    ///
    /// # Errors
    /// When there are no rows or more than 2147483647, a value is missing or infinite, a feature is categorical, or the
    /// notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<DbscanModel> {
        let p = &self.params;
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let most = i32::MAX as usize;
        if features.rows() > most {
            return Err(Error::TooManyRows { model: MODEL, rows: features.rows(), most });
        }
        let points = scaling.points(features)?;
        let (labels, core) = with_threads(p.threads, || cluster(&points, p.distance, p.min_rows))??;
        Ok(DbscanModel { labels, core, origin: Origin::of(p) })
    }
}

/// Clusters that have been found; see [`Dbscan`]. New rows have no cluster: where they lie, the density would change.
#[derive(Clone)]
pub struct DbscanModel {
    labels: Vec<i32>,
    core: Vec<bool>,
    origin: Origin,
}

impl std::fmt::Debug for DbscanModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (clusters, noise, rows) = (self.clusters(), self.noise(), self.labels.len());
        write!(f, "DBSCAN, {clusters} clusters, {noise} of {rows} rows are noise")
    }
}

impl DbscanModel {
    /// Number of clusters, noise not counted.
    pub fn clusters(&self) -> usize {
        self.labels.iter().max().and_then(|&last| usize::try_from(last + 1).ok()).unwrap_or(0)
    }

    /// Cluster of each row, from 0 in the order of their first core rows; -1 is noise.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Whether each row is a core row.
    pub fn core(&self) -> &[bool] {
        &self.core
    }

    /// Number of rows that are noise.
    pub fn noise(&self) -> usize {
        self.labels.iter().filter(|&&label| label < 0).count()
    }

    /// What each cluster is like, in words; `features` are those of the fit.
    ///
    /// # Errors
    /// As [`Profiles::of`].
    pub fn profiles(&self, features: &FeatureMatrix) -> Result<Profiles> {
        Profiles::of(features, &self.labels)
    }
}

stored!(DbscanModel { labels, core, origin });

impl Described for DbscanModel {
    fn about(&self) -> About {
        About::of_numbers(&[], &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.labels.len() == self.core.len()
    }
}
