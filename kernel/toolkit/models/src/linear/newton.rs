//! Rows and target -> the weights of least penalised loss, by truncated Newton steps.
//!
//! Source: Nocedal and Wright, *Numerical Optimization*, chapter 7: each Newton equation is solved
//! by conjugate gradients only as exactly as the gradient is small.

use super::encode::{Design, add_rows, dot_rows};
use crate::Result;
use crate::progress::step;
use haetae_display::stop;
use rayon::prelude::*;

/// What a row whose sum does not suit its target costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// The logarithm of the target's probability, without its sign.
    Log,
    /// The square of what a sum lacks to 1 on the target's side of 0.
    SquaredHinge,
}

impl Loss {
    fn value(self, sum: f64, target: f64) -> f64 {
        match self {
            // ln(1 + e^s) - y s, with the greater part taken out of the exponential.
            Self::Log => sum.max(0.0) + (-sum.abs()).exp().ln_1p() - target * sum,
            Self::SquaredHinge => lack(sum, target).powi(2),
        }
    }

    fn slope(self, sum: f64, target: f64) -> f64 {
        match self {
            Self::Log => probability(sum) - target,
            Self::SquaredHinge => -2.0 * side(target) * lack(sum, target),
        }
    }

    fn bend(self, sum: f64, target: f64) -> f64 {
        match self {
            Self::Log => probability(sum) * probability(-sum),
            Self::SquaredHinge => f64::from(lack(sum, target) > 0.0) * 2.0,
        }
    }
}

/// -1 for target 0, and 1 for target 1.
fn side(target: f64) -> f64 {
    2.0 * target - 1.0
}

fn lack(sum: f64, target: f64) -> f64 {
    (1.0 - side(target) * sum).max(0.0)
}

/// Where the solver ended.
pub(crate) struct Found {
    pub(crate) weights: Vec<f64>,
    pub(crate) iterations: usize,
    /// Largest absolute component of the gradient.
    pub(crate) gradient: f64,
}

/// Most steps of conjugate gradients within one Newton step.
const INNER: usize = 500;
/// Most halvings of a step that does not lower the loss.
const HALVINGS: usize = 40;
/// Parts into which rows are split for sums; fixed, so that sums do not depend on the threads.
const PARTS: usize = 16;

/// The weights; [`Error::Cancelled`] where the notebook's stop button is pressed on the way.
pub(crate) fn solve(problem: &Problem<'_>, iterations: usize, tolerance: f64) -> Result<Found> {
    let mut weights = vec![0.0; problem.design.weights];
    let mut sums = problem.dots(&weights);
    let mut loss = problem.loss(&weights, &sums);
    let mut gradient = problem.gradient(&weights, &sums);
    for iteration in 0..iterations {
        if largest(&gradient) <= tolerance {
            return Ok(Found { weights, iterations: iteration, gradient: largest(&gradient) });
        }
        step("Newton steps", iteration, iterations)?;
        let step = problem.newton_step(&sums, &gradient);
        let moved = problem.dots(&step);
        let slope = dot(&gradient, &step);
        let mut length = 1.0;
        let mut lower = None;
        for _ in 0..HALVINGS {
            let tried = plus(&weights, length, &step);
            let tried_sums = plus(&sums, length, &moved);
            let tried_loss = problem.loss(&tried, &tried_sums);
            if tried_loss <= loss + 1e-4 * length * slope {
                lower = Some((tried, tried_sums, tried_loss));
                break;
            }
            length /= 2.0;
        }
        // Nothing lower within the precision of the sums: this is as far as it goes.
        let Some(next) = lower else {
            return Ok(Found { weights, iterations: iteration, gradient: largest(&gradient) });
        };
        (weights, sums, loss) = next;
        gradient = problem.gradient(&weights, &sums);
    }
    Ok(Found { gradient: largest(&gradient), weights, iterations })
}

/// What is to be as small as it can: the mean loss, with half of `penalty` times the squared weights.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) design: &'a Design<'a>,
    pub(crate) target: &'a [f64],
    /// What target 0 and 1 weigh.
    pub(crate) classes: (f64, f64),
    pub(crate) penalty: f64,
    pub(crate) loss: Loss,
    /// Whether the intercept goes without a penalty.
    pub(crate) free_intercept: bool,
}

pub(crate) fn probability(sum: f64) -> f64 {
    // Written so that the exponential never overflows.
    if sum >= 0.0 { 1.0 / (1.0 + (-sum).exp()) } else { sum.exp() / (1.0 + sum.exp()) }
}

