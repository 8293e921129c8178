//! Training and evaluated rows -> how much of the evaluation a table could answer.

use crate::{Lookup, Result, metrics};
use haetae_features::target;
use polars::frame::DataFrame;
use std::fmt;

/// Leakage audit: whether rows that are evaluated were, in effect, already seen in training.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// Columns that together name the goods.
    pub key: Vec<String>,
    /// Evaluated rows.
    pub rows: usize,
    /// Of these, rows whose key is in training.
    pub seen: usize,
    /// Different keys in training.
    pub keys: usize,
    /// Of these, keys with more than one training row.
    pub repeated: usize,
    /// Of these, keys whose training rows all have the same label.
    pub agreeing: usize,
    /// AUC of [`Lookup`] on the evaluated rows; NaN where they have one class only.
    pub lookup_auc: f64,
}

impl Audit {
    /// Compares labelled rows to be evaluated with labelled training rows by `key`.
    ///
    /// # Errors
    /// When a column is missing or of the wrong type, a label is not 0 or 1, or either frame has
    /// no rows.
    pub fn of(train: &DataFrame, evaluated: &DataFrame, key: &[&str], label: &str) -> Result<Self> {
        Ok(Self::with_seen(train, evaluated, key, label)?.0)
    }

    /// As [`Audit::of`]; and of every evaluated row, whether its key is in training.
    pub(super) fn with_seen(
        train: &DataFrame,
        evaluated: &DataFrame,
        key: &[&str],
        label: &str,
    ) -> Result<(Self, Vec<bool>)> {
        let labels = target(train, label)?;
        let lookup = Lookup::fit(train, key, label)?;
        let set = lookup.keys();
        let mut sums = vec![(0.0, 0.0); set.len()];
        for (position, label) in set.positions(train)?.into_iter().zip(labels) {
            if let Some((rows, positive)) = position.and_then(|position| sums.get_mut(position)) {
                *rows += 1.0;
                *positive += label;
            }
        }
        let repeated = || sums.iter().filter(|(rows, _)| *rows > 1.0);
        let lookup_auc = match metrics::auc(&target(evaluated, label)?, &lookup.score(evaluated)?) {
            Err(crate::Error::OneClass { .. }) => f64::NAN,
            result => result?,
        };
        let seen = lookup.knows(evaluated)?;
        let audit = Self {
            key: key.iter().map(|&column| column.to_owned()).collect(),
            rows: evaluated.height(),
            seen: seen.iter().filter(|&&seen| seen).count(),
            keys: set.len(),
            repeated: repeated().count(),
            agreeing: repeated().filter(|(rows, positive)| *positive == 0.0 || positive == rows).count(),
            lookup_auc,
        };
        Ok((audit, seen))
    }

    /// Share of the evaluated rows whose key is in training.
    pub fn seen_share(&self) -> f64 {
        share(self.seen, self.rows)
    }

    /// Share of the repeated keys whose training rows all have the same label; NaN without any.
    pub fn agreement(&self) -> f64 {
        share(self.agreeing, self.repeated)
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Leakage audit by {}: {} of {} evaluated rows ({:.1} %) have their key in training; ",
            self.key.join(", "),
            self.seen,
            self.rows,
            100.0 * self.seen_share(),
        )?;
        if self.repeated == 0 {
            write!(f, "none of the {} training keys is repeated", self.keys)?;
        } else {
            write!(
                f,
                "{} of {} repeated training keys ({:.1} %) carry one label only",
                self.agreeing,
                self.repeated,
                100.0 * self.agreement(),
            )?;
        }
        if self.lookup_auc.is_nan() {
            return write!(f, "; the evaluated rows have one class only.");
        }
        write!(f, "; a table of keys alone reaches AUC {:.3}.", self.lookup_auc)
    }
}
