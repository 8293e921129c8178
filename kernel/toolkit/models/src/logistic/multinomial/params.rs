//! How many classes there are, and how strongly the weights are held back, checked before anything is fitted.

use super::model::MultinomialLogisticModel;
use crate::check::{check_rows, every_class, finite, own_weights};
use crate::file::Origin;
use crate::linear::{Design, Encoder, Loss, SparseMatrix, trainable};
use crate::range::Ranges;
use crate::{ClassWeight, Logistic, LogisticParams, Objective, Penalty, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "multinomial logistic regression";

/// Logistic regression of several classes. Each class has weights and an intercept, and its probability is the
/// exponential of its weighted sum, divided by those of all. Minimises `sum of log losses + |weights|^2 / (2 c)`, or with
/// [`Penalty::L1`] the sum of absolute weights over `c`; intercepts are free, and their mean is 0. Those are the problems which
/// scikit-learn's `LogisticRegression(C=c)` solves for more than two classes.
#[derive(Debug, Clone, Copy)]
pub struct MultinomialLogistic;

impl MultinomialLogistic {
    /// The parameters to start from.
    pub fn params() -> MultinomialLogisticParams {
        MultinomialLogisticParams::default()
    }
}

/// Parameters of [`MultinomialLogistic`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct MultinomialLogisticParams {
    classes: usize,
    each: LogisticParams,
}

impl Default for MultinomialLogisticParams {
    fn default() -> Self {
        Self { classes: 3, each: Logistic::params() }
    }
}

impl MultinomialLogisticParams {
    /// Number of classes, 2 to 1000; 3 unless said. Two are what [`Logistic`] is for.
    #[must_use]
    pub fn classes(mut self, classes: usize) -> Self {
        self.classes = classes;
        self
    }

    /// Weight of the losses against the penalty, above 0: the greater, the freer the weights; 0.1 unless said.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.each = self.each.c(c);
        self
    }

    /// What holds the weights back; [`Penalty::L2`] unless said.
    #[must_use]
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.each = self.each.penalty(penalty);
        self
    }

    /// Fewest training rows of a category that gets weights of its own; rarer ones, and those that training did not
    /// have, share them; 10 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.each = self.each.min_rows(rows);
        self
    }

    /// As [`LogisticParams::iterations`]; 100 unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.each = self.each.iterations(iterations);
        self
    }

    /// As [`LogisticParams::tolerance`]; 1e-7 unless said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.each = self.each.tolerance(tolerance);
        self
    }

    /// What the rows of each class weigh; the same unless said. [`ClassWeight::Of`] is for two classes.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.each = self.each.class_weight(weight);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedMultinomialLogistic> {
        Ranges(MODEL).whole("classes", self.classes, 2..=1_000)?;
        self.each.check_as(MODEL, self.classes)?;
        Ok(CheckedMultinomialLogistic { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedMultinomialLogistic::fit`].
    ///
    /// # Errors
    /// As [`MultinomialLogisticParams::check`] and [`CheckedMultinomialLogistic::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<MultinomialLogisticModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits; see [`CheckedMultinomialLogistic::fit_weighted`].
    ///
    /// # Errors
    /// As [`MultinomialLogisticParams::check`] and [`CheckedMultinomialLogistic::fit_weighted`].
    pub fn fit_weighted(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        weights: &[f64],
    ) -> Result<MultinomialLogisticModel> {
        self.check()?.fit_weighted(features, target, weights)
    }

    /// Checks the parameters and fits; see [`CheckedMultinomialLogistic::fit_sparse`].
    ///
    /// # Errors
    /// As [`MultinomialLogisticParams::check`] and [`CheckedMultinomialLogistic::fit_sparse`].
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<MultinomialLogisticModel> {
        self.check()?.fit_sparse(rows, target)
    }

    /// Checks the parameters and fits; see [`CheckedMultinomialLogistic::fit_sparse_weighted`].
    ///
    /// # Errors
    /// As [`MultinomialLogisticParams::check`] and [`CheckedMultinomialLogistic::fit_sparse_weighted`].
    pub fn fit_sparse_weighted(
        &self,
        rows: &SparseMatrix,
        target: &[f64],
        weights: &[f64],
    ) -> Result<MultinomialLogisticModel> {
        self.check()?.fit_sparse_weighted(rows, target, weights)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedMultinomialLogistic {
    params: MultinomialLogisticParams,
}

impl CheckedMultinomialLogistic {
    /// Fits weights to a `target` of classes, whole numbers from 0 on. Features are read as by
    /// [`crate::CheckedLogistic::fit`].
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is none of the classes, a class has no rows, a number
    /// is infinite, or the solver ends short of its tolerance.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<MultinomialLogisticModel> {
        self.on_features(features, target, None)
    }

    /// As [`CheckedMultinomialLogistic::fit`], with `weights` as of [`crate::CheckedLogistic::fit_weighted`].
    ///
    /// # Errors
    /// As there, and where the rows of a class weigh nothing.
    pub fn fit_weighted(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        weights: &[f64],
    ) -> Result<MultinomialLogisticModel> {
        self.on_features(features, target, Some(weights))
    }

    fn on_features(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        own: Option<&[f64]>,
    ) -> Result<MultinomialLogisticModel> {
        check_rows("training rows", features, target, Objective::Classes(self.params.classes))?;
        every_class(target, self.params.classes)?;
        finite(features)?;
        let own = self.own(own, target)?;
        let encoder = Encoder::fit(features, self.params.each.min_rows, true);
        let design = encoder.encode(features);
        self.model(Some(encoder), &design, target, own)
    }

    /// As [`CheckedMultinomialLogistic::fit`], on sparse rows as they are, a weight for each column and class.
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<MultinomialLogisticModel> {
        self.on_sparse(rows, target, None)
    }

    /// As [`CheckedMultinomialLogistic::fit_sparse`], with weights as of [`CheckedMultinomialLogistic::fit_weighted`].
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse_weighted(
        &self,
        rows: &SparseMatrix,
        target: &[f64],
        weights: &[f64],
    ) -> Result<MultinomialLogisticModel> {
        self.on_sparse(rows, target, Some(weights))
    }

    fn on_sparse(&self, rows: &SparseMatrix, target: &[f64], own: Option<&[f64]>) -> Result<MultinomialLogisticModel> {
        trainable(rows, target, Objective::Classes(self.params.classes))?;
        every_class(target, self.params.classes)?;
        self.model(None, &Design::of_sparse(rows), target, self.own(own, target)?)
    }

    /// A class whose rows weigh nothing would go without bounds, as one without rows.
    fn own<'a>(&self, own: Option<&'a [f64]>, target: &[f64]) -> Result<Option<&'a [f64]>> {
        let own = own_weights(own, target, Objective::Classes(self.params.classes))?;
        if let Some(own) = own {
            let weighed = target.iter().zip(own).filter(|(_, weight)| **weight > 0.0);
            every_class(&weighed.map(|(&class, _)| class).collect::<Vec<f64>>(), self.params.classes)?;
        }
        Ok(own)
    }

    fn model(
        &self,
        encoder: Option<Encoder>,
        design: &Design<'_>,
        target: &[f64],
        own: Option<&[f64]>,
    ) -> Result<MultinomialLogisticModel> {
        let classes = self.params.classes;
        let weights = self.params.each.weights(MODEL, design, target, own, Loss::Softmax(classes), classes)?;
        Ok(MultinomialLogisticModel { encoder, classes, weights, origin: Origin::of(&self.params) })
    }
}