impl Problem<'_> {
    fn rows(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rows = self.design.rows as f64;
        rows
    }

    fn part(&self) -> usize {
        self.design.rows.div_ceil(PARTS).max(1024)
    }

    pub(super) fn dots(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.design.rows];
        let part = self.part();
        sums.par_chunks_mut(part).enumerate().for_each(|(i, chunk)| dot_rows(self.design, i * part, weights, chunk));
        sums
    }

    /// Sum over rows of `factor * row`, divided by the number of rows.
    fn weighted(&self, factors: &[f64], squared: bool) -> Vec<f64> {
        let part = self.part();
        let parts: Vec<Vec<f64>> = factors
            .par_chunks(part)
            .enumerate()
            .map(|(i, chunk)| {
                let mut sums = vec![0.0; self.design.weights];
                add_rows(self.design, i * part, chunk, squared, &mut sums);
                sums
            })
            .collect();
        let mut total = vec![0.0; self.design.weights];
        for sums in parts {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        let rows = self.rows();
        total.iter_mut().for_each(|total| *total /= rows);
        total
    }

    /// How many of the weights are penalised; they come first.
    pub(super) fn held(&self) -> usize {
        self.design.weights - usize::from(self.free_intercept)
    }

    fn weight(&self, target: f64) -> f64 {
        if target == 1.0 { self.classes.1 } else { self.classes.0 }
    }

    fn penalised(&self, values: &mut [f64], weights: &[f64]) {
        for (value, weight) in values.iter_mut().zip(&weights[..self.held()]) {
            *value += self.penalty * weight;
        }
    }

    /// A number for each row, of its sum and its target.
    fn each(&self, sums: &[f64], number: impl Fn(f64, f64) -> f64 + Sync) -> Vec<f64> {
        let rows = sums.par_iter().zip(self.target).with_min_len(4096);
        rows.map(|(&sum, &target)| self.weight(target) * number(sum, target)).collect()
    }

    pub(super) fn loss(&self, weights: &[f64], sums: &[f64]) -> f64 {
        let losses = self.each(sums, |sum, target| self.loss.value(sum, target));
        let squares: f64 = weights[..self.held()].iter().map(|weight| weight * weight).sum();
        losses.iter().sum::<f64>() / self.rows() + self.penalty * squares / 2.0
    }

    pub(super) fn gradient(&self, weights: &[f64], sums: &[f64]) -> Vec<f64> {
        let mut gradient = self.weighted(&self.each(sums, |sum, target| self.loss.slope(sum, target)), false);
        self.penalised(&mut gradient, weights);
        gradient
    }

    /// How strongly the logarithmic loss bends at most along each weight.
    pub(super) fn curves(&self) -> Vec<f64> {
        let most: Vec<f64> = self.target.iter().map(|&target| self.weight(target) / 4.0).collect();
        self.weighted(&most, true).into_iter().map(|curve| curve.max(1e-12)).collect()
    }

    /// The step to the lowest point of the parabola that touches the loss here.
    fn newton_step(&self, sums: &[f64], gradient: &[f64]) -> Vec<f64> {
        let bends = self.each(sums, |sum, target| self.loss.bend(sum, target));
        let ones = vec![1.0; gradient.len()];
        let mut diagonal = self.weighted(&bends, true);
        self.penalised(&mut diagonal, &ones);
        // A loss that is flat in the intercept must not become a division by 0.
        let scale: Vec<f64> = diagonal.into_iter().map(|value| 1.0 / value.max(1e-12)).collect();

        let size = dot(gradient, gradient).sqrt();
        let enough = size * size.sqrt().min(0.1);
        let mut step = vec![0.0; gradient.len()];
        let mut rest: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let mut scaled = times(&rest, &scale);
        let mut direction = scaled.clone();
        let mut norm = dot(&rest, &scaled);
        for _ in 0..INNER {
            // The step is no good then, and the next one is not begun.
            if stop::requested() {
                break;
            }
            let along: Vec<f64> = self.dots(&direction).iter().zip(&bends).map(|(sum, bend)| sum * bend).collect();
            let mut bent = self.weighted(&along, false);
            self.penalised(&mut bent, &direction);
            let curvature = dot(&direction, &bent);
            if curvature <= 0.0 {
                break;
            }
            let length = norm / curvature;
            step = plus(&step, length, &direction);
            rest = plus(&rest, -length, &bent);
            if dot(&rest, &rest).sqrt() <= enough {
                break;
            }
            scaled = times(&rest, &scale);
            let next = dot(&rest, &scaled);
            direction = plus(&scaled, next / norm, &direction);
            norm = next;
        }
        step
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn times(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

fn plus(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| larger(most, value.abs()))
}

/// The larger of two sizes. What is no number is beyond all bounds: a search is not at its end where one came up.
pub(super) fn larger(most: f64, found: f64) -> f64 {
    if found.is_nan() { f64::INFINITY } else { most.max(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_no_small_gradient() {
        assert!(largest(&[0.0, -2.0, 1.0]) == 2.0);
        for values in [[f64::NAN, 0.0], [0.0, f64::NAN]] {
            assert!(largest(&values) == f64::INFINITY);
        }
    }
}
