//! How strongly the weights are held back, checked before anything is fitted.

use super::model::LogisticModel;
use crate::check::{check_rows, finite, own_weights};
use crate::file::Origin;
use crate::linear::{Design, Encoder, Loss, Problem, SparseMatrix, solve, solve_absolute, trainable};
use crate::metrics::both_classes;
use crate::range::Ranges;
use crate::unit::sized;
use crate::{ClassWeight, Error, Objective, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "logistic regression";
/// What all losses weigh at least beside the penalty: below, squares of the model's weights would not be told from 0.
const LIGHTEST: f64 = 1e-100;

/// Binary logistic regression. Minimises `sum of log losses + |weights|^2 / (2 c)`, or with
/// [`Penalty::L1`] the sum of absolute weights over `c`; the intercept is free. Those are the problems which
/// scikit-learn's `LogisticRegression(C=c)` solves, with `l1_ratio=1` and `solver="saga"` the second.
#[derive(Debug, Clone, Copy)]
pub struct Logistic;

impl Logistic {
    /// The parameters to start from.
    pub fn params() -> LogisticParams {
        LogisticParams::default()
    }
}

/// What holds the weights back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Penalty {
    /// Half of the sum of their squares: all become smaller.
    L2,
    /// The sum of their absolute values: many become 0, which chooses features.
    L1,
}

/// Parameters of [`Logistic`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticParams {
    c: f64,
    penalty: Penalty,
    pub(super) min_rows: usize,
    iterations: usize,
    tolerance: f64,
    class_weight: ClassWeight,
}

impl Default for LogisticParams {
    fn default() -> Self {
        let class_weight = ClassWeight::Equal;
        Self { c: 0.1, penalty: Penalty::L2, min_rows: 10, iterations: 100, tolerance: 1e-7, class_weight }
    }
}

