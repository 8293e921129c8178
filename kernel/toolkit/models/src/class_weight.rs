//! Targets -> how much a row weighs by its own.

use crate::Result;
use crate::range::Ranges;

/// How much a row weighs by its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClassWeight {
    /// All the same.
    Equal,
    /// The rows of each target together the same: `rows / (targets * rows with that target)` each, where `targets` counts those
    /// that have rows.
    Balanced,
    /// So much each.
    Of {
        /// Weight of a row with target 0.
        zero: f64,
        /// Weight of a row with target 1.
        one: f64,
    },
}

impl ClassWeight {
    pub(crate) fn check(self, model: &'static str, classes: usize) -> Result<()> {
        let Self::Of { zero, one } = self else { return Ok(()) };
        if classes > 2 {
            let expected = "equal or balanced where there are more than two classes";
            return Ranges(model).refuse("class_weight", expected, format_args!("{self:?}"));
        }
        [zero, one].into_iter().try_for_each(|weight| Ranges(model).above_zero("class_weight", weight))
    }

    /// Weights of so many classes, of which some may have no rows; `weights` as below.
    pub(crate) fn of_classes(self, target: &[f64], weights: &[f64], classes: usize) -> Vec<f64> {
        if classes == 2 {
            let (zero, one) = self.of_rows(target, weights);
            return vec![zero, one];
        }
        if self != Self::Balanced {
            return vec![1.0; classes];
        }
        let mut sums = vec![0.0; classes];
        for (row, &class) in target.iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "classes are checked")]
            let own = sums.get_mut(class as usize);
            if let Some(sum) = own {
                *sum += weights.get(row).copied().unwrap_or(1.0);
            }
        }
        let (all, present) = (sums.iter().sum::<f64>(), sums.iter().filter(|sum| **sum > 0.0).count());
        #[expect(clippy::cast_precision_loss, reason = "few classes")]
        let weight = |sum: f64| if sum > 0.0 { (all / (present as f64 * sum)).min(f64::MAX) } else { 0.0 };
        sums.into_iter().map(weight).collect()
    }

    /// Weights of target 0 and 1; `weights` are those of the rows, empty where they are all 1.
    pub(crate) fn of_rows(self, target: &[f64], weights: &[f64]) -> (f64, f64) {
        match self {
            Self::Equal => (1.0, 1.0),
            Self::Of { zero, one } => (zero, one),
            Self::Balanced => {
                // Each by itself: of what is left of all, rounding may leave nothing.
                let of = |class: f64| {
                    let own = target.iter().enumerate().filter(|(_, target)| **target == class);
                    own.map(|(row, _)| weights.get(row).copied().unwrap_or(1.0)).sum::<f64>()
                };
                let (zero, one) = (of(0.0), of(1.0));
                let balanced = |own: f64| ((zero + one) / (2.0 * own)).min(f64::MAX);
                (balanced(zero), balanced(one))
            }
        }
    }
}
