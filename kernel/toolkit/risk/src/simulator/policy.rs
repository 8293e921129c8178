//! How a policy chooses, and what it is called.

use crate::Result;
use crate::error::refuse;

/// How items are chosen for inspection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// By the model alone: greatest expected revenue first.
    Exploit,
    /// At random alone.
    Explore,
    /// A share at random, the rest by the model.
    Hybrid {
        /// Share at random, 0 to 1.
        share: f64,
    },
    /// A share by what is least known (uncertainty times stake, each draw unlike those before), the rest by the model. While
    /// there is no model the share is drawn at random.
    Gate {
        /// Share by what is least known, 0 to 1.
        share: f64,
    },
    /// A share at random that is learnt from what inspections find, among 0, 10, 20 and 40 % (Exp3; Auer, Cesa-Bianchi,
    /// Freund and Schapire 2002).
    Bandit,
    /// As [`Policy::Gate`], with a share that is learnt from the revenue of the inspections, among 0, 5, 10, 20 and 40 %
    /// (UCB that forgets; Garivier and Moulines 2011), and that is not below a quarter of what the model's promises lack.
    Adaptive,
    /// No model: the greatest values of a numeric column first, such as the price, or how many rules hold.
    Ranked {
        /// The column.
        by: &'static str,
    },
    /// No model: the greatest share of fraud among known results with the same value of a column first, drawn towards the
    /// overall share by ten results.
    History {
        /// The column, such as the importer.
        of: &'static str,
    },
}

impl Policy {
    /// Its name in frames.
    pub fn name(&self) -> String {
        match self {
            Self::Exploit => "exploit".to_owned(),
            Self::Explore => "explore".to_owned(),
            Self::Hybrid { share } => format!("hybrid {share}"),
            Self::Gate { share } => format!("gate {share}"),
            Self::Bandit => "bandit".to_owned(),
            Self::Adaptive => "adaptive".to_owned(),
            Self::Ranked { by } => format!("by {by}"),
            Self::History { of } => format!("history of {of}"),
        }
    }

    /// Whether what is not chosen by the model is chosen by what is least known, and not at random.
    pub(super) fn seeks(&self) -> bool {
        matches!(self, Self::Gate { .. } | Self::Adaptive)
    }

    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Hybrid { share } if !(0.0..=1.0).contains(share) => refuse("hybrid, share", "0 to 1", share),
            Self::Gate { share } if !(0.0..=1.0).contains(share) => refuse("gate, share", "0 to 1", share),
            _ => Ok(()),
        }
    }
}
