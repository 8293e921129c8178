//! What a forest is to be like, checked before anything is grown.

use super::fit;
use super::model::RandomForestModel;
use super::sums::MOST_CLASSES;
use crate::range::Ranges;
use crate::{ClassWeight, Error, Result};
use haetae_features::FeatureMatrix;

/// Deepest tree: explanations walk trees from root to leaf, and no useful tree is deeper.
pub(super) const MODEL: &str = "random forest";
const DEEPEST: usize = 256;

/// A random forest for a target of 0 and 1.
///
/// Each tree is grown on rows drawn with replacement; each split looks at features drawn without; the score is the mean
/// of the shares of target 1 in the leaves. Impurity is Gini's.
///
/// Source: Breiman, *Random Forests*, Machine Learning 45, 2001.
#[derive(Debug, Clone, Copy)]
pub struct RandomForest;

impl RandomForest {
    /// The parameters to start from.
    pub fn params() -> RandomForestParams {
        RandomForestParams::default()
    }
}

/// Parameters of [`RandomForest`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct RandomForestParams {
    pub(super) classes: usize,
    pub(super) trees: usize,
    pub(super) depth: usize,
    pub(super) min_rows_in_leaf: usize,
    pub(super) features_per_split: Option<usize>,
    pub(super) row_share: f64,
    pub(super) bootstrap: bool,
    pub(super) bins: usize,
    pub(super) class_weight: ClassWeight,
    pub(super) out_of_bag: bool,
    pub(super) seed: u64,
    pub(super) threads: Option<usize>,
}

impl Default for RandomForestParams {
    fn default() -> Self {
        Self {
            classes: 2,
            trees: 100,
            depth: DEEPEST,
            min_rows_in_leaf: 1,
            features_per_split: None,
            row_share: 1.0,
            bootstrap: true,
            bins: 255,
            class_weight: ClassWeight::Equal,
            out_of_bag: false,
            seed: 7,
            threads: None,
        }
    }
}

impl RandomForestParams {
    /// Number of classes, 2 to 32; 2 unless said. The target is then 0, 1 … up to one less, and a prediction has a number
    /// for each class.
    #[must_use]
    pub fn classes(mut self, classes: usize) -> Self {
        self.classes = classes;
        self
    }

    /// Number of trees; 100 unless said.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Most splits from root to leaf, 1 to 256; 256 unless said.
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Fewest drawn rows of a leaf, a row that was drawn twice counted twice; 1 unless said.
    #[must_use]
    pub fn min_rows_in_leaf(mut self, rows: usize) -> Self {
        self.min_rows_in_leaf = rows;
        self
    }

    /// Features that a split looks at, and more where none of them splits the rows; the square root of their number
    /// unless said, rounded down.
    #[must_use]
    pub fn features_per_split(mut self, features: usize) -> Self {
        self.features_per_split = Some(features);
        self
    }

    /// How many rows are drawn for a tree, as a share of all; 1 unless said.
    #[must_use]
    pub fn row_share(mut self, share: f64) -> Self {
        self.row_share = share;
        self
    }

    /// Whether rows are drawn for each tree, with replacement; otherwise each tree sees all rows. True unless said.
    #[must_use]
    pub fn bootstrap(mut self, draw: bool) -> Self {
        self.bootstrap = draw;
        self
    }

    /// Most bins of a feature besides that of missing values, 2 to 255; 255 unless said.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// How much rows weigh by their target; [`ClassWeight::Equal`] unless said.
    #[must_use]
    pub fn class_weight(mut self, weight: ClassWeight) -> Self {
        self.class_weight = weight;
        self
    }

    /// Also scores each training row by the trees that did not see it; false unless said.
    #[must_use]
    pub fn out_of_bag(mut self, score: bool) -> Self {
        self.out_of_bag = score;
        self
    }

    /// Where drawing begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The forest does not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedRandomForest> {
        let ranges = Ranges(MODEL);
        ranges.whole("classes", self.classes, 2..=MOST_CLASSES)?;
        ranges.whole("trees", self.trees, 1..=100_000)?;
        ranges.whole("depth", self.depth, 1..=DEEPEST)?;
        ranges.whole("min_rows_in_leaf", self.min_rows_in_leaf, 1..=1 << 30)?;
        ranges.whole("features_per_split", self.features_per_split.unwrap_or(1), 1..=usize::MAX)?;
        ranges.share("row_share", self.row_share)?;
        ranges.whole("bins", self.bins, 2..=255)?;
        self.class_weight.check(MODEL, self.classes)?;
        if self.out_of_bag && !self.bootstrap {
            return ranges.refuse("out_of_bag", "false where `bootstrap` is false: no row is left out", true);
        }
        ranges.threads(self.threads)?;
        Ok(CheckedRandomForest { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedRandomForest::fit`].
    ///
    /// # Errors
    /// As [`RandomForestParams::check`] and [`CheckedRandomForest::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<RandomForestModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits; see [`CheckedRandomForest::fit_weighted`].
    ///
    /// # Errors
    /// As [`RandomForestParams::check`] and [`CheckedRandomForest::fit_weighted`].
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<RandomForestModel> {
        self.check()?.fit_weighted(features, target, weights)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRandomForest {
    pub(super) params: RandomForestParams,
}

impl CheckedRandomForest {
    /// Grows a forest on `features` for a `target` of 0 and 1. A missing value (NaN) goes to the side that suits the
    /// training rows which miss it, or, where none does, to the one with more rows. Codes beyond the 254 most frequent
    /// ones of a categorical feature are taken together; a code that training did not have counts as one of those, or
    /// as missing.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are equal, a number is
    /// infinite, no feature takes two values, or the notebook's stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<RandomForestModel> {
        fit::fit(&self.params, features, target, &[])
    }

    /// As [`CheckedRandomForest::fit`], each row weighing as much as `weights` says; rows of weight 0 are left out.
    ///
    /// # Errors
    /// As there, and [`Error::Weight`] for a weight that is negative or no number.
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<RandomForestModel> {
        if weights.len() != target.len() {
            return Err(Error::Rows { what: "weights", expected: target.len(), found: weights.len() });
        }
        fit::fit(&self.params, features, target, weights)
    }
}
