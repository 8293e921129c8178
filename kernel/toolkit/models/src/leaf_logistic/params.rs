//! What trees and weights are like, checked before anything is fitted; and the fit.

use super::model::{LeafLogisticModel, of_leaves};
use crate::check::finite;
use crate::file::Origin;
use crate::range::Ranges;
use crate::{ClassWeight, LightGbm, LightGbmParams, Logistic, LogisticParams, Objective, Result};
use haetae_features::FeatureMatrix;

/// Logistic regression on the leaves of boosted trees (GBDT+LR): each leaf is a rule of a few features, and has a weight.
#[derive(Debug, Clone, Copy)]
pub struct LeafLogistic;

impl LeafLogistic {
    /// The parameters to start from.
    pub fn params() -> LeafLogisticParams {
        LeafLogisticParams::default()
    }
}

/// Parameters of [`LeafLogistic`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafLogisticParams {
    trees: LightGbmParams,
    logistic: LogisticParams,
}

impl Default for LeafLogisticParams {
    fn default() -> Self {
        let trees = LightGbm::params().trees(100).leaves(16).depth(4);
        Self { trees, logistic: Logistic::params().c(0.01) }
    }
}

impl LeafLogisticParams {
    /// The trees; 100 of depth 4 with at most 16 leaves unless said. They are grown on one thread, so that the model does
    /// not depend on the number of threads.
    #[must_use]
    pub fn trees(mut self, trees: LightGbmParams) -> Self {
        self.trees = trees;
        self
    }

    /// Weight of the losses against the penalty, above 0: the greater, the freer the weights; 0.01 unless said. The
    /// leaves have already learnt from the same rows.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.logistic = self.logistic.c(c);
        self
    }

    /// Most Newton steps; 100 unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.logistic = self.logistic.iterations(iterations);
        self
    }

    /// As [`LogisticParams::tolerance`]; 1e-7 unless said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.logistic = self.logistic.tolerance(tolerance);
        self
    }

    /// What the rows of either target weigh in the logistic regression; the same unless said.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.logistic = self.logistic.class_weight(weight);
        self
    }

    /// Checks every parameter, those of the trees too.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedLeafLogistic> {
        self.trees.check()?;
        if self.trees.objective != Objective::Binary {
            let found = format_args!("{:?}", self.trees.objective);
            return Ranges("GBDT+LR").refuse("trees (objective)", "Binary", found);
        }
        self.logistic.check()?;
        Ok(CheckedLeafLogistic { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedLeafLogistic::fit`].
    ///
    /// # Errors
    /// As [`LeafLogisticParams::check`] and [`CheckedLeafLogistic::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LeafLogisticModel> {
        self.check()?.fit(features, target)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedLeafLogistic {
    params: LeafLogisticParams,
}

impl CheckedLeafLogistic {
    /// Grows trees for a `target` of 0 and 1, then fits a weight to each leaf on the same rows.
    ///
    /// # Errors
    /// As [`crate::CheckedLightGbm::fit`] and [`crate::CheckedLogistic::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LeafLogisticModel> {
        let p = &self.params;
        finite(features)?;
        let trees = p.trees.clone().threads(1).fit(features, target)?.on_threads(p.trees.threads);
        let weights = p.logistic.fit_sparse(&of_leaves(&trees, features)?, target)?;
        Ok(LeafLogisticModel { trees, weights, origin: Origin::of(p) })
    }
}
