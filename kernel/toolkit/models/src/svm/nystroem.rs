//! Rows -> features whose products are about what a kernel says of two rows, so that a linear model is one of the kernel.

use super::kernel::{Function, Kernel, check_gamma, gamma_of};
use crate::clustering::{Points, Scaling};
use crate::file::{About, Described, Origin, stored};
use crate::lanes::{Lanes, blocks};
use crate::linear::dot;
use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;

const MODEL: &str = "Nystroem";
/// Rows that are transformed at a time.
const BLOCK: usize = 1 << 14;

/// Features of a kernel, from drawn rows: time and memory grow with rows times landmarks. The product of two rows'
/// features is exact where one of them is a landmark. Give them to [`crate::LinearSvm`] with `scaled(false)`.
///
/// Source: Williams and Seeger, *Using the Nyström method to speed up kernel machines*, NIPS 2001.
#[derive(Debug, Clone, Copy)]
pub struct Nystroem;

impl Nystroem {
    /// The parameters to start from.
    pub fn params() -> NystroemParams {
        NystroemParams::default()
    }
}

/// Parameters of [`Nystroem`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct NystroemParams {
    landmarks: usize,
    kernel: Kernel,
    gamma: Option<f64>,
    scaled: bool,
    seed: u64,
    threads: Option<usize>,
}

impl Default for NystroemParams {
    fn default() -> Self {
        Self { landmarks: 100, kernel: Kernel::Rbf, gamma: None, scaled: true, seed: 7, threads: None }
    }
}

impl NystroemParams {
    /// Rows that are drawn, and features that come of them, 1 to 16384; 100 unless said, and all rows where there are
    /// fewer.
    #[must_use]
    pub fn landmarks(mut self, landmarks: usize) -> Self {
        self.landmarks = landmarks;
        self
    }

    /// What two rows have in common; [`Kernel::Rbf`] unless said.
    #[must_use]
    pub fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Scale of the kernel; as [`super::SvmParams::gamma`].
    #[must_use]
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = Some(gamma);
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

