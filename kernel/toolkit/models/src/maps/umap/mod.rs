//! How a picture of UMAP is made; checked before anything is computed.

mod curve;
mod layout;
mod weights;

use super::map::PointMap;
use super::start::{points, start};
use crate::clustering::Neighbours;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use curve::Curve;
use haetae_features::FeatureMatrix;
use layout::Layout;

const MODEL: &str = "UMAP";
/// The greatest coordinate at the start.
const SIZE: f64 = 10.0;
/// Up to so many rows there are more epochs.
const FEW: usize = 10_000;

/// UMAP: a picture in which each row lies near its nearest neighbours, and groups that share none lie apart.
///
/// The nearest neighbours are exact. Points begin along the two directions in which rows differ most. In an epoch each
/// point is pulled by neighbours, the more often the greater the weight, and pushed by drawn others; all points of an
/// epoch move at once, so that the threads do not matter. There is no picture of rows that come later.
///
/// Source: McInnes, Healy and Melville, *UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction*,
/// arXiv:1802.03426.
///
/// ```
/// use haetae_features::FeatureMatrix;
/// use haetae_models::Umap;
///
/// let x: Vec<f64> = (0..60).map(|i| f64::from(i % 30) + if i < 30 { 0.0 } else { 500.0 }).collect();
/// let features = FeatureMatrix::new(vec!["x".to_owned()], vec![x], vec![false])?;
/// let map = Umap::params().neighbours(5).fit(&features)?;
/// assert_eq!(map.frame()?.shape(), (60, 2));
/// assert!(map.trustworthiness(&features, 5)? > 0.9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Umap;

impl Umap {
    /// The parameters to start from.
    pub fn params() -> UmapParams {
        UmapParams::default()
    }
}

/// Parameters of [`Umap`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct UmapParams {
    neighbours: usize,
    min_distance: f64,
    spread: f64,
    epochs: Option<usize>,
    learning_rate: f64,
    others: usize,
    scaled: bool,
    seed: u64,
    threads: Option<usize>,
}

impl Default for UmapParams {
    fn default() -> Self {
        Self {
            neighbours: 15,
            min_distance: 0.1,
            spread: 1.0,
            epochs: None,
            learning_rate: 1.0,
            others: 5,
            scaled: true,
            seed: 7,
            threads: None,
        }
    }
}

impl UmapParams {
    /// Neighbours of a row, without itself, 2 to 1000; 15 unless said. Few show fine structure, many the whole.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// How near points lie that belong together, 0 to `spread`; 0.1 unless said.
    #[must_use]
    pub fn min_distance(mut self, distance: f64) -> Self {
        self.min_distance = distance;
        self
    }

    /// The distance over which belonging together ends; 1 unless said.
    #[must_use]
    pub fn spread(mut self, distance: f64) -> Self {
        self.spread = distance;
        self
    }

    /// Rounds, 1 to 100000; unless said 500 up to 10000 rows, 200 beyond.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// The size of the first steps; they shrink to 0. 1 unless said.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = rate;
        self
    }

    /// Drawn points that push for each pull, 0 to 100; 5 unless said.
    #[must_use]
    pub fn others(mut self, others: usize) -> Self {
        self.others = others;
        self
    }

    /// Whether features are brought to mean 0 and deviation 1 first; true unless said.
    #[must_use]
    pub fn scaled(mut self, scaled: bool) -> Self {
        self.scaled = scaled;
        self
    }

    /// Where drawing begins; 7 unless said.
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
    pub fn check(&self) -> Result<CheckedUmap> {
        let ranges = Ranges(MODEL);
        ranges.whole("neighbours", self.neighbours, 2..=1000)?;
        ranges.above_zero("spread", self.spread)?;
        if !(self.min_distance >= 0.0 && self.min_distance <= self.spread) {
            return ranges.refuse("min_distance", "0 to `spread`", self.min_distance);
        }
        ranges.whole("epochs", self.epochs.unwrap_or(1), 1..=100_000)?;
        ranges.above_zero("learning_rate", self.learning_rate)?;
        ranges.whole("others", self.others, 0..=100)?;
        ranges.threads(self.threads)?;
        Ok(CheckedUmap { params: self.clone() })
    }

    /// Checks the parameters and makes the picture; see [`CheckedUmap::fit`].
    ///
    /// # Errors
    /// As [`UmapParams::check`] and [`CheckedUmap::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PointMap> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedUmap {
    params: UmapParams,
}

impl CheckedUmap {
    /// Makes the picture of rows without missing values and categories.
    ///
    /// # Errors
    /// When there are not more rows than neighbours, a value is missing or infinite, a feature is categorical, no feature
    /// varies, the points have left the numbers, or the stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<PointMap> {
        with_threads(self.params.threads, || self.run(features))?
    }

    fn run(&self, features: &FeatureMatrix) -> Result<PointMap> {
        let p = &self.params;
        let rows = features.rows();
        if rows > 0 && rows <= p.neighbours {
            let (what, expected) = ("rows, one more than `neighbours`", p.neighbours + 1);
            return Err(Error::TooFewRows { model: MODEL, what, expected, found: rows });
        }
        let points = points(MODEL, features, p.scaled)?;
        let graph = weights::graph(&Neighbours::of(&points, p.neighbours)?);
        let start = start(features, p.scaled, SIZE, false, p.seed)?;
        let epochs = p.epochs.unwrap_or(if rows <= FEW { 500 } else { 200 });
        let curve = Curve::of(p.min_distance, p.spread);
        let layout = Layout { graph: &graph, curve, learning_rate: p.learning_rate, others: p.others, seed: p.seed };
        Ok(PointMap::new(MODEL, &layout.run(start, epochs)?, p.scaled, None))
    }
}
