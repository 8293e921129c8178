//! Bells: their densities at rows, and what they need to be computed.

use super::params::Covariance;
use crate::clustering::Points;
use crate::file::stored;
use crate::lanes::{LANES, Lanes, wide};
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// Rows of a task, a multiple of the lanes; fixed, so that sums do not depend on the threads.
pub(super) const PART: usize = 1024;

/// One bell, ready for densities.
#[derive(Debug, Clone)]
pub(super) struct Bell {
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    /// Lower triangle, row after row; of a diagonal form, the diagonal only.
    pub(super) covariance: Vec<f64>,
    /// The inverse of the covariance's Cholesky factor, in the same form.
    inverse: Vec<f64>,
    /// Logarithm of the weight and of the density's constant.
    constant: f64,
}

impl Bell {
    /// # Errors
    /// [`Error::Flat`] when the covariance has no Cholesky factor.
    pub(super) fn new(
        number: usize,
        weight: f64,
        mean: Vec<f64>,
        covariance: Vec<f64>,
        form: Covariance,
    ) -> Result<Self> {
        let columns = mean.len();
        let inverse = match form {
            Covariance::Full => inverse_factor(&covariance, columns),
            Covariance::Diagonal => covariance.iter().map(|&v| (v > 0.0).then(|| 1.0 / v.sqrt())).collect(),
        };
        let inverse = inverse.ok_or(Error::Flat { bell: number })?;
        let diagonal = |i: usize| match form {
            Covariance::Full => inverse[i * (i + 1) / 2 + i],
            Covariance::Diagonal => inverse[i],
        };
        let logs: f64 = (0..columns).map(|i| diagonal(i).ln()).sum();
        #[expect(clippy::cast_precision_loss, reason = "few features")]
        let constant = weight.ln() + logs - columns as f64 / 2.0 * (2.0 * std::f64::consts::PI).ln();
        Ok(Self { weight, mean, covariance, inverse, constant })
    }
}

/// The inverse of the lower Cholesky factor of a matrix of which the lower triangle is given; `None` where it has none.
fn inverse_factor(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let mut factor = matrix.to_vec();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[at(i, k)] * factor[at(j, k)]).sum();
            let left = matrix[at(i, j)] - known;
            factor[at(i, j)] = match i == j {
                true if left > 0.0 && left.is_finite() => left.sqrt(),
                true => return None,
                false => left / factor[at(j, j)],
            };
        }
    }
    let mut inverse = vec![0.0; matrix.len()];
    for i in 0..size {
        inverse[at(i, i)] = 1.0 / factor[at(i, i)];
        for j in 0..i {
            let known: f64 = (j..i).map(|k| factor[at(i, k)] * inverse[at(k, j)]).sum();
            inverse[at(i, j)] = -known / factor[at(i, i)];
        }
    }
    Some(inverse)
}

/// Points of a part, eight rows side by side, coordinate after coordinate; rows behind the last are 0.
pub(super) fn part_blocks(points: &Points, part: usize) -> Vec<Lanes> {
    let columns = points.columns;
    let rows = part * PART..points.rows.min((part + 1) * PART);
    let mut blocks = vec![[0.0; LANES]; rows.len().div_ceil(LANES) * columns];
    let values = &points.values[rows.start * columns..rows.end * columns];
    for (number, row) in values.chunks_exact(columns).enumerate() {
        for (i, &value) in row.iter().enumerate() {
            blocks[number / LANES * columns + i][number % LANES] = value;
        }
    }
    blocks
}

/// Logarithm of the density of each row, and, in `chances` (row after row), how likely each bell is for it.
///
/// # Errors
/// [`Error::TooFar`] for a row so far from all bells that no logarithm tells it, and [`Error::Cancelled`].
pub(super) fn densities(points: &Points, bells: &[Bell], form: Covariance, chances: &mut [f64]) -> Result<Vec<f64>> {
    let mut logs = vec![0.0; points.rows];
    let parts = logs.par_chunks_mut(PART).zip(chances.par_chunks_mut(PART * bells.len())).enumerate();
    let done = parts.try_for_each(|(part, (logs, chances))| {
        let blocks = part_blocks(points, part);
        density_part(&blocks, points.columns, bells, form == Covariance::Full, logs, chances);
        (!stop::requested()).then_some(())
    });
    done.ok_or(Error::Cancelled { what: "rows", done: 0, of: points.rows })?;
    match logs.iter().position(|log| !log.is_finite()) {
        None => Ok(logs),
        Some(row) => Err(Error::TooFar { row }),
    }
}

wide! {
    fn density_part(
        blocks: &[Lanes], columns: usize, bells: &[Bell], full: bool, logs: &mut [f64], chances: &mut [f64],
    ) {
        let mut terms = vec![[0.0; LANES]; bells.len()];
        let mut centred = vec![[0.0; LANES]; columns];
        let rows = logs.chunks_mut(LANES).zip(chances.chunks_mut(LANES * bells.len()));
        for (block, (logs, chances)) in blocks.chunks_exact(columns).zip(rows) {
            for (bell, term) in bells.iter().zip(&mut terms) {
                for ((centred, values), mean) in centred.iter_mut().zip(block).zip(&bell.mean) {
                    for lane in 0..LANES {
                        centred[lane] = values[lane] - mean;
                    }
                }
                let squares = if full { full_squares(&bell.inverse, &centred) } else { squares(&bell.inverse, &centred) };
                for lane in 0..LANES {
                    term[lane] = bell.constant - squares[lane] / 2.0;
                }
            }
            let mut greatest = [f64::NEG_INFINITY; LANES];
            for term in &terms {
                for lane in 0..LANES {
                    greatest[lane] = greatest[lane].max(term[lane]);
                }
            }
            // The greatest term is taken out, so that no exponential overflows and not all vanish.
            for (lane, (log, chances)) in logs.iter_mut().zip(chances.chunks_exact_mut(bells.len())).enumerate() {
                let mut sum = 0.0;
                for (chance, term) in chances.iter_mut().zip(&terms) {
                    *chance = (term[lane] - greatest[lane]).exp();
                    sum += *chance;
                }
                chances.iter_mut().for_each(|chance| *chance /= sum);
                *log = greatest[lane] + sum.ln();
            }
        }
    }
}

/// Squared length of the rows seen through a lower triangle.
#[inline(always)]
fn full_squares(triangle: &[f64], centred: &[Lanes]) -> Lanes {
    let mut squares = [0.0; LANES];
    let mut from = 0;
    for i in 0..centred.len() {
        let mut sums = [0.0; LANES];
        for (factor, values) in triangle[from..=from + i].iter().zip(centred) {
            for lane in 0..LANES {
                sums[lane] += factor * values[lane];
            }
        }
        for lane in 0..LANES {
            squares[lane] += sums[lane] * sums[lane];
        }
        from += i + 1;
    }
    squares
}

#[inline(always)]
fn squares(diagonal: &[f64], centred: &[Lanes]) -> Lanes {
    let mut squares = [0.0; LANES];
    for (factor, values) in diagonal.iter().zip(centred) {
        for lane in 0..LANES {
            let value = factor * values[lane];
            squares[lane] += value * value;
        }
    }
    squares
}

stored!(Bell { weight, mean, covariance, inverse, constant });

impl Bell {
    /// Whether it has a number for each of so many features, or pair of them.
    pub(super) fn is_sound(&self, columns: usize, form: Covariance) -> bool {
        let size = match form {
            Covariance::Full => columns * (columns + 1) / 2,
            Covariance::Diagonal => columns,
        };
        self.mean.len() == columns && self.covariance.len() == size && self.inverse.len() == size
    }
}
