//! How a picture of t-SNE is made; checked before anything is computed.

mod affinity;
mod descent;

use super::map::PointMap;
use super::start::{points, start};
use crate::clustering::Neighbours;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use descent::Descent;
use haetae_features::FeatureMatrix;

const MODEL: &str = "t-SNE";
/// Up to so many rows every push is computed.
const EXACT: usize = 500;
/// Neighbours of a row beside its perplexity: what is further away has no weight worth the time.
const NEIGHBOURS: f64 = 3.0;
/// Standard deviation of the first coordinate at the start.
const SIZE: f64 = 1e-4;

/// t-SNE: a picture in which each row lies near those that are its neighbours.
///
/// Each row has weights for its neighbours, a normal distribution of such a width that it has `perplexity` of them; the
/// points are moved until Student's distribution between them gives the same weights. Up to 500 rows it is exact, beyond
/// the pushes are those of Barnes and Hut's tree, and neighbours beyond three times the perplexity do not pull. There is no picture of rows that come later: the picture is of all.
///
/// Sources: van der Maaten and Hinton, *Visualizing data using t-SNE*, JMLR 9, 2008; van der Maaten, *Accelerating t-SNE
/// using tree-based algorithms*, JMLR 15, 2014; the learning rate: Belkina et al., *Automated optimized parameters for
/// t-distributed stochastic neighbor embedding*, Nature Communications 10, 2019.
///
/// ```
/// use haetae_features::FeatureMatrix;
/// use haetae_models::Tsne;
///
/// // Two groups of points on a line.
/// let x: Vec<f64> = (0..60).map(|i| f64::from(i % 30) + if i < 30 { 0.0 } else { 500.0 }).collect();
/// let features = FeatureMatrix::new(vec!["x".to_owned()], vec![x], vec![false])?;
/// let map = Tsne::params().perplexity(5.0).fit(&features)?;
/// assert_eq!(map.frame()?.shape(), (60, 2));
/// assert!(map.trustworthiness(&features, 5)? > 0.9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Tsne;

impl Tsne {
    /// The parameters to start from.
    pub fn params() -> TsneParams {
        TsneParams::default()
    }
}

/// Parameters of [`Tsne`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct TsneParams {
    perplexity: f64,
    iterations: usize,
    early: usize,
    exaggeration: f64,
    learning_rate: Option<f64>,
    angle: f64,
    scaled: bool,
    seed: u64,
    threads: Option<usize>,
}

impl Default for TsneParams {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            iterations: 1000,
            early: 250,
            exaggeration: 12.0,
            learning_rate: None,
            angle: 0.5,
            scaled: true,
            seed: 7,
            threads: None,
        }
    }
}

impl TsneParams {
    /// How many neighbours a row has, at least 1 and smoothly counted; 30 unless said.
    #[must_use]
    pub fn perplexity(mut self, neighbours: f64) -> Self {
        self.perplexity = neighbours;
        self
    }

    /// Steps, 1 to 100000; 1000 unless said.
    #[must_use]
    pub fn iterations(mut self, steps: usize) -> Self {
        self.iterations = steps;
        self
    }

    /// In how many of the first steps neighbours pull harder, so that groups find together; 250 unless said.
    #[must_use]
    pub fn early(mut self, steps: usize) -> Self {
        self.early = steps;
        self
    }

    /// How many times as hard they do; 12 unless said.
    #[must_use]
    pub fn exaggeration(mut self, times: f64) -> Self {
        self.exaggeration = times;
        self
    }

    /// The size of a step; unless said the rows divided by four times the exaggeration, and at least 50.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = Some(rate);
        self
    }

    /// How wide a square of far points may be, as a share of its distance, to count as one point; 0 to 0.7, 0.5 unless
    /// said. With 0 every push is computed, in a time that grows with the square of the rows; pulls are still those of
    /// near neighbours alone, beyond 500 rows.
    #[must_use]
    pub fn angle(mut self, share: f64) -> Self {
        self.angle = share;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// What sets equal rows apart at the start; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads, 1 to 1024; all cores unless said. The picture does not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedTsne> {
        let ranges = Ranges(MODEL);
        if !(self.perplexity >= 1.0 && self.perplexity <= 10_000.0) {
            return ranges.refuse("perplexity", "1 to 10000", self.perplexity);
        }
        ranges.whole("iterations", self.iterations, 1..=100_000)?;
        ranges.whole("early", self.early, 0..=100_000)?;
        if !(self.exaggeration >= 1.0 && self.exaggeration.is_finite()) {
            return ranges.refuse("exaggeration", "a finite number of at least 1", self.exaggeration);
        }
        ranges.above_zero("learning_rate", self.learning_rate.unwrap_or(1.0))?;
        if !(0.0..=0.7).contains(&self.angle) {
            return ranges.refuse("angle", "0 to 0.7", self.angle);
        }
        ranges.threads(self.threads)?;
        Ok(CheckedTsne { params: self.clone() })
    }

    /// Checks the parameters and makes the picture; see [`CheckedTsne::fit`].
    ///
    /// # Errors
    /// As [`TsneParams::check`] and [`CheckedTsne::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PointMap> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTsne {
    params: TsneParams,
}

impl CheckedTsne {
    /// Makes the picture of rows without missing values and categories.
    ///
    /// # Errors
    /// When there are not at least two rows more than the perplexity, a value is missing or infinite, a feature is
    /// categorical, no feature varies, the points have left the numbers, or the stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PointMap> {
        with_threads(self.params.threads, || self.run(features))?
    }

    fn run(&self, features: &FeatureMatrix) -> Result<PointMap> {
        let p = &self.params;
        let rows = features.rows();
        if rows > 0 {
            at_least(rows, p.perplexity)?;
        }
        let points = points(MODEL, features, p.scaled)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10000")]
        let each = if rows <= EXACT { rows - 1 } else { ((NEIGHBOURS * p.perplexity) as usize).min(rows - 1) };
        let graph = affinity::graph(&Neighbours::of(&points, each)?, p.perplexity);
        let start = start(features, p.scaled, SIZE, true, p.seed)?;
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let learning_rate = p.learning_rate.unwrap_or((rows as f64 / p.exaggeration / 4.0).max(50.0));
        let angle = (rows > EXACT && p.angle > 0.0).then_some(p.angle);
        let mut descent = Descent::new(&graph, start, learning_rate, angle);
        descent.run(p.iterations, p.early, p.exaggeration)?;
        let divergence = descent.divergence();
        Ok(PointMap::new(MODEL, descent.points(), p.scaled, Some(divergence)))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10000")]
fn at_least(rows: usize, perplexity: f64) -> Result<()> {
    let expected = perplexity.ceil() as usize + 2;
    if rows >= expected {
        return Ok(());
    }
    let what = "rows, two more than `perplexity`";
    Err(Error::TooFewRows { model: MODEL, what, expected, found: rows })
}
