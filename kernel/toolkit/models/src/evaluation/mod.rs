//! Scores of several models on the same rows -> figures side by side, beside the leakage audit.

mod audit;
mod leakage;
mod protocols;
mod score;
mod show;

pub use audit::Audit;
pub use leakage::{FitFrames, LeakageAudit};
pub(crate) use protocols::{Protocols, Scores};
pub use score::{Protocol, RATES, Score};

use crate::Result;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// Figures of models under protocols, and the audit that says what they are worth.
///
/// Printed, it is a text table; [`Evaluation::html`] is the same for a notebook, and
/// [`Evaluation::frame`] as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    audit: Audit,
    scores: Vec<Score>,
    notes: Vec<String>,
}

impl Evaluation {
    /// An evaluation without figures.
    pub fn new(audit: Audit) -> Self {
        Self { audit, scores: Vec::new(), notes: Vec::new() }
    }

    /// Adds the figures of one model under one protocol. `revenue` is what an inspection of each
    /// row brings, where it is known.
    ///
    /// # Errors
    /// As the functions of [`crate::metrics`]: lengths, targets, scores, one class only.
    pub fn add(
        &mut self,
        protocol: Protocol,
        model: &str,
        target: &[f64],
        scores: &[f64],
        revenue: Option<&[f64]>,
    ) -> Result<()> {
        self.scores.push(Score::of(protocol, model, target, scores, revenue)?);
        Ok(())
    }

    /// Adds a sentence that is shown under the table, such as why a protocol is left out.
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    /// The leakage audit of the evaluated rows.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// All figures, in the order in which they were added.
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// The sentences under the table.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The figures of one model under one protocol, where they are there.
    pub fn get(&self, protocol: Protocol, model: &str) -> Option<&Score> {
        self.scores.iter().find(|score| score.protocol == protocol && score.model == model)
    }

    /// One row for each model and protocol: `protocol`, `model`, `rows`, `positive`, `auc`,
    /// `average_precision`, `ks`, then `precision_at_1` … `precision_at_20`, `recall_at_…`,
    /// `hits_of_oracle_at_…` and, where revenue is known, `revenue_at_…` and `revenue_of_oracle_at_…`
    /// (shares, the rate in percent in the name; null where the rate is no row).
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn frame(&self) -> Result<DataFrame> {
        let text = |name: &str, value: &dyn Fn(&Score) -> String| {
            Column::new(name.into(), self.scores.iter().map(value).collect::<Vec<_>>())
        };
        let number = |name: &str, value: &dyn Fn(&Score) -> Option<f64>| {
            let values = self.scores.iter().map(|score| value(score).filter(|value| !value.is_nan()));
            Column::new(name.into(), values.collect::<Vec<_>>())
        };
        let count = |name: &str, value: &dyn Fn(&Score) -> usize| {
            Column::new(name.into(), self.scores.iter().map(|score| value(score) as u64).collect::<Vec<_>>())
        };
        let mut columns = vec![
            text("protocol", &|score| score.protocol.name().to_owned()),
            text("model", &|score| score.model.clone()),
            count("rows", &|score| score.rows),
            count("positive", &|score| score.positive),
            number("auc", &|score| Some(score.auc)),
            number("average_precision", &|score| Some(score.average_precision)),
            number("ks", &|score| Some(score.ks)),
        ];
        let known = self.with_revenue();
        type AtRates = fn(&Score) -> Option<[f64; 5]>;
        let at_rates: [(&str, AtRates, bool); 5] = [
            ("precision", |score| Some(score.precision), true),
            ("recall", |score| Some(score.recall), true),
            ("hits_of_oracle", |score| Some(score.hits_of_oracle), true),
            ("revenue", |score| score.revenue, known),
            ("revenue_of_oracle", |score| score.revenue_of_oracle, known),
        ];
        for (name, figures, _) in at_rates.into_iter().filter(|figure| figure.2) {
            for (i, rate) in RATES.iter().enumerate() {
                columns.push(number(&format!("{name}_at_{}", rate * 100.0), &|score| figures(score).map(|all| all[i])));
            }
        }
        Ok(DataFrame::new(self.scores.len(), columns)?)
    }
}
