//! Rows and target -> the weights of least penalised loss, by truncated Newton steps.
//!
//! Source: Nocedal and Wright, *Numerical Optimization*, chapter 7: each Newton equation is solved
//! by conjugate gradients only as exactly as the gradient is small.

use super::problem::Problem;
use crate::progress::step;
use crate::{Error, Result};
use haetae_display::stop;

/// Where the solver ended.
pub(crate) struct Found {
    pub(crate) weights: Vec<f64>,
    pub(crate) iterations: usize,
    /// Largest absolute component of the gradient.
    pub(crate) gradient: f64,
}

impl Found {
    /// The weights, unless the solver ended short of its tolerance.
    pub(crate) fn settled(self, model: &'static str, tolerance: f64) -> Result<Vec<f64>> {
        let (iterations, gradient) = (self.iterations, self.gradient);
        if gradient > tolerance {
            return Err(Error::NotConverged { model, iterations, gradient, tolerance });
        }
        Ok(self.weights)
    }
}

/// Most steps of conjugate gradients within one Newton step.
const INNER: usize = 500;
/// Most halvings of a step that does not lower the loss.
const HALVINGS: usize = 40;

/// The weights; [`Error::Cancelled`] where the notebook's stop button is pressed on the way.
pub(crate) fn solve(problem: &Problem<'_>, iterations: usize, tolerance: f64) -> Result<Found> {
    problem.check()?;
    let mut weights = vec![0.0; problem.weights()];
    let mut sums = problem.dots(&weights);
    let mut loss = problem.loss(&weights, &sums);
    let mut gradient = problem.gradient(&weights, &sums);
    for iteration in 0..iterations {
        if largest(&gradient) <= tolerance {
            return Ok(Found { weights, iterations: iteration, gradient: largest(&gradient) });
        }
        step("Newton steps", iteration, iterations)?;
        let step = newton_step(problem, &sums, &gradient);
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

/// The step to the lowest point of the parabola that touches the loss here.
fn newton_step(problem: &Problem<'_>, sums: &[f64], gradient: &[f64]) -> Vec<f64> {
    let bends = problem.bends(sums);
    // A loss that is flat in the intercept must not become a division by 0.
    let scale: Vec<f64> = problem.diagonal(&bends).into_iter().map(|value| 1.0 / value.max(1e-12)).collect();

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
        let bent = problem.bent(&bends, &direction);
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

/// The sum of products, one after the other, of as many as the shorter list has.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
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
