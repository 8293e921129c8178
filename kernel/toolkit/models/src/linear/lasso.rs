//! Rows and target -> the weights of least loss and least absolute sum, of which many are 0.
//!
//! Source: Beck and Teboulle, *A fast iterative shrinkage-thresholding algorithm*, 2009, with steps by the curvature of
//! each weight, and the start over of O'Donoghue and Candès, *Adaptive restart for accelerated gradient schemes*, 2015.

use super::newton::{Found, larger};
use super::problem::Problem;
use crate::Result;
use crate::progress::step;

/// Steps between two looks at how far the weights are from the best.
const LOOK: usize = 10;
/// What the bound of the curvature becomes where it was enough.
const EASE: f64 = 0.95;

/// The weights. `problem.penalty` weighs the sum of their absolute values; its loss has to be smooth.
pub(crate) fn solve_absolute(problem: &Problem<'_>, iterations: usize, tolerance: f64) -> Result<Found> {
    problem.check()?;
    let smooth = Problem { penalty: 0.0, ..*problem };
    let curves = smooth.curves();
    let (mut weights, mut sums) = (vec![0.0; problem.weights()], vec![0.0; problem.sums()]);
    let (mut from, mut from_sums) = (weights.clone(), sums.clone());
    let (mut bound, mut speed) = (1.0_f64, 1.0_f64);
    let mut gradient = f64::INFINITY;
    for iteration in 0..iterations {
        step("gradient steps", iteration, iterations)?;
        if iteration % LOOK == 0 {
            gradient = off(problem, &weights, &smooth.gradient(&weights, &sums));
            if gradient <= tolerance {
                return Ok(Found { weights, iterations: iteration, gradient });
            }
        }
        let (loss, slopes) = (smooth.loss(&from, &from_sums), smooth.gradient(&from, &from_sums));
        bound *= EASE;
        let (next, next_sums) = loop {
            let next = stepped(problem, &from, &slopes, &curves, bound);
            let next_sums = smooth.dots(&next);
            let moved: f64 = next.iter().zip(&from).zip(&slopes).map(|((to, from), slope)| (to - from) * slope).sum();
            let bent: f64 =
                next.iter().zip(&from).zip(&curves).map(|((to, from), curve)| (to - from).powi(2) * curve).sum();
            let most = loss + moved + bound / 2.0 * bent;
            // Near the end all of them are equal but for rounding.
            if smooth.loss(&next, &next_sums) <= most + 1e-12 * loss.abs() || bound > 1e12 {
                break (next, next_sums);
            }
            bound *= 2.0;
        };
        let back: f64 = from
            .iter()
            .zip(&next)
            .zip(&weights)
            .zip(&curves)
            .map(|(((from, next), last), curve)| (from - next) * (next - last) * curve)
            .sum();
        // Where the run goes uphill it begins anew.
        let (onward, faster) = if back > 0.0 {
            (0.0, 1.0)
        } else {
            let faster = f64::midpoint(1.0, (1.0 + 4.0 * speed * speed).sqrt());
            ((speed - 1.0) / faster, faster)
        };
        speed = faster;
        let beyond = |next: &[f64], last: &[f64]| -> Vec<f64> {
            next.iter().zip(last).map(|(next, last)| next + onward * (next - last)).collect()
        };
        (from, from_sums) = (beyond(&next, &weights), beyond(&next_sums, &sums));
        (weights, sums) = (next, next_sums);
    }
    Ok(Found { weights, iterations, gradient })
}

/// A step against the slopes, and then as far towards 0 as the penalty pulls.
fn stepped(problem: &Problem<'_>, from: &[f64], slopes: &[f64], curves: &[f64], bound: f64) -> Vec<f64> {
    let one = |(i, ((from, slope), curve)): (usize, ((&f64, &f64), &f64))| {
        let to = from - slope / (bound * curve);
        let pull = if problem.is_held(i) { problem.penalty / (bound * curve) } else { 0.0 };
        to.signum() * (to.abs() - pull).max(0.0)
    };
    from.iter().zip(slopes).zip(curves).enumerate().map(one).collect()
}

/// The largest slope that is left of loss and penalty together; at weights of 0 the penalty holds up to its own size.
/// Infinite where one of them is no number.
fn off(problem: &Problem<'_>, weights: &[f64], slopes: &[f64]) -> f64 {
    let one = |(i, (weight, slope)): (usize, (&f64, &f64))| match *weight {
        _ if !problem.is_held(i) => slope.abs(),
        0.0 if slope.abs() <= problem.penalty => 0.0,
        0.0 => slope.abs() - problem.penalty,
        weight => (slope + problem.penalty * weight.signum()).abs(),
    };
    weights.iter().zip(slopes).enumerate().map(one).fold(0.0, larger)
}
