//! What a net learns -> what its one sum stands for: the log-odds of 1, or a value by its mean and deviation.

use super::front::unit;
use super::matrix::Matrix;
use super::real::Real;
use super::training::{base, log_loss, squared_loss};
use super::weights::probabilities;
use crate::file::stored;
use crate::range::Ranges;
use crate::{ClassWeight, Objective, Result};

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
        let (rows, unit) = (target.len() as f64, unit(target.iter().copied()));
        let mean = target.iter().zip(weights).map(|(target, weight)| target / unit * weight).sum::<f64>() / rows;
        let square = |(target, weight): (&f64, &f64)| weight * (target / unit - mean).powi(2);
        let variance = target.iter().zip(weights).map(square).sum::<f64>() / rows;
        // Of values that are all equal the mean is all that can be learnt.
        let deviation = if variance > 0.0 { (variance.sqrt() * unit).max(f64::MIN_POSITIVE) } else { 1.0 };
        Self::Value { mean: mean * unit, deviation }
    }

    /// Targets as the loss takes them.
    pub(super) fn scaled(self, target: &[f64]) -> Vec<f64> {
        match self {
            Self::Chance => target.to_vec(),
            Self::Value { mean, deviation } => target.iter().map(|target| (target - mean) / deviation).collect(),
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
}