    /// Threads, 1 to 1024; all cores unless said. The features do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedNystroem> {
        let ranges = Ranges(MODEL);
        ranges.whole("landmarks", self.landmarks, 1..=1 << 14)?;
        ranges.threads(self.threads)?;
        check_gamma(ranges, self.kernel, self.gamma)?;
        Ok(CheckedNystroem { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedNystroem::fit`].
    ///
    /// # Errors
    /// As [`NystroemParams::check`] and [`CheckedNystroem::fit`].
    pub fn fit(&self, features: &FeatureMatrix) -> Result<NystroemModel> {
        self.check()?.fit(features)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedNystroem {
    params: NystroemParams,
}

impl CheckedNystroem {
    /// Draws landmarks from rows without missing values and categories.
    ///
    /// # Errors
    /// When there are no rows, a value is missing or infinite, a feature is categorical, or the notebook's stop button
    /// was pressed.
    pub fn fit(&self, features: &FeatureMatrix) -> Result<NystroemModel> {
        let p = &self.params;
        let scaling = Scaling::fit("training rows", features, p.scaled)?;
        let points = scaling.points(features)?;
        let function = Function { kernel: p.kernel, gamma: gamma_of(p.gamma, &points) };
        let mut rows: Vec<usize> = (0..points.rows).collect();
        Random::new(p.seed).shuffle(&mut rows);
        rows.truncate(p.landmarks);
        if let Some(&row) = rows.iter().find(|&&row| !function.own(points.row(row)).is_finite()) {
            return Err(Error::TooFar { row });
        }
        let landmarks: Vec<f64> = rows.iter().flat_map(|&row| points.row(row).iter().copied()).collect();
        let triangle = triangle(&function, &landmarks, points.columns)?;
        let origin = Origin::of(p);
        Ok(NystroemModel { scaling, function, landmarks, triangle, origin, threads: p.threads })
    }
}

/// The lower triangle whose product with itself is the kernel of the landmarks (Cholesky). A landmark that says nothing
/// new has a row of zeros but for a 0 on the diagonal.
fn triangle(function: &Function, landmarks: &[f64], columns: usize) -> Result<Vec<Vec<f64>>> {
    let (count, inside) = (landmarks.len() / columns, blocks(landmarks, columns));
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    for (i, point) in landmarks.chunks_exact(columns).enumerate() {
        step("landmarks", i, count)?;
        let mut values = vec![0.0; count];
        function.all(point, &inside, &mut values);
        let own = values[i];
        let mut row = solved(&rows, &values[..i]);
        let rest = own - row.iter().map(|value| value * value).sum::<f64>();
        // Below this it is rounding alone.
        let diagonal = if rest > 1e-12 * own.abs() { rest.sqrt() } else { 0.0 };
        if diagonal == 0.0 {
            row.fill(0.0);
        }
        row.push(diagonal);
        rows.push(row);
    }
    Ok(rows)
}

/// The list whose products with the rows of a lower triangle are `values`.
fn solved(rows: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::with_capacity(values.len());
    for (row, value) in rows.iter().zip(values) {
        let known = dot(row, &found);
        let diagonal = row[found.len()];
        found.push(if diagonal > 0.0 { (value - known) / diagonal } else { 0.0 });
    }
    found
}

/// Landmarks that have been drawn; see [`Nystroem`].
#[derive(Clone)]
pub struct NystroemModel {
    scaling: Scaling,
    function: Function,
    landmarks: Vec<f64>,
    triangle: Vec<Vec<f64>>,
    origin: Origin,
    threads: Option<usize>,
}

impl std::fmt::Debug for NystroemModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nystroem, {} landmarks on {} features", self.landmarks(), self.names().len())
    }
}

impl NystroemModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.scaling.names
    }

    /// Number of landmarks.
    pub fn landmarks(&self) -> usize {
        self.triangle.len()
    }

    /// The features `landmark_1`, `landmark_2` … of rows.
    ///
    /// # Errors
    /// When the features are not those of the fit, a value is missing or infinite, [`Error::TooLarge`] and
    /// [`Error::TooFar`] for a row beyond all numbers, or the notebook's stop button was pressed.
    pub fn transform(&self, features: &FeatureMatrix) -> Result<FeatureMatrix> {
        let points = self.scaling.points(features)?;
        let columns = with_threads(self.threads, || self.columns(&points))??;
        let names = (1..=columns.len()).map(|i| format!("landmark_{i}")).collect();
        let categorical = vec![false; columns.len()];
        Ok(FeatureMatrix::new(names, columns, categorical)?)
    }

    fn columns(&self, points: &Points) -> Result<Vec<Vec<f64>>> {
        let (count, inside): (usize, Vec<Lanes>) = (self.landmarks(), blocks(&self.landmarks, points.columns));
        let one = |row: usize| {
            if row.is_multiple_of(64) && stop::requested() {
                return None;
            }
            let mut values = vec![0.0; count];
            self.function.all(points.row(row), &inside, &mut values);
            Some(solved(&self.triangle, &values))
        };
        let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(points.rows); count];
        // Some rows at a time: all of them would be there twice.
        for from in (0..points.rows).step_by(BLOCK) {
            let block = from..points.rows.min(from + BLOCK);
            let rows: Option<Vec<Vec<f64>>> = block.into_par_iter().with_min_len(16).map(one).collect();
            let rows = rows.ok_or(Error::Cancelled { what: "rows", done: from, of: points.rows })?;
            if let Some(row) = rows.iter().position(|row| row.iter().any(|value| !value.is_finite())) {
                return Err(Error::TooFar { row: from + row });
            }
            for (i, column) in columns.iter_mut().enumerate() {
                column.extend(rows.iter().map(|row| row[i]));
            }
        }
        Ok(columns)
    }
}

stored!(NystroemModel { scaling, function, landmarks, triangle, origin } anew { threads: None });

impl Described for NystroemModel {
    fn about(&self) -> About {
        About::of_numbers(self.names(), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let rows = self.triangle.iter().enumerate().all(|(i, row)| row.len() == i + 1);
        self.scaling.is_sound() && rows && self.landmarks.len() == self.triangle.len() * self.scaling.names.len()
    }
}
