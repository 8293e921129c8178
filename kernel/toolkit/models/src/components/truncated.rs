//! Rows, dense or sparse -> the directions in which most of their length lies, without looking at all of them.
//!
//! Sources: Halko, Martinsson and Tropp, *Finding structure with randomness*, SIAM Review 53, 2011: drawn directions, and
//! rounds that turn them to the greatest ones; the rounds go on until the singular values stand still.

use super::svd::{Columns, singular};
use crate::clustering::{Points, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::linear::{SparseMatrix, dot};
use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;

const MODEL: &str = "truncated SVD";
/// Directions beside those that are asked for; they make the rounds fewer.
const SPARE: usize = 10;
/// Tasks that rows are split into, each of which holds sums of its own; and the fewest rows of one. Fixed, so that sums do
/// not depend on the threads.
const TASKS: usize = 16;
const FEWEST: usize = 1024;

/// The greatest singular values of rows as they are (they are not centred) and their directions: for sparse rows this is
/// latent semantic analysis. The time grows with stored numbers times components.
#[derive(Debug, Clone, Copy)]
pub struct TruncatedSvd;

impl TruncatedSvd {
    /// The parameters to start from.
    pub fn params() -> TruncatedSvdParams {
        TruncatedSvdParams::default()
    }
}

/// Parameters of [`TruncatedSvd`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct TruncatedSvdParams {
    components: usize,
    iterations: usize,
    tolerance: f64,
    seed: u64,
}

impl Default for TruncatedSvdParams {
    fn default() -> Self {
        Self { components: 2, iterations: 300, tolerance: 1e-10, seed: 7 }
    }
}

impl TruncatedSvdParams {
    /// Directions that are kept, 1 to 10000; 2 unless said.
    #[must_use]
    pub fn components(mut self, components: usize) -> Self {
        self.components = components;
        self
    }

    /// Most rounds; 300 unless said. Singular values that are nearly equal take many.
    #[must_use]
    pub fn iterations(mut self, rounds: usize) -> Self {
        self.iterations = rounds;
        self
    }

    /// By which share of the greatest singular value another may still change in a round; 1e-10 unless said.
    #[must_use]
    pub fn tolerance(mut self, share: f64) -> Self {
        self.tolerance = share;
        self
    }

