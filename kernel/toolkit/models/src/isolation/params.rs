//! How many trees of random cuts; checked before anything is grown, and the scores that come of it.

use super::grow::{Cuts, mean_length};
use crate::check::same_features;
use crate::clustering::only_numbers;
use crate::file::{About, Described, Origin, stored};
use crate::random::Random;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_display::{stop, work};
use haetae_features::FeatureMatrix;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An isolation forest: a score of strangeness without labels.
///
/// The score is `2^(-mean length of a row's paths / mean length in a random tree)`: near 1 is strange, below 0.5 is
/// not.
///
/// Source: Liu, Ting and Zhou, *Isolation Forest*, ICDM 2008.
#[derive(Debug, Clone, Copy)]
pub struct IsolationForest;

impl IsolationForest {
    /// The parameters to start from.
    pub fn params() -> IsolationForestParams {
        IsolationForestParams::default()
    }
}

/// Parameters of [`IsolationForest`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolationForestParams {
    trees: usize,
    rows: usize,
    seed: u64,
    threads: Option<usize>,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        Self { trees: 100, rows: 256, seed: 7, threads: None }
    }
}

impl IsolationForestParams {
    /// Number of trees; 100 unless said.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Rows drawn for each tree, without replacement; 256 unless said, and all where there are fewer. More hide strange
    /// rows among themselves.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
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
    pub fn check(&self) -> Result<CheckedIsolationForest> {
        let ranges = Ranges("isolation forest");
        ranges.whole("trees", self.trees, 1..=100_000)?;
        ranges.whole("rows", self.rows, 2..=1 << 24)?;
        ranges.threads(self.threads)?;
        Ok(CheckedIsolationForest { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedIsolationForest::fit`].
    ///
    /// # Errors
    /// As [`IsolationForestParams::check`] and [`CheckedIsolationForest::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<IsolationForestModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedIsolationForest {
    params: IsolationForestParams,
}

impl CheckedIsolationForest {
    /// Grows trees of random cuts through rows without missing values and categories. A constant feature is passed
    /// over.
    ///
    /// # Errors
    /// When there are fewer than 2 rows, a value is missing or infinite, a feature is categorical, or the notebook's stop
    /// button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<IsolationForestModel> {
        if features.rows() == 0 || features.columns() == 0 {
            let (rows, columns) = (features.rows(), features.columns());
            return Err(Error::Empty { what: "training rows", rows, columns });
        }
        if features.rows() < 2 {
            return Err(Error::TooFewRows { model: "isolation forest", what: "rows", expected: 2, found: 1 });
        }
        only_numbers(features)?;
        let rows = self.params.rows.min(features.rows());
        let deepest = rows.next_power_of_two().trailing_zeros() as usize;
        let (of, done) = (self.params.trees, AtomicUsize::new(0));
        work::say("trees", 0, of);
        let one = |number: usize| {
            if stop::requested() {
                return None;
            }
            let mut random = Random::stream(self.params.seed, number as u64);
            let drawn = sample(features.rows(), rows, &mut random);
            let cuts = Cuts::grow(features, drawn, deepest, &mut random);
            work::say("trees", done.fetch_add(1, Ordering::Relaxed) + 1, of);
            Some(cuts)
        };
        let trees: Option<Vec<Cuts>> =
            with_threads(self.params.threads, || (0..of).into_par_iter().map(one).collect())?;
        let trees = trees.ok_or_else(|| Error::Cancelled { what: "trees", done: done.load(Ordering::Relaxed), of })?;
        let (names, origin) = (features.names().to_vec(), Origin::of(&self.params));
        Ok(IsolationForestModel { names, trees, rows, origin, threads: self.params.threads })
    }
}

/// So many different numbers below `of` (Floyd's method: the draws do not depend on how many there are to choose from).
fn sample(of: usize, count: usize, random: &mut Random) -> Vec<usize> {
    let mut drawn = std::collections::BTreeSet::new();
    for last in of - count..of {
        let number = random.below(last + 1);
        if !drawn.insert(number) {
            drawn.insert(last);
        }
    }
    drawn.into_iter().collect()
}

/// Trees of random cuts; see [`IsolationForest`].
#[derive(Clone)]
pub struct IsolationForestModel {
    names: Vec<String>,
    trees: Vec<Cuts>,
    rows: usize,
    origin: Origin,
    threads: Option<usize>,
}

impl std::fmt::Debug for IsolationForestModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "isolation forest, {} trees of {} rows on {} features", self.trees.len(), self.rows, self.names.len())
    }
}

impl IsolationForestModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How strange each row is, between 0 and 1; more is stranger.
    ///
    /// # Errors
    /// When the features are not those of the fit, a value is missing or infinite, or the notebook's stop button was
    /// pressed.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        same_features(&self.names, features.names())?;
        only_numbers(features)?;
        #[expect(clippy::cast_precision_loss, reason = "at most 100000 trees")]
        let scale = mean_length(self.rows) * self.trees.len() as f64;
        let score = |row: usize| {
            let lengths = self.trees.iter().map(|tree| tree.length(|feature| features.column(feature)[row]));
            if row.is_multiple_of(1024) && stop::requested() {
                None
            } else {
                Some((-lengths.sum::<f64>() / scale).exp2())
            }
        };
        let scores: Option<Vec<f64>> =
            with_threads(self.threads, || (0..features.rows()).into_par_iter().with_min_len(64).map(score).collect())?;
        scores.ok_or(Error::Cancelled { what: "scored rows", done: 0, of: features.rows() })
    }
}

stored!(IsolationForestModel { names, trees, rows, origin } anew { threads: None });

impl Described for IsolationForestModel {
    fn about(&self) -> About {
        About::of_numbers(&self.names, &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.rows > 1 && !self.trees.is_empty() && self.trees.iter().all(|tree| tree.is_sound(self.names.len()))
    }
}