impl LogisticParams {
    /// Weight of the losses against the penalty, above 0: the greater, the freer the weights; 0.1
    /// unless said.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.c = c;
        self
    }

    /// What holds the weights back; [`Penalty::L2`] unless said.
    #[must_use]
    pub fn penalty(mut self, penalty: Penalty) -> Self {
        self.penalty = penalty;
        self
    }

    /// Fewest training rows of a category that gets a weight of its own; rarer ones, and those
    /// that training did not have, share one; 10 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Most Newton steps, 1 to 1000000; 100 unless said. Ten are usual. With [`Penalty::L1`] there are a hundred times as many
    /// gradient steps.
    #[must_use]
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations;
        self
    }

    /// Largest component of the gradient (of the mean loss, penalty included) at which the
    /// weights are taken as found; 1e-7 unless said.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// What the rows of either target weigh; the same unless said.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = weight;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedLogistic> {
        self.check_as(MODEL, 2)?;
        Ok(CheckedLogistic { params: self.clone() })
    }

    /// As parameters of a model of so many classes.
    pub(super) fn check_as(&self, model: &'static str, classes: usize) -> Result<()> {
        let ranges = Ranges(model);
        ranges.above_zero("c", self.c)?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.whole("iterations", self.iterations, 1..=1_000_000)?;
        ranges.between_zero_and_one("tolerance", self.tolerance)?;
        self.class_weight.check(model, classes)
    }

    /// The best weights of rows whose target is one of so many classes, and which weigh `own` by themselves.
    pub(super) fn weights(
        &self,
        model: &'static str,
        design: &Design<'_>,
        target: &[f64],
        own: Option<&[f64]>,
        loss: Loss,
        classes: usize,
    ) -> Result<Vec<f64>> {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rows = design.rows as f64;
        // Brought to a mean of 1, so that the tolerance means the same whatever they sum to.
        let (sized, unit) = sized(own.unwrap_or_default());
        let mean: f64 = own.map_or(1.0, |_| sized.iter().map(|weight| weight / rows).sum());
        let own: Vec<f64> = sized.iter().map(|weight| weight / mean).collect();
        let of_losses = self.c * unit * mean * rows;
        if of_losses < LIGHTEST {
            return Err(Error::TooLight { model, found: of_losses, least: LIGHTEST });
        }
        let (own, penalty) = (own.as_slice(), 1.0 / of_losses);
        let classes = &self.class_weight.of_classes(target, own, classes);
        let problem = Problem { design, target, classes, own, penalty, loss, free_intercept: true };
        let found = match self.penalty {
            Penalty::L2 => solve(&problem, self.iterations, self.tolerance)?,
            Penalty::L1 => solve_absolute(&problem, self.iterations * 100, self.tolerance)?,
        };
        found.settled(model, self.tolerance)
    }

    /// Checks the parameters and fits; see [`CheckedLogistic::fit`].
    ///
    /// # Errors
    /// As [`LogisticParams::check`] and [`CheckedLogistic::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LogisticModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits; see [`CheckedLogistic::fit_weighted`].
    ///
    /// # Errors
    /// As [`LogisticParams::check`] and [`CheckedLogistic::fit_weighted`].
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<LogisticModel> {
        self.check()?.fit_weighted(features, target, weights)
    }

    /// Checks the parameters and fits; see [`CheckedLogistic::fit_sparse`].
    ///
    /// # Errors
    /// As [`LogisticParams::check`] and [`CheckedLogistic::fit_sparse`].
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<LogisticModel> {
        self.check()?.fit_sparse(rows, target)
    }

    /// Checks the parameters and fits; see [`CheckedLogistic::fit_sparse_weighted`].
    ///
    /// # Errors
    /// As [`LogisticParams::check`] and [`CheckedLogistic::fit_sparse_weighted`].
    pub fn fit_sparse_weighted(&self, rows: &SparseMatrix, target: &[f64], weights: &[f64]) -> Result<LogisticModel> {
        self.check()?.fit_sparse_weighted(rows, target, weights)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedLogistic {
    params: LogisticParams,
}

impl CheckedLogistic {
    /// Fits weights to a `target` of 0 and 1. Categorical features become one weight a category
    /// (a missing value is one too); other features are brought to mean 0 and deviation 1, a
    /// missing value to 0.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are
    /// equal, a number is infinite, or the solver ends short of its tolerance.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LogisticModel> {
        self.on_features(features, target, None)
    }

    /// As [`CheckedLogistic::fit`], the loss of each row taken as often as `weights` says. Mean and deviation of a number,
    /// and least rows of a category, are counted, not weighed.
    ///
    /// # Errors
    /// As there, [`Error::Rows`] for more or fewer weights than rows, [`Error::Weight`] for one that is
    /// negative or no finite number; [`Error::TooLight`] where all of them together, times `c`, are next to nothing; and where
    /// only rows of one target, or none, weigh anything.
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<LogisticModel> {
        self.on_features(features, target, Some(weights))
    }

    fn on_features(&self, features: &FeatureMatrix, target: &[f64], own: Option<&[f64]>) -> Result<LogisticModel> {
        check_rows("training rows", features, target, Objective::Binary)?;
        both_classes(target)?;
        finite(features)?;
        let own = own_weights(own, target, Objective::Binary)?;
        let encoder = Encoder::fit(features, self.params.min_rows, true);
        let weights = self.params.weights(MODEL, &encoder.encode(features), target, own, Loss::Log, 2)?;
        Ok(LogisticModel::new(Some(encoder), weights, Origin::of(&self.params)))
    }

    /// As [`CheckedLogistic::fit`], on sparse rows as they are, a weight for each column.
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse(&self, rows: &SparseMatrix, target: &[f64]) -> Result<LogisticModel> {
        self.on_sparse(rows, target, None)
    }

    /// As [`CheckedLogistic::fit_sparse`], with `weights` as of [`CheckedLogistic::fit_weighted`].
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse_weighted(&self, rows: &SparseMatrix, target: &[f64], weights: &[f64]) -> Result<LogisticModel> {
        self.on_sparse(rows, target, Some(weights))
    }

    fn on_sparse(&self, rows: &SparseMatrix, target: &[f64], own: Option<&[f64]>) -> Result<LogisticModel> {
        trainable(rows, target, Objective::Binary)?;
        both_classes(target)?;
        let own = own_weights(own, target, Objective::Binary)?;
        let weights = self.params.weights(MODEL, &Design::of_sparse(rows), target, own, Loss::Log, 2)?;
        Ok(LogisticModel::new(None, weights, Origin::of(&self.params)))
    }
}