    /// Where drawing begins; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedTruncatedSvd> {
        let ranges = Ranges(MODEL);
        ranges.whole("components", self.components, 1..=10_000)?;
        ranges.whole("iterations", self.iterations, 1..=usize::MAX)?;
        ranges.between_zero_and_one("tolerance", self.tolerance)?;
        Ok(CheckedTruncatedSvd { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedTruncatedSvd::fit`].
    ///
    /// # Errors
    /// As [`TruncatedSvdParams::check`] and [`CheckedTruncatedSvd::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<TruncatedSvdModel> {
        self.check()?.fit(features)
    }

    /// Checks the parameters and fits; see [`CheckedTruncatedSvd::fit_sparse`].
    ///
    /// # Errors
    /// As [`TruncatedSvdParams::check`] and [`CheckedTruncatedSvd::fit_sparse`].
    pub fn fit_sparse(&self, rows: &SparseMatrix) -> Result<TruncatedSvdModel> {
        self.check()?.fit_sparse(rows)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTruncatedSvd {
    params: TruncatedSvdParams,
}

/// Rows as they come.
enum Rows<'a> {
    Dense(&'a Points),
    Sparse(&'a SparseMatrix),
}

impl Rows<'_> {
    fn size(&self) -> (usize, usize) {
        match self {
            Self::Dense(points) => (points.rows, points.columns),
            Self::Sparse(rows) => (rows.rows(), rows.columns()),
        }
    }

    fn each(&self, row: usize, mut visit: impl FnMut(usize, f64)) {
        match self {
            Self::Dense(points) => points.row(row).iter().enumerate().for_each(|(i, &value)| visit(i, value)),
            Self::Sparse(rows) => {
                let (positions, values) = rows.row(row);
                positions.iter().zip(values).for_each(|(&i, &value)| visit(i as usize, value));
            }
        }
    }

    /// The products of each row with each direction, row after row; `basis` has all directions of a feature side by side.
    /// None where the wish to stop came first.
    fn along(&self, basis: &[f64], count: usize) -> Option<Vec<f64>> {
        let mut products = vec![0.0; self.size().0 * count];
        products.par_chunks_mut(FEWEST * count).enumerate().try_for_each(|(part, products)| {
            for (offset, products) in products.chunks_exact_mut(count).enumerate() {
                self.each(part * FEWEST + offset, |i, value| {
                    let own = &basis[i * count..(i + 1) * count];
                    products.iter_mut().zip(own).for_each(|(product, own)| *product += value * own);
                });
            }
            (!stop::requested()).then_some(())
        })?;
        Some(products)
    }

    /// The sums of the rows, each times its products: what `along` leaves of the features, for each direction. None where
    /// the wish to stop came first.
    fn back(&self, products: &[f64], count: usize) -> Option<Vec<f64>> {
        let size = self.size().0.div_ceil(TASKS).max(FEWEST);
        let sums = products.par_chunks(size * count).enumerate().map(|(part, products)| {
            let mut sums = vec![0.0; self.size().1 * count];
            for (offset, products) in products.chunks_exact(count).enumerate() {
                if offset.is_multiple_of(FEWEST) && stop::requested() {
                    return None;
                }
                self.each(part * size + offset, |i, value| {
                    let own = &mut sums[i * count..(i + 1) * count];
                    own.iter_mut().zip(products).for_each(|(sum, product)| *sum += value * product);
                });
            }
            Some(sums)
        });
        let mut total = vec![0.0; self.size().1 * count];
        for sums in sums.collect::<Option<Vec<_>>>()? {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        Some(total)
    }
}

impl CheckedTruncatedSvd {
    /// Finds the directions of rows without missing values and categories, as they are.
    ///
    /// # Errors
    /// When there are no rows, more components are asked for than there are rows or features, a value is missing or
    /// infinite, a feature is categorical, the singular values do not stand still in so many rounds, or the notebook's
    /// stop button was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<TruncatedSvdModel> {
        let points = Scaling::fit("training rows", features, false)?.points(features)?;
        self.solve(&Rows::Dense(&points), features.names().to_vec())
    }

    /// As [`CheckedTruncatedSvd::fit`], of sparse rows.
    ///
    /// # Errors
    /// As there.
    pub fn fit_sparse(&self, rows: &SparseMatrix) -> Result<TruncatedSvdModel> {
        if rows.rows() == 0 || rows.columns() == 0 {
            return Err(Error::Empty { what: "training rows", rows: rows.rows(), columns: rows.columns() });
        }
        self.solve(&Rows::Sparse(rows), Vec::new())
    }

    fn solve(&self, rows: &Rows<'_>, names: Vec<String>) -> Result<TruncatedSvdModel> {
        let p = &self.params;
        let (count, columns) = rows.size();
        let most = count.min(columns);
        if p.components > most {
            let what = "rows and features, as many as components,";
            return Err(Error::TooFewRows { model: MODEL, what, expected: p.components, found: most });
        }
        let wide = (p.components + SPARE).min(most);
        let mut random = Random::new(p.seed);
        let mut basis: Vec<f64> = (0..columns * wide).map(|_| random.unit() - 0.5).collect();
        upright(&mut basis, wide);
        let mut before = vec![0.0; p.components];
        let mut change = f64::INFINITY;
        for round in 0..p.iterations {
            step("rounds", round, p.iterations)?;
            let cancelled = || Error::Cancelled { what: "rounds", done: round, of: p.iterations };
            let products = rows.along(&basis, wide).ok_or_else(cancelled)?;
            let (values, turns) = singular(&Points { rows: count, columns: wide, values: products.clone() })?;
            let greatest = values.first().copied().unwrap_or(0.0);
            let moved = values.iter().zip(&before).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
            change = if greatest > 0.0 { moved / greatest } else { 0.0 };
            if change <= p.tolerance {
                let directions = turned(&basis, &turns[..p.components], wide);
                let (singular, origin) = (values[..p.components].to_vec(), Origin::of(p));
                return Ok(TruncatedSvdModel { names, columns, directions, singular, origin });
            }
            before = values[..p.components].to_vec();
            basis = rows.back(&products, wide).ok_or_else(cancelled)?;
            upright(&mut basis, wide);
        }
        let (iterations, tolerance) = (p.iterations, p.tolerance);
        Err(Error::NotSteady { model: MODEL, iterations, change, tolerance })
    }
}

/// Makes directions unit vectors at right angles (Gram and Schmidt, twice, which is as good as it gets).
fn upright(basis: &mut [f64], count: usize) {
    let columns = basis.len() / count;
    let mut all: Columns = (0..count).map(|k| (0..columns).map(|i| basis[i * count + k]).collect()).collect();
    for k in 0..count {
        let (known, rest) = all.split_at_mut(k);
        let own = &mut rest[0];
        let length = |own: &[f64]| dot(own, own).sqrt();
        let first = length(own);
        for _ in 0..2 {
            for other in known.iter() {
                let along = dot(own, other);
                own.iter_mut().zip(other).for_each(|(own, other)| *own -= along * other);
            }
        }
        let left = length(own);
        // What is rounding alone is no direction.
        let scale = if left > 1e-14 * first && left > 0.0 { 1.0 / left } else { 0.0 };
        own.iter_mut().for_each(|value| *value *= scale);
    }
    for (k, own) in all.iter().enumerate() {
        own.iter().enumerate().for_each(|(i, &value)| basis[i * count + k] = value);
    }
}

/// The directions within `basis` that `turns` say, each with the sign at which its greatest number is positive.
fn turned(basis: &[f64], turns: &[Vec<f64>], count: usize) -> Columns {
    let one = |turn: &Vec<f64>| {
        let mut direction: Vec<f64> = basis.chunks_exact(count).map(|own| dot(own, turn)).collect();
        super::set_sign(&mut direction);
        direction
    };
    turns.iter().map(one).collect()
}

/// Directions that have been found; see [`TruncatedSvd`].
#[derive(Clone)]
pub struct TruncatedSvdModel {
    /// Empty where it was fitted on sparse rows.
    names: Vec<String>,
    columns: usize,
    directions: Columns,
    singular: Vec<f64>,
    origin: Origin,
}

impl std::fmt::Debug for TruncatedSvdModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "truncated SVD, {} components of {} columns", self.directions.len(), self.columns)
    }
}

impl TruncatedSvdModel {
    /// The greatest singular values, greatest first.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular
    }

