//! Points and first labels -> bells, by expectation and maximisation.

use super::bells::{Bell, PART, densities, part_blocks};
use super::params::{Covariance, GaussianMixtureParams};
use crate::clustering::Points;
use crate::lanes::{LANES, Lanes, wide};
use crate::progress::step;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// Where the rounds ended.
pub(super) struct Found {
    pub(super) bells: Vec<Bell>,
    /// How likely each bell is for each row, row after row.
    pub(super) chances: Vec<f64>,
    /// Mean logarithm of the density of a row.
    pub(super) likelihood: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

pub(super) fn fit(points: &Points, labels: &[i32], params: &GaussianMixtureParams) -> Result<Found> {
    let count = params.bells;
    let mut chances = vec![0.0; points.rows * count];
    for (chances, &label) in chances.chunks_exact_mut(count).zip(labels) {
        chances[usize::try_from(label).unwrap_or(0)] = 1.0;
    }
    let mut bells = maximise(points, &chances, params)?;
    let (mut likelihood, mut iterations, mut converged) = (f64::NEG_INFINITY, 0, false);
    while iterations < params.iterations && !converged {
        step("rounds", iterations, params.iterations)?;
        iterations += 1;
        let logs = densities(points, &bells, params.covariance, &mut chances)?;
        let found = mean(&logs);
        bells = maximise(points, &chances, params)?;
        converged = (found - likelihood).abs() < params.tolerance;
        likelihood = found;
    }
    let logs = densities(points, &bells, params.covariance, &mut chances)?;
    Ok(Found { bells, chances, likelihood: mean(&logs), iterations, converged })
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn mean(logs: &[f64]) -> f64 {
    logs.iter().sum::<f64>() / logs.len() as f64
}

/// The bells that make the rows likeliest, if each row belongs to each bell by its chance.
fn maximise(points: &Points, chances: &[f64], params: &GaussianMixtureParams) -> Result<Vec<Bell>> {
    let (columns, count) = (points.columns, params.bells);
    let parts: Vec<Vec<f64>> = points
        .values
        .par_chunks(PART * columns)
        .zip(chances.par_chunks(PART * count))
        .map(|(values, chances)| first_sums(values, columns, chances, count))
        .collect();
    let sums = total(parts);
    let means: Vec<Vec<f64>> = sums
        .chunks_exact(columns + 1)
        // A bell that lost all rows keeps a little of one, as in scikit-learn.
        .map(|sums| sums[1..].iter().map(|sum| sum / (sums[0] + 10.0 * f64::EPSILON)).collect())
        .collect();
    let full = params.covariance == Covariance::Full;
    let size = if full { columns * (columns + 1) / 2 } else { columns };
    let parts: Option<Vec<Vec<f64>>> = (0..points.rows.div_ceil(PART))
        .into_par_iter()
        .map(|part| {
            let blocks = part_blocks(points, part);
            let chances = &chances[part * PART * count..chances.len().min((part + 1) * PART * count)];
            (!stop::requested()).then(|| second_sums(&blocks, columns, chances, &means, size, full))
        })
        .collect();
    let mut seconds = total(parts.ok_or(Error::Cancelled { what: "rows", done: 0, of: points.rows })?);
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let rows = points.rows as f64;
    let firsts = sums.chunks_exact(columns + 1).zip(seconds.chunks_exact_mut(size));
    firsts
        .zip(means)
        .enumerate()
        .map(|(number, ((sums, covariance), mean))| {
            let weight = sums[0] + 10.0 * f64::EPSILON;
            covariance.iter_mut().for_each(|value| *value /= weight);
            for i in 0..columns {
                covariance[if full { i * (i + 1) / 2 + i } else { i }] += params.regularisation;
            }
            Bell::new(number, weight / rows, mean, covariance.to_vec(), params.covariance)
        })
        .collect()
}

fn total(parts: Vec<Vec<f64>>) -> Vec<f64> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    total
}

wide! {
    /// For each bell the sum of chances, then the sums of rows weighed by them.
    fn first_sums(values: &[f64], columns: usize, chances: &[f64], count: usize) -> Vec<f64> {
        let mut sums = vec![0.0; count * (columns + 1)];
        for (row, chances) in values.chunks_exact(columns).zip(chances.chunks_exact(count)) {
            for (sums, &chance) in sums.chunks_exact_mut(columns + 1).zip(chances) {
                sums[0] += chance;
                for (sum, value) in sums[1..].iter_mut().zip(row) {
                    *sum += chance * value;
                }
            }
        }
        sums
    }
}

wide! {
    /// For each bell the products of the centred coordinates, weighed by chances: lower triangle or diagonal.
    fn second_sums(
        blocks: &[Lanes], columns: usize, chances: &[f64], means: &[Vec<f64>], size: usize, full: bool,
    ) -> Vec<f64> {
        let count = means.len();
        let across = blocks.len() / columns;
        let mut result = Vec::with_capacity(count * size);
        // Coordinate after coordinate: a product of two of them is then one run through the part.
        let mut centred = vec![[0.0; LANES]; blocks.len()];
        let mut weighed = vec![[0.0; LANES]; across];
        let mut weights = vec![[0.0; LANES]; across];
        for (bell, mean) in means.iter().enumerate() {
            for (row, chances) in chances.chunks_exact(count).enumerate() {
                weights[row / LANES][row % LANES] = chances[bell];
            }
            for (i, mean) in mean.iter().enumerate() {
                for (centred, block) in centred[i * across..(i + 1) * across].iter_mut().zip(blocks.chunks_exact(columns)) {
                    for lane in 0..LANES {
                        centred[lane] = block[i][lane] - mean;
                    }
                }
            }
            for i in 0..columns {
                let own = &centred[i * across..(i + 1) * across];
                for ((weighed, own), weights) in weighed.iter_mut().zip(own).zip(&weights) {
                    for lane in 0..LANES {
                        weighed[lane] = own[lane] * weights[lane];
                    }
                }
                for j in if full { 0 } else { i }..=i {
                    let mut sums = [0.0; LANES];
                    for (weighed, other) in weighed.iter().zip(&centred[j * across..(j + 1) * across]) {
                        for lane in 0..LANES {
                            sums[lane] += weighed[lane] * other[lane];
                        }
                    }
                    result.push(sums.iter().sum());
                }
            }
        }
        result
    }
}
