//! Target and scores -> AUC, Gini and KS, each with an interval.

use crate::Result;
use haetae_models::{Interval, bootstrap, metrics};
use std::fmt;

/// How well scores put the bad rows first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Area under the ROC curve.
    pub auc: Interval,
    /// Gini: `2 * AUC - 1`; 0 is chance.
    pub gini: f64,
    /// Greatest distance between the curves of bad and good rows.
    pub ks: Interval,
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (auc, ks) = (&self.auc, &self.ks);
        write!(f, "AUC {:.4} ({:.4} to {:.4}), ", auc.estimate, auc.low, auc.high)?;
        write!(f, "Gini {:.4}, KS {:.4} ({:.4} to {:.4})", self.gini, ks.estimate, ks.low, ks.high)
    }
}

/// The figures of `scores` (higher is riskier) with 95 % intervals from 200 draws of the rows (bootstrap) by `seed`.
///
/// # Errors
/// When lengths differ, there are no rows, a target is neither 0 nor 1, all are equal, or a score is NaN.
pub fn ranking(target: &[f64], scores: &[f64], seed: u64) -> Result<Ranking> {
    let auc = bootstrap(&metrics::auc, target, scores, 200, 0.95, seed)?;
    let ks = bootstrap(&metrics::ks, target, scores, 200, 0.95, seed)?;
    let gini = 2.0 * auc.estimate - 1.0;
    Ok(Ranking { auc, gini, ks })
}