    /// The direction of each, a unit vector; zeros where the rows have no further direction, and the singular value is 0.
    pub fn directions(&self) -> &[Vec<f64>] {
        &self.directions
    }

    /// The rows along the directions, as features `component_1`, `component_2` …
    ///
    /// # Errors
    /// When the features are not those of the fit, or a value is missing or infinite.
    pub fn transform(&self, features: &FeatureMatrix) -> Result<FeatureMatrix> {
        self.along(&Rows::Dense(&Scaling::none(&self.names).points(features)?))
    }

    /// As [`TruncatedSvdModel::transform`], of sparse rows.
    ///
    /// # Errors
    /// [`Error::Columns`] when the rows have other columns than those of the fit.
    pub fn transform_sparse(&self, rows: &SparseMatrix) -> Result<FeatureMatrix> {
        let expected = if self.names.is_empty() { self.columns } else { 0 };
        if rows.columns() != expected {
            return Err(Error::Columns { expected, found: rows.columns() });
        }
        self.along(&Rows::Sparse(rows))
    }

    fn along(&self, rows: &Rows<'_>) -> Result<FeatureMatrix> {
        let count = self.directions.len();
        let basis: Vec<f64> = (0..self.columns).flat_map(|i| self.directions.iter().map(move |own| own[i])).collect();
        let cancelled = Error::Cancelled { what: "rows", done: 0, of: rows.size().0 };
        let products = rows.along(&basis, count).ok_or(cancelled)?;
        super::components((0..count).map(|k| products.iter().skip(k).step_by(count).copied().collect()).collect())
    }
}

stored!(TruncatedSvdModel { names, columns, directions, singular, origin });

impl Described for TruncatedSvdModel {
    fn about(&self) -> About {
        About::of_numbers(&self.names, &self.origin)
    }

    fn is_sound(&self) -> bool {
        let names = self.names.is_empty() || self.names.len() == self.columns;
        let count = self.directions.len();
        names
            && count > 0
            && self.singular.len() == count
            && self.directions.iter().all(|own| own.len() == self.columns)
    }
}
