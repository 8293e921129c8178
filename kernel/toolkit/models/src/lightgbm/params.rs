//! What the trees are to be like, checked before anything is grown.

use super::checked::CheckedLightGbm;
use super::goal::{Metric, Objective, OwnLoss};
use super::model::LightGbmModel;
use crate::Result;
use crate::range::Ranges;
use haetae_features::FeatureMatrix;

/// Gradient-boosted decision trees (LightGBM 4.7).
///
/// Source: Ke et al., *LightGBM: A Highly Efficient Gradient Boosting Decision Tree*, NIPS 2017.
#[derive(Debug, Clone, Copy)]
pub struct LightGbm;

impl LightGbm {
    /// The parameters to start from.
    pub fn params() -> LightGbmParams {
        LightGbmParams::default()
    }
}

/// Parameters of [`LightGbm`]; each method sets one. The defaults are the library's own, with a
/// fixed seed.
#[derive(Debug, Clone, PartialEq)]
pub struct LightGbmParams {
    pub(crate) objective: Objective,
    pub(crate) metric: Option<Metric>,
    pub(super) trees: usize,
    pub(super) leaves: usize,
    pub(super) depth: Option<usize>,
    pub(super) learning_rate: f64,
    pub(super) min_rows_in_leaf: usize,
    pub(super) row_share: f64,
    pub(super) feature_share: f64,
    pub(super) l1: f64,
    pub(super) l2: f64,
    pub(super) bins: usize,
    pub(super) seed: u32,
    pub(crate) threads: usize,
    pub(super) patience: Option<usize>,
    pub(super) increasing: Vec<String>,
    pub(super) decreasing: Vec<String>,
}

impl Default for LightGbmParams {
    fn default() -> Self {
        Self {
            objective: Objective::Binary,
            metric: None,
            trees: 100,
            leaves: 31,
            depth: None,
            learning_rate: 0.1,
            min_rows_in_leaf: 20,
            row_share: 1.0,
            feature_share: 1.0,
            l1: 0.0,
            l2: 0.0,
            bins: 255,
            seed: 7,
            threads: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(16)),
            patience: None,
            increasing: Vec::new(),
            decreasing: Vec::new(),
        }
    }
}

impl LightGbmParams {
    /// What is learnt; [`Objective::Binary`] unless said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// What early stopping looks at; unless said, AUC, the logarithmic loss of classes, or the
    /// squared error, by the objective.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }

    /// Number of trees (of rounds, where there are classes); 100 unless said.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Most leaves of a tree, 2 to 131072; 31 unless said.
    #[must_use]
    pub fn leaves(mut self, leaves: usize) -> Self {
        self.leaves = leaves;
        self
    }

