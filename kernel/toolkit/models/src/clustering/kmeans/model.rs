//! Centres that have been found: labels of rows, old and new.

use super::lloyd::{Found, nearest};
use crate::clustering::{Profiles, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::{Result, clustering::profile};
use haetae_features::FeatureMatrix;

/// Centres that have been found; see [`super::KMeans`].
#[derive(Clone)]
pub struct KMeansModel {
    scaling: Scaling,
    centers: Vec<f64>,
    labels: Vec<i32>,
    inertia: f64,
    iterations: usize,
    origin: Origin,
}

impl std::fmt::Debug for KMeansModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (clusters, rounds) = (self.clusters(), self.iterations);
        write!(f, "k-means, {clusters} clusters, inertia {:.6} after {rounds} rounds", self.inertia)
    }
}

impl KMeansModel {
    pub(super) fn new(scaling: Scaling, found: Found, origin: Origin) -> Self {
        let Found { centers, labels, inertia, iterations } = found;
        Self { scaling, centers, labels, inertia, iterations, origin }
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.centers.len() / self.scaling.names.len()
    }

    /// Cluster of each training row, from 0.
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }

    /// Sum of squared distances of the training rows to their centres, in the units of the fit: of deviations, where
    /// features were scaled.
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// Rounds (or batches) of the best start.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// The centres, in the units of the features.
    pub fn centers(&self) -> Vec<Vec<f64>> {
        self.centers.chunks_exact(self.scaling.names.len()).map(|center| self.scaling.back(center)).collect()
    }

    /// The cluster of each row: that of the nearest centre.
    ///
    /// # Errors
    /// When the features are not those of the fit, or a value is missing or infinite.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<i32>> {
        Ok(nearest(&self.scaling.points(features)?, &self.centers))
    }

    /// What each cluster is like, in words; `features` are those of the fit.
    ///
    /// # Errors
    /// As [`Profiles::of`].
    pub fn profiles(&self, features: &FeatureMatrix) -> Result<Profiles> {
        profile::Profiles::of(features, &self.labels)
    }
}

stored!(KMeansModel { scaling, centers, labels, inertia, iterations, origin });

impl Described for KMeansModel {
    fn about(&self) -> About {
        About::of_numbers(&self.scaling.names, &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.scaling.is_sound()
            && !self.centers.is_empty()
            && self.centers.len().is_multiple_of(self.scaling.names.len())
    }
}
