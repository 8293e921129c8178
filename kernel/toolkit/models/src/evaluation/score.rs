//! One model under one protocol -> its figures.

use crate::Result;
use crate::metrics::{self, Hits};

/// Inspection rates at which figures are given.
pub const RATES: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];

/// Which rows are scored, by what was known about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// All later rows: what the office would have met.
    Full,
    /// Of these, the rows whose key is not in training: what no table can answer.
    Clean,
    /// All rows in turn, training rows too, each scored by a model that was fitted without any row
    /// of its key.
    Grouped,
}

impl Protocol {
    /// `full`, `clean` or `grouped`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Clean => "clean",
            Self::Grouped => "grouped",
        }
    }
}

/// Figures of one model; arrays are in the order of [`RATES`]. Shares, not percent.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Which rows were scored.
    pub protocol: Protocol,
    /// Name of the model.
    pub model: String,
    /// Rows scored.
    pub rows: usize,
    /// Rows with target 1.
    pub positive: usize,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Average precision.
    pub average_precision: f64,
    /// Kolmogorov and Smirnov's distance.
    pub ks: f64,
    /// Precision@rate; NaN where the rate is no row.
    pub precision: [f64; 5],
    /// Recall@rate.
    pub recall: [f64; 5],
    /// Precision@rate and recall@rate as a share of the oracle's; see [`metrics::hits_of_oracle`].
    pub hits_of_oracle: [f64; 5],
    /// Revenue@rate, where revenue is known.
    pub revenue: Option<[f64; 5]>,
    /// Revenue@rate as a share of the oracle's, where revenue is known; see [`metrics::revenue_of_oracle`].
    pub revenue_of_oracle: Option<[f64; 5]>,
}

impl Score {
    pub(super) fn of(
        protocol: Protocol,
        model: &str,
        target: &[f64],
        scores: &[f64],
        revenue: Option<&[f64]>,
    ) -> Result<Self> {
        let auc = metrics::auc(target, scores)?;
        let average_precision = metrics::average_precision(target, scores)?;
        // Once for each rate: every look at a rate sorts all rows.
        let hits: Vec<Hits> = RATES.iter().map(|&rate| Hits::at(target, scores, rate)).collect::<Result<_>>()?;
        let of_hits = |figure: fn(&Hits) -> f64| -> [f64; 5] { std::array::from_fn(|i| figure(&hits[i])) };
        let revenue_by = |revenue: &[f64], order: &[f64]| -> Result<[f64; 5]> {
            let mut found = [f64::NAN; 5];
            for (found, &rate) in found.iter_mut().zip(&RATES) {
                *found = metrics::revenue_at(revenue, order, rate)?;
            }
            Ok(found)
        };
        let found = revenue.map(|revenue| revenue_by(revenue, scores)).transpose()?;
        let possible = revenue.map(|revenue| revenue_by(revenue, revenue)).transpose()?;
        let of_oracle = |(found, possible): ([f64; 5], [f64; 5])| -> [f64; 5] {
            std::array::from_fn(|i| metrics::share(found[i], possible[i]))
        };
        Ok(Self {
            protocol,
            model: model.to_owned(),
            rows: target.len(),
            positive: target.iter().filter(|&&value| value == 1.0).count(),
            auc,
            average_precision,
            ks: metrics::ks(target, scores)?,
            precision: of_hits(Hits::precision),
            recall: of_hits(Hits::recall),
            hits_of_oracle: of_hits(Hits::of_oracle),
            revenue: found,
            revenue_of_oracle: found.zip(possible).map(of_oracle),
        })
    }

    /// Precision@rate for a rate of [`RATES`]; `None` for another rate.
    pub fn precision_at(&self, rate: f64) -> Option<f64> {
        RATES.iter().position(|&known| known == rate).map(|i| self.precision[i])
    }

    /// Share of rows with target 1: the precision of drawing rows at random.
    pub fn base_rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rate = self.positive as f64 / self.rows as f64;
        rate
    }
}
