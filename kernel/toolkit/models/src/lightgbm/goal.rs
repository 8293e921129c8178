//! What trees learn, and what early stopping looks at.

/// What is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Probability that the target is 1; the target is 0 or 1.
    Binary,
    /// Probability of each of so many classes; the target is 0, 1 … up to one less.
    Classes(usize),
    /// Expected value of the target, by squared error.
    Value,
}

/// A loss of one's own: raw scores and targets -> gradient and curvature (second derivative) of each row's loss by its
/// score.
pub type OwnLoss<'a> = &'a dyn Fn(&[f64], &[f64]) -> (Vec<f64>, Vec<f64>);

/// What early stopping looks at on validation rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Area under the ROC curve: more is better.
    Auc,
    /// Average precision: more is better.
    AveragePrecision,
    /// Logarithmic loss: less is better.
    LogLoss,
    /// Mean squared error: less is better.
    SquaredError,
}

impl Metric {
    pub(super) fn more_is_better(self) -> bool {
        matches!(self, Self::Auc | Self::AveragePrecision)
    }

    pub(super) fn name(self, objective: Objective) -> &'static str {
        match (self, objective) {
            (Self::Auc, _) => "auc",
            (Self::AveragePrecision, _) => "average_precision",
            (Self::LogLoss, Objective::Classes(_)) => "multi_logloss",
            (Self::LogLoss, _) => "binary_logloss",
            (Self::SquaredError, _) => "l2",
        }
    }

    pub(super) fn fits(self, objective: Objective) -> bool {
        match objective {
            Objective::Binary => self != Self::SquaredError,
            Objective::Classes(_) => self == Self::LogLoss,
            Objective::Value => self == Self::SquaredError,
        }
    }
}
