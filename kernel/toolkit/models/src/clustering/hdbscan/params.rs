//! How large a cluster is at least; checked before anything is fitted.

use super::condense::clusters;
use super::span::shortest_tree;
use crate::clustering::{Profiles, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "HDBSCAN";

/// Density-based clustering without a distance to choose: of the clusters that DBSCAN would find at each distance, those
/// that last over the widest range of densities. Exact, by Euclidean distance, with a k-d tree: many features (20 and
/// more) make it slow.
///
/// Sources: Campello, Moulavi and Sander, PAKDD 2013; McInnes and Healy, *Accelerated hierarchical density based
/// clustering*, 2017.
#[derive(Debug, Clone, Copy)]
pub struct Hdbscan;

impl Hdbscan {
    /// The parameters to start from.
    pub fn params() -> HdbscanParams {
        HdbscanParams::default()
    }
}

/// Parameters of [`Hdbscan`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct HdbscanParams {
    min_cluster: usize,
    neighbours: Option<usize>,
    scaled: bool,
    threads: Option<usize>,
}

impl Default for HdbscanParams {
    fn default() -> Self {
        Self { min_cluster: 5, neighbours: None, scaled: true, threads: None }
    }
}

impl HdbscanParams {
    /// Fewest rows of a cluster, at least 2; 5 unless said.
    #[must_use]
    pub fn min_cluster(mut self, rows: usize) -> Self {
        self.min_cluster = rows;
        self
    }

    /// Up to which neighbour, the row itself counted, the density around a row is measured: more smooth it, and make
    /// more rows noise; as `min_cluster` unless said.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = Some(neighbours);
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
    pub fn check(&self) -> Result<CheckedHdbscan> {
        let ranges = Ranges(MODEL);
        ranges.whole("min_cluster", self.min_cluster, 2..=usize::MAX)?;
        ranges.whole("neighbours", self.neighbours.unwrap_or(1), 1..=usize::MAX)?;
        ranges.threads(self.threads)?;
        Ok(CheckedHdbscan { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedHdbscan::fit`].
    ///
    /// # Errors
    /// As [`HdbscanParams::check`] and [`CheckedHdbscan::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<HdbscanModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedHdbscan {
    params: HdbscanParams,
}

impl CheckedHdbscan {
    /// Finds the clusters of rows without missing values and categories. All rows together are never one cluster: where
    /// nothing falls apart into large enough parts, all is noise.
    ///
    /// # Errors
    /// When there are fewer rows than `neighbours` or more than 2147483647, a value is missing or infinite, a feature is
    /// categorical, or the notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<HdbscanModel> {
        let p = &self.params;
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let (rows, most) = (features.rows(), i32::MAX as usize);
        if rows > most {
            return Err(Error::TooManyRows { model: MODEL, rows, most });
        }
        let neighbours = p.neighbours.unwrap_or(p.min_cluster);
        if rows < neighbours {
            return Err(Error::TooFewRows { model: MODEL, what: "rows", expected: neighbours, found: rows });
        }
        let points = scaling.points(features)?;
        let edges = with_threads(p.threads, || shortest_tree(&points, neighbours))??;
        let found = clusters(&edges, rows, p.min_cluster);
        let (labels, firmness, stability) = (found.labels, found.firmness, found.stability);
        Ok(HdbscanModel { labels, firmness, stability, origin: Origin::of(p) })
    }
}

/// Clusters that have been found; see [`Hdbscan`]. New rows have no cluster: where they lie, the density would change.
#[derive(Clone)]
pub struct HdbscanModel {
    labels: Vec<i32>,
    firmness: Vec<f64>,
    stability: Vec<f64>,
    origin: Origin,
}

impl std::fmt::Debug for HdbscanModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (clusters, noise, rows) = (self.clusters(), self.noise(), self.labels.len());
        write!(f, "HDBSCAN, {clusters} clusters, {noise} of {rows} rows are noise")
    }
}

impl HdbscanModel {
    /// Number of clusters, noise not counted.
    pub fn clusters(&self) -> usize {
        self.stability.len()
    }

    /// Cluster of each row, from 0 in the order of their first rows; -1 is noise.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// How firmly each row is in its cluster: the density up to which it stays, as a share of the greatest density of the
    /// cluster; 0 for noise.
    pub fn probabilities(&self) -> &[f64] {
        &self.firmness
    }

    /// How long each cluster lasts, summed over its rows, in units of 1 / distance.
    pub fn stability(&self) -> &[f64] {
        &self.stability
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

stored!(HdbscanModel { labels, firmness, stability, origin });

impl Described for HdbscanModel {
    fn about(&self) -> About {
        About::of_numbers(&[], &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.labels.len() == self.firmness.len()
    }
}