    /// Most splits from root to leaf; no bound unless said.
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = Some(depth);
        self
    }

    /// Weight of each tree, above 0 and at most 1; 0.1 unless said.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Fewest training rows of a leaf; 20 unless said.
    #[must_use]
    pub fn min_rows_in_leaf(mut self, rows: usize) -> Self {
        self.min_rows_in_leaf = rows;
        self
    }

    /// Share of the rows that each tree sees, drawn anew for each; all unless said.
    #[must_use]
    pub fn row_share(mut self, share: f64) -> Self {
        self.row_share = share;
        self
    }

    /// Share of the features that each tree sees, drawn anew for each; all unless said.
    #[must_use]
    pub fn feature_share(mut self, share: f64) -> Self {
        self.feature_share = share;
        self
    }

    /// Penalty on the absolute values of leaves; 0 unless said.
    #[must_use]
    pub fn l1(mut self, penalty: f64) -> Self {
        self.l1 = penalty;
        self
    }

    /// Penalty on the squared values of leaves; 0 unless said.
    #[must_use]
    pub fn l2(mut self, penalty: f64) -> Self {
        self.l2 = penalty;
        self
    }

    /// Most distinct values of a feature that are kept apart, 2 to 65535; 255 unless said.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// Where drawing rows and features begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u32) -> Self {
        self.seed = seed;
        self
    }

    /// Threads; the machine's cores (16 at most) unless said. Sums of another number of threads may
    /// differ in their last bits: set it where models of two machines must be equal.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Stops when so many trees in a row have not bettered the metric on validation rows, and keeps
    /// the trees up to the best; never unless said, and only in a fit with validation rows.
    #[must_use]
    pub fn patience(mut self, trees: usize) -> Self {
        self.patience = Some(trees);
        self
    }

    /// Features that may only raise the score as they grow, others equal.
    #[must_use]
    pub fn increasing(mut self, names: &[String]) -> Self {
        self.increasing = names.to_vec();
        self
    }

    /// Features that may only lower the score as they grow, others equal.
    #[must_use]
    pub fn decreasing(mut self, names: &[String]) -> Self {
        self.decreasing = names.to_vec();
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedLightGbm> {
        let ranges = Ranges("LightGBM");
        ranges.whole("trees", self.trees, 1..=100_000)?;
        ranges.whole("leaves", self.leaves, 2..=131_072)?;
        ranges.whole("min_rows_in_leaf", self.min_rows_in_leaf, 1..=1_000_000_000)?;
        ranges.whole("bins", self.bins, 2..=65_535)?;
        ranges.threads(Some(self.threads))?;
        ranges.whole("depth", self.depth.unwrap_or(1), 1..=1000)?;
        ranges.whole("patience", self.patience.unwrap_or(1), 1..=100_000)?;
        if self.seed > i32::MAX as u32 {
            return ranges.refuse("seed", "0 to 2147483647", self.seed);
        }
        if let Objective::Classes(classes) = self.objective {
            ranges.whole("objective (classes)", classes, 2..=10_000)?;
        }
        ranges.share("learning_rate", self.learning_rate)?;
        ranges.share("row_share", self.row_share)?;
        ranges.share("feature_share", self.feature_share)?;
        ranges.not_below_zero("l1", self.l1)?;
        ranges.not_below_zero("l2", self.l2)?;
        if let Some(both) = self.increasing.iter().find(|name| self.decreasing.contains(name)) {
            return ranges.refuse("increasing", "no feature that is also decreasing", both);
        }
        let metric = self.metric.unwrap_or(match self.objective {
            Objective::Binary => Metric::Auc,
            Objective::Classes(_) => Metric::LogLoss,
            Objective::Value => Metric::SquaredError,
        });
        if !metric.fits(self.objective) {
            let found = format_args!("{metric:?} for {:?}", self.objective);
            return ranges.refuse("metric", "one that fits the objective", found);
        }
        Ok(CheckedLightGbm { params: self.clone(), metric })
    }

    /// Checks the parameters and fits; see [`CheckedLightGbm::fit`].
    ///
    /// # Errors
    /// As [`LightGbmParams::check`] and [`CheckedLightGbm::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LightGbmModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits with validation rows; see [`CheckedLightGbm::fit_valid`].
    ///
    /// # Errors
    /// As [`LightGbmParams::check`] and [`CheckedLightGbm::fit_valid`].
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: &FeatureMatrix,
        valid_target: &[f64],
    ) -> Result<LightGbmModel> {
        self.check()?.fit_valid(features, target, valid, valid_target)
    }

    /// Checks the parameters and fits rows that weigh differently; see [`CheckedLightGbm::fit_weighted`].
    ///
    /// # Errors
    /// As [`LightGbmParams::check`] and [`CheckedLightGbm::fit_weighted`].
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<LightGbmModel> {
        self.check()?.fit_weighted(features, target, weights)
    }

    /// Checks the parameters and fits to a loss of one's own; see [`CheckedLightGbm::fit_own`].
    ///
    /// # Errors
    /// As [`LightGbmParams::check`] and [`CheckedLightGbm::fit_own`].
    pub fn fit_own(&self, features: &FeatureMatrix, target: &[f64], loss: OwnLoss<'_>) -> Result<LightGbmModel> {
        self.check()?.fit_own(features, target, loss)
    }
}
