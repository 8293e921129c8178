//! Weighted sums of rows and their targets -> what each row costs, and how that changes with the sums.
//!
//! Of several classes each has a sum: those of all rows for the first class come first, then those for the second.

use rayon::prelude::*;

/// What a row whose sums do not suit its target costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// The logarithm of the target's probability, without its sign.
    Log,
    /// The square of what a sum lacks to 1 on the target's side of 0.
    SquaredHinge,
    /// As [`Loss::Log`], of so many classes.
    Softmax(usize),
}

impl Loss {
    /// How many sums a row has.
    pub(super) fn width(self) -> usize {
        if let Self::Softmax(classes) = self { classes } else { 1 }
    }

    /// What each row costs.
    pub(super) fn values(self, sums: &[f64], target: &[f64]) -> Vec<f64> {
        match self {
            // ln(1 + e^s) - y s, with the greater part taken out of the exponential.
            Self::Log => each(sums, target, |sum, target| sum.max(0.0) + (-sum.abs()).exp().ln_1p() - target * sum),
            Self::SquaredHinge => each(sums, target, |sum, target| lack(sum, target).powi(2)),
            Self::Softmax(_) => {
                let rows = target.len();
                let cost = |(row, all): (usize, f64)| all - sums[class_of(target[row]) * rows + row];
                logs(sums, rows).into_iter().enumerate().map(cost).collect()
            }
        }
    }

    /// How that changes with each sum.
    pub(super) fn slopes(self, sums: &[f64], target: &[f64]) -> Vec<f64> {
        match self {
            Self::Log => each(sums, target, |sum, target| probability(sum) - target),
            Self::SquaredHinge => each(sums, target, |sum, target| -2.0 * side(target) * lack(sum, target)),
            Self::Softmax(_) => {
                let mut slopes = chances(sums, target.len());
                for (row, &class) in target.iter().enumerate() {
                    slopes[class_of(class) * target.len() + row] -= 1.0;
                }
                slopes
            }
        }
    }

    /// How it bends: along each sum, or, of several classes, their probabilities, of which that follows.
    pub(super) fn bends(self, sums: &[f64], target: &[f64]) -> Vec<f64> {
        match self {
            Self::Log => each(sums, target, |sum, _| probability(sum) * probability(-sum)),
            Self::SquaredHinge => each(sums, target, |sum, target| f64::from(lack(sum, target) > 0.0) * 2.0),
            Self::Softmax(_) => chances(sums, target.len()),
        }
    }

    /// Of these bends, what they are along each sum.
    pub(super) fn along(self, bends: &[f64]) -> Vec<f64> {
        match self {
            Self::Log | Self::SquaredHinge => bends.to_vec(),
            Self::Softmax(_) => bends.par_iter().map(|chance| chance * (1.0 - chance)).collect(),
        }
    }

    /// How the slopes of so many rows change where their sums move.
    pub(super) fn bent(self, bends: &[f64], moved: &[f64], rows: usize) -> Vec<f64> {
        match self {
            Self::Log | Self::SquaredHinge => moved.iter().zip(bends).map(|(moved, bend)| moved * bend).collect(),
            Self::Softmax(_) => {
                let mean = |row: usize| {
                    of_row(bends, row, rows)
                        .zip(of_row(moved, row, rows))
                        .map(|(chance, moved)| chance * moved)
                        .sum::<f64>()
                };
                let means: Vec<f64> = (0..rows).into_par_iter().with_min_len(1024).map(mean).collect();
                let chances = bends.par_chunks(rows).zip(moved.par_chunks(rows));
                let one = |((chance, moved), mean): ((&f64, &f64), &f64)| chance * (moved - mean);
                chances.flat_map_iter(|(bends, moved)| bends.iter().zip(moved).zip(&means).map(one)).collect()
            }
        }
    }

    /// How strongly it bends at most along a sum.
    pub(super) fn most_bend(self) -> f64 {
        match self {
            Self::Log => 0.25,
            Self::SquaredHinge => 2.0,
            Self::Softmax(_) => 0.5,
        }
    }
}

pub(crate) fn probability(sum: f64) -> f64 {
    // Written so that the exponential never overflows.
    if sum >= 0.0 { 1.0 / (1.0 + (-sum).exp()) } else { sum.exp() / (1.0 + sum.exp()) }
}

/// The sums of one row, which are finite -> its probabilities.
pub(crate) fn softmax(sums: &mut [f64]) {
    let all = log_of(sums.iter());
    sums.iter_mut().for_each(|sum| *sum = (*sum - all).exp());
}

/// A number for each row, of its sum and its target.
fn each(sums: &[f64], target: &[f64], number: impl Fn(f64, f64) -> f64 + Sync) -> Vec<f64> {
    sums.par_iter().zip(target).with_min_len(4096).map(|(&sum, &target)| number(sum, target)).collect()
}

/// -1 for target 0, and 1 for target 1.
fn side(target: f64) -> f64 {
    2.0 * target - 1.0
}

fn lack(sum: f64, target: f64) -> f64 {
    (1.0 - side(target) * sum).max(0.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "classes are checked before a fit")]
pub(super) fn class_of(target: f64) -> usize {
    target as usize
}

/// What each class has for one of so many rows.
fn of_row(values: &[f64], row: usize, rows: usize) -> impl Iterator<Item = &f64> + Clone {
    values[row..].iter().step_by(rows)
}

/// The logarithm of the sum of the exponentials, with the greatest taken out of them. An infinite one gives NaN, which no search
/// takes for a lower loss.
fn log_of<'a>(sums: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let most = sums.clone().copied().fold(f64::NEG_INFINITY, f64::max);
    most + sums.map(|sum| (sum - most).exp()).sum::<f64>().ln()
}

fn logs(sums: &[f64], rows: usize) -> Vec<f64> {
    (0..rows).into_par_iter().with_min_len(1024).map(|row| log_of(of_row(sums, row, rows))).collect()
}

/// The probability of each class for each row, in the order of the sums.
fn chances(sums: &[f64], rows: usize) -> Vec<f64> {
    let logs = logs(sums, rows);
    let of_class = |sums: &[f64]| -> Vec<f64> { sums.iter().zip(&logs).map(|(sum, log)| (sum - log).exp()).collect() };
    sums.par_chunks(rows).flat_map_iter(of_class).collect()
}
