//! Fitted trees and the weights of their leaves: probabilities, and what each leaf weighs.

use crate::check::finite;
use crate::file::{About, Described, Origin, stored};
use crate::{LightGbmModel, LogisticModel, Result, SparseMatrix};
use haetae_features::FeatureMatrix;

/// Trees and weights that have been fitted; see [`super::LeafLogistic`].
#[derive(Clone)]
pub struct LeafLogisticModel {
    pub(super) trees: LightGbmModel,
    pub(super) weights: LogisticModel,
    pub(super) origin: Origin,
}

impl std::fmt::Debug for LeafLogisticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (leaves, trees) = (self.weights.weights().len(), self.trees.leaf_counts().len());
        write!(f, "GBDT+LR, {leaves} leaves of {trees} trees on {} features", self.names().len())
    }
}

/// A 1 for each leaf that a row falls into: as many a row as there are trees.
pub(super) fn of_leaves(trees: &LightGbmModel, features: &FeatureMatrix) -> Result<SparseMatrix> {
    let counts = trees.leaf_counts();
    let places = trees.leaf_places(features)?;
    let starts = (0..=features.rows()).map(|row| row * counts.len()).collect();
    let ones = vec![1.0; places.len()];
    SparseMatrix::new(counts.iter().sum(), starts, places, ones)
}

impl LeafLogisticModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        self.trees.names()
    }

    /// The trees whose leaves have weights.
    pub fn trees(&self) -> &LightGbmModel {
        &self.trees
    }

    /// Log-odds of a row none of whose leaves has a weight.
    pub fn intercept(&self) -> f64 {
        self.weights.intercept()
    }

    /// The weight of each leaf, tree after tree; trees and leaves are counted from 0, as in [`LightGbmModel::leaves`].
    pub fn coefficients(&self) -> Vec<(String, f64)> {
        let counts = self.trees.leaf_counts();
        let names = counts.iter().enumerate().flat_map(|(tree, &count)| (0..count).map(move |leaf| (tree, leaf)));
        let weights = self.weights.weights().iter();
        names.zip(weights).map(|((tree, leaf), &weight)| (format!("tree {tree}, leaf {leaf}"), weight)).collect()
    }

    /// Probability of 1 for each row.
    ///
    /// # Errors
    /// As [`LightGbmModel::predict`], and [`crate::Error::Infinite`] for a value that is infinite.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        // Named first by the trees, so that a wrong column is said before a wrong value.
        let rows = of_leaves(&self.trees, features)?;
        finite(features)?;
        self.weights.predict_sparse(&rows)
    }
}

stored!(LeafLogisticModel { trees, weights, origin });

impl Described for LeafLogisticModel {
    fn about(&self) -> About {
        let features = self.trees.about().features;
        let categorical: Vec<bool> = features.iter().map(|feature| feature.1).collect();
        About::new(self.names(), &|i| categorical[i], &self.origin)
    }

    fn is_sound(&self) -> bool {
        let leaves = self.trees.leaf_counts().iter().sum::<usize>();
        self.weights.is_sound() && self.weights.names().is_empty() && self.weights.weights().len() == leaves
    }
}
