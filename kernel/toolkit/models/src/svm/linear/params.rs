//! How much a narrow margin costs, checked before anything is fitted.

use super::dual::Dual;
use super::model::LinearSvmModel;
use crate::check::{check_rows, finite};
use crate::file::Origin;
use crate::linear::{Design, Encoder, Loss, Problem, SparseMatrix, solve, trainable};
use crate::metrics::both_classes;
use crate::range::Ranges;
use crate::{ClassWeight, Objective, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "linear SVM";

/// A linear support vector machine. Minimises `|weights|^2 / 2 + c * sum of losses`, where a row's loss is what its
/// weighted sum lacks to 1 on its target's side, squared unless said. The intercept is the weight of a feature that is 1
/// in every row, and is penalised like the others: that is the problem which scikit-learn's `LinearSVC(C=c)` solves.
///
/// The squared loss of no fewer rows than weights is minimised by Newton's steps, all else by dual coordinate descent.
///
/// Sources: Cortes and Vapnik, *Support-vector networks*, 1995; Hsieh et al., ICML 2008; Keerthi and DeCoste, *A modified
/// finite Newton method for fast solution of large scale linear SVMs*, 2005.
#[derive(Debug, Clone, Copy)]
pub struct LinearSvm;

impl LinearSvm {
    /// The parameters to start from.
    pub fn params() -> LinearSvmParams {
        LinearSvmParams::default()
    }
}

/// What a row costs that lies within the margin, or on the wrong side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginLoss {
    /// What it lacks.
    Hinge,
    /// The square of what it lacks.
    SquaredHinge,
}

/// Parameters of [`LinearSvm`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearSvmParams {
    c: f64,
    loss: MarginLoss,
    class_weight: ClassWeight,
    min_rows: usize,
    scaled: bool,
    iterations: usize,
    tolerance: f64,
    seed: u64,
}

impl Default for LinearSvmParams {
    fn default() -> Self {
        Self {
            c: 1.0,
            loss: MarginLoss::SquaredHinge,
            class_weight: ClassWeight::Equal,
            min_rows: 10,
            scaled: true,
            iterations: 1_000,
            tolerance: 1e-4,
            seed: 7,
        }
    }
}

impl LinearSvmParams {
    /// Weight of the losses against the penalty, above 0: the greater, the freer the weights; 1 unless said.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.c = c;
        self
    }

    /// What a narrow margin costs; its square unless said.
    #[must_use]
    pub fn loss(mut self, loss: MarginLoss) -> Self {
        self.loss = loss;
        self
    }

    /// What the rows of either target weigh; the same unless said.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = weight;
        self
    }

    /// Fewest training rows of a category that gets a weight of its own; rarer ones, and those that training did not
    /// have, share one; 10 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Whether numbers are brought to mean 0 and deviation 1 first; true unless said. Sparse rows never are.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Most Newton steps, or rounds through the rows; 1000 unless said.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// When the weights are taken as found, 1e-4 unless said. For Newton's steps: the largest component of the gradient
    /// of the mean loss, penalty included; for rounds: by how much rows violate what holds for the best margin, where the
    /// margin is 1.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Where drawing the order of the rows begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedLinearSvm> {
        let ranges = Ranges(MODEL);
        ranges.above_zero("c", self.c)?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.whole("iterations", self.iterations, 1..=usize::MAX)?;
        ranges.between_zero_and_one("tolerance", self.tolerance)?;
        self.class_weight.check(MODEL, 2)?;
        Ok(CheckedLinearSvm { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedLinearSvm::fit`].
    ///
    /// # Errors
    /// As [`LinearSvmParams::check`] and [`CheckedLinearSvm::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LinearSvmModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits; see [`CheckedLinearSvm::fit_sparse`].
    ///
    /// # Errors
    /// As [`LinearSvmParams::check`] and [`CheckedLinearSvm::fit_sparse`].
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<LinearSvmModel> {
        self.check()?.fit_sparse(rows, target)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedLinearSvm {
    params: LinearSvmParams,
}

impl CheckedLinearSvm {
    /// Fits a plane to a `target` of 0 and 1. Categorical features become one weight a category (a missing value is one
    /// too), of which memory holds only the position; other features are brought to mean 0 and deviation 1, a missing
    /// value to 0.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are equal, a number is
    /// infinite, the solver ends short of its tolerance, or the notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LinearSvmModel> {
        check_rows("training rows", features, target, Objective::Binary)?;
        both_classes(target)?;
        finite(features)?;
        let encoder = Encoder::fit(features, self.params.min_rows, self.params.scaled);
        let weights = self.weights(&encoder.encode(features), target)?;
        Ok(LinearSvmModel::new(Some(encoder), weights, Origin::of(&self.params)))
    }

    /// As [`CheckedLinearSvm::fit`], on sparse rows as they are.
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<LinearSvmModel> {
        trainable(rows, target, Objective::Binary)?;
        both_classes(target)?;
        let weights = self.weights(&Design::of_sparse(rows), target)?;
        Ok(LinearSvmModel::new(None, weights, Origin::of(&self.params)))
    }

    fn weights(&self, design: &Design<'_>, target: &[f64]) -> Result<Vec<f64>> {
        let p = &self.params;
        let classes = p.class_weight.of_rows(target, &[]);
        let squared = p.loss == MarginLoss::SquaredHinge;
        if !squared || design.rows < design.weights {
            let costs = (p.c * classes.0, p.c * classes.1);
            let (iterations, tolerance, seed) = (p.iterations, p.tolerance, p.seed);
            return Ok(Dual { design, target, costs, squared, iterations, tolerance, seed }.solve()?.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let penalty = 1.0 / (p.c * design.rows as f64);
        let classes = &[classes.0, classes.1];
        let loss = Loss::SquaredHinge;
        let problem = Problem { design, target, classes, own: &[], penalty, loss, free_intercept: false };
        solve(&problem, p.iterations, p.tolerance)?.settled(MODEL, p.tolerance)
    }
}
