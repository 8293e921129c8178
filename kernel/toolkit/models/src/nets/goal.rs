//! What a net learns -> what its one sum stands for: the log-odds of 1, or a value by its mean and deviation.

use super::front::deviations;
use super::matrix::Matrix;
use super::real::Real;
use super::training::{base, log_loss, squared_loss};
use super::weights::probabilities;
use crate::file::stored;
use crate::range::Ranges;
use crate::unit::unit;
use crate::{ClassWeight, Objective, Result};

/// Deviations that no target goes beyond, but one that weighs next to nothing or is of validation rows: squares of more,
/// summed, would leave the numbers of 32 bits.
const FAR: f64 = 1e15;

/// What the sum stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Log-odds of target 1.
    Chance,
    /// Deviations from the mean of the training rows.
    Value { mean: f64, deviation: f64 },
}

impl Goal {
    /// Whether nets can learn this.
    pub(super) fn check(ranges: Ranges, objective: Objective, weight: ClassWeight) -> Result<()> {
        match (objective, weight) {
            (Objective::Binary, _) | (Objective::Value, ClassWeight::Equal) => Ok(()),
            (Objective::Value, _) => {
                let expected = "Equal for the objective Value: its targets are no classes";
                ranges.refuse("class_weight", expected, format_args!("{weight:?}"))
            }
            (Objective::Classes(_), _) => ranges.refuse("objective", "Binary or Value", format_args!("{objective:?}")),
        }
    }

    /// Of training rows that have been checked; the weights' mean is 1.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub(super) fn fit(objective: Objective, target: &[f64], weights: &[f64]) -> Self {
        if objective == Objective::Binary {
            return Self::Chance;
        }
        // What weighs nothing says nothing, however large it is.
        let heavy = || target.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        let (rows, unit) = (target.len() as f64, unit(heavy().map(|(target, _)| *target)));
        let mean = heavy().map(|(target, weight)| target / unit * weight).sum::<f64>() / rows;
        let variance = heavy().map(|(target, weight)| weight * (target / unit - mean).powi(2)).sum::<f64>() / rows;
        // Of values that are all equal the mean is all that can be learnt.
        let deviation = if variance > 0.0 { (variance.sqrt() * unit).clamp(f64::MIN_POSITIVE, f64::MAX) } else { 1.0 };
        Self::Value { mean: mean * unit, deviation }
    }

    /// Targets as the loss takes them, at most [`FAR`] away from 0.
    pub(super) fn scaled(self, target: &[f64]) -> Vec<f64> {
        match self {
            Self::Chance => target.to_vec(),
            Self::Value { mean, deviation } => {
                target.iter().map(|&target| deviations(target, mean, deviation).clamp(-FAR, FAR)).collect()
            }
        }
    }

    /// Where the bias of the sum starts, from targets as they came.
    pub(super) fn base(self, target: &[f64], weights: &[f64]) -> f64 {
        if self == Self::Chance { base(target, weights) } else { 0.0 }
    }

    /// The losses' sum, from scaled targets; each of `sums` becomes the gradient of their mean over `of` rows.
    pub(super) fn loss<T: Real>(self, sums: &mut [T], target: &[f64], weights: &[f64], of: f64) -> f64 {
        match self {
            Self::Chance => log_loss(sums, target, weights, of),
            Self::Value { .. } => squared_loss(sums, target, weights, of),
        }
    }

    /// What the sums say: probabilities, or values.
    pub(super) fn said(self, sums: Matrix<f32>) -> Vec<f64> {
        match self {
            Self::Chance => probabilities(sums),
            Self::Value { mean, deviation } => {
                sums.values.into_iter().map(|sum| mean + deviation * f64::from(sum)).collect()
            }
        }
    }

    pub(super) fn is_sound(self) -> bool {
        match self {
            Self::Chance => true,
            Self::Value { mean, deviation } => mean.is_finite() && deviation > 0.0 && deviation.is_finite(),
        }
    }
}

stored!(Goal [0 => Chance {}, 1 => Value { mean, deviation }]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_target_does_not_matter_however_large_or_small() {
        let scaled = |unit: f64| {
            let target = [1.0, 3.0, 8.0].map(|value| value * unit);
            Goal::fit(Objective::Value, &target, &[0.5, 1.5, 1.0]).scaled(&target)
        };
        let expected = scaled(1.0);
        for power in [1000, -1000] {
            let found = scaled(2.0_f64.powi(power));
            let near = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(near, "2^{power}: {found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn targets_may_lie_further_apart_than_any_number_and_what_weighs_nothing_anywhere() {
        let scaled = |far: f64, nothing: f64| {
            let target: Vec<f64> = (0..10).map(|i| if i == 9 { far } else { -far }).chain([nothing]).collect();
            let weights: Vec<f64> = (0..11).map(|i| f64::from(i < 10) * 1.1).collect();
            let goal = Goal::fit(Objective::Value, &target, &weights);
            let scaled = goal.scaled(&target);
            let mut sums: Vec<f32> = vec![0.5; 11];
            let loss = goal.loss(&mut sums, &scaled, &weights, 11.0);
            assert!(loss.is_finite() && sums.iter().all(|sum| sum.is_finite()), "{far:e} {nothing:e}: {loss} {sums:?}");
            scaled[..10].to_vec()
        };
        let expected = scaled(1.7, 0.0);
        assert!((expected[9] - 3.0).abs() < 1e-12 && (expected[0] + 1.0 / 3.0).abs() < 1e-12, "{expected:?}");
        for (far, nothing) in [(1.7e308, 0.0), (1.7, 1.7e308), (1.7, -1e200), (1.7e-300, 3.0)] {
            let found = scaled(far, nothing);
            let near = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(near, "{far:e} {nothing:e}: {found:?}");
        }
    }
}
