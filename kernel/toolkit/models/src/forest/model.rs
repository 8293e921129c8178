//! Grown trees: scores, what they rest on, and what the rows that a tree did not see say of them.

use super::bag::{Bag, OutOfBag};
use super::bins::Binner;
use super::params::RandomForestParams;
use super::shap::{Room, Walk};
use super::sums::MOST_CLASSES;
use super::tree::Tree;
use crate::check::{check_categories, finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::threads::with_threads;
use crate::{Contributions, Error, Result, permutation_importance};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use rayon::prelude::*;

/// Rows that are scored at a time: a tree stays in the cache for so many.
const SCORED: usize = 512;
/// Rows that are explained at a time: the tables of a tree stay in the cache for so many.
const EXPLAINED: usize = 16;
/// Steps of trees whose tables are held at a time, of 160 bytes each.
const STEPS: usize = 1 << 19;

/// A forest that has been grown; see [`super::RandomForest`].
#[derive(Clone)]
pub struct RandomForestModel {
    binner: Binner,
    trees: Vec<Tree>,
    classes: usize,
    decreases: Vec<f64>,
    out_of_bag: Bag,
    origin: Origin,
    threads: Option<usize>,
}

impl std::fmt::Debug for RandomForestModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "random forest, {} trees on {} features", self.trees.len(), self.names().len())
    }
}

impl RandomForestModel {
    pub(super) fn new(
        binner: Binner,
        trees: Vec<Tree>,
        decreases: Vec<f64>,
        out_of_bag: Option<OutOfBag>,
        params: &RandomForestParams,
    ) -> Self {
        let origin = Origin::of(params);
        let (classes, threads) = (params.classes, params.threads);
        Self { binner, trees, classes, decreases, out_of_bag: Bag(out_of_bag), origin, threads }
    }

    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.binner.names
    }

    /// Number of trees.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Numbers that a prediction has for each row.
    fn width(&self) -> usize {
        if self.classes == 2 { 1 } else { self.classes }
    }

    /// Nodes of all trees, leaves included.
    pub fn nodes(&self) -> usize {
        self.trees.iter().map(Tree::len).sum()
    }

    /// Splits from the root to the lowest leaf of all trees.
    pub fn depth(&self) -> usize {
        self.trees.iter().map(Tree::depth).max().unwrap_or(0)
    }

    /// Probability of 1 for each row: the mean, over the trees, of the share of target 1 in the row's leaf. With more than
    /// two classes, the probability of each class, row after row.
    ///
    /// # Errors
    /// [`Error::FeatureMismatch`] when the features are not those of the fit, [`Error::Infinite`] and
    /// [`Error::Category`] for a value that is no number or no code.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        let mut scores = vec![0.0; features.rows() * self.width()];
        self.blocks(features, self.width(), SCORED, &mut scores, &|bins, score| {
            self.trees.iter().for_each(|tree| tree.add_scores(bins, self.names().len(), score));
            #[expect(clippy::cast_precision_loss, reason = "at most 100000 trees")]
            score.iter_mut().for_each(|score| *score /= self.trees.len() as f64);
        })?;
        Ok(scores)
    }

    /// What each feature adds to the probability of each row (SHAP values along the paths of the trees). All of a row's
    /// contributions and the expected value sum to what [`RandomForestModel::predict`] says.
    ///
    /// Exact: Shapley values are an integral over a polynomial for each leaf, for which Gauss and Legendre's rule with
    /// half as many points as there are features on a path is exact.
    ///
    /// Sources: Lundberg et al., *Consistent individualized feature attribution for tree ensembles*, 2018 (what is
    /// computed); Owen, *Multilinear extensions of games*, 1972 (the integral).
    ///
    /// # Errors
    /// As [`RandomForestModel::predict`].
    pub fn contributions(&self, features: &FeatureMatrix) -> Result<Contributions> {
        let (width, classes) = (self.names().len(), self.width());
        let each = classes * (width + 1);
        let mut values = vec![0.0; features.rows() * each];
        let mut next = 0;
        while next < self.trees.len() {
            let from = next;
            let mut walks: Vec<Walk> = Vec::new();
            let mut steps = 0;
            while next < self.trees.len() && (walks.is_empty() || steps + 2 * self.trees[next].len() < STEPS) {
                walks.push(Walk::new(&self.trees[next]));
                steps += walks.last().map_or(0, Walk::len);
                next += 1;
            }
            let trees = &self.trees[from..next];
            self.blocks(features, each, EXPLAINED, &mut values, &|bins, values| {
                let mut room = Room::default();
                for (walk, tree) in walks.iter().zip(trees) {
                    for (row, values) in bins.chunks_exact(width).zip(values.chunks_exact_mut(each)) {
                        for (class, values) in values.chunks_exact_mut(width + 1).enumerate() {
                            walk.explain((tree, class), row, &mut values[..width], &mut room);
                            values[width] += tree.value(0, class);
                        }
                    }
                }
            })?;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 100000 trees")]
        values.iter_mut().for_each(|value| *value /= self.trees.len() as f64);
        Ok(Contributions { names: self.names().to_vec(), rows: features.rows(), classes, values })
    }

    /// Features by how much their splits decrease the impurity, as shares of the whole, greatest first; equal ones in
    /// their order. It favours features of many values: [`RandomForestModel::permutation_importance`] does not.
    pub fn importance(&self) -> Vec<(String, f64)> {
        let mut pairs: Vec<(String, f64)> = self.names().iter().cloned().zip(self.decreases.iter().copied()).collect();
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
        pairs
    }

    /// How much the AUC on these rows falls when a feature's values are exchanged between them; see
    /// [`permutation_importance`]. Of two classes only.
    ///
    /// # Errors
    /// As there.
    pub fn permutation_importance(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        repeats: usize,
        seed: u64,
    ) -> Result<DataFrame> {
        permutation_importance(&|features| self.predict(features), features, target, repeats, seed)
    }

    /// What the trees that did not see a training row say of it; `None` unless
    /// [`super::RandomForestParams::out_of_bag`] was set.
    pub fn out_of_bag(&self) -> Option<&OutOfBag> {
        self.out_of_bag.0.as_ref()
    }

    /// Binned rows, block after block, to `width` numbers a row.
    fn blocks(
        &self,
        features: &FeatureMatrix,
        width: usize,
        block: usize,
        values: &mut [f64],
        fill: &(dyn Fn(&[u8], &mut [f64]) + Sync),
    ) -> Result<()> {
        same_types(self.names(), &|i| self.binner.is_categorical(i), features)?;
        finite(features)?;
        check_categories(features)?;
        let stopped = with_threads(self.threads, || {
            values.par_chunks_mut(block * width).enumerate().any(|(number, chunk)| {
                let from = number * block;
                let mut bins = Vec::new();
                self.binner.rows(features, from..from + chunk.len() / width, &mut bins);
                fill(&bins, chunk);
                stop::requested()
            })
        })?;
        if stopped {
            return Err(Error::Cancelled { what: "scored rows", done: 0, of: features.rows() });
        }
        Ok(())
    }
}

stored!(RandomForestModel { binner, trees, classes, decreases, out_of_bag, origin } anew { threads: None });

impl Described for RandomForestModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.binner.is_categorical(i), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let features = self.names().len();
        let trees = !self.trees.is_empty() && self.trees.iter().all(|tree| tree.is_sound(features, self.width()));
        let classes = (2..=MOST_CLASSES).contains(&self.classes);
        let bag = self.out_of_bag.0.as_ref().is_none_or(|bag| bag.is_sound(self.width()));
        trees && classes && bag && self.binner.is_sound() && self.decreases.len() == features
    }
}
