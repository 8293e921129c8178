//! How a scorecard is fitted and scaled, checked before anything is.

use super::{ScorecardModel, Weights};
use crate::error::refuse;
use crate::{Binning, Result};
use polars::frame::DataFrame;

/// How log-odds become points. The higher a score, the riskier.
///
/// `score = base_score + pdo / ln 2 * (log-odds of being bad - ln base_odds)`
///
/// Source: Siddiqi, *Credit Risk Scorecards*, 2006, chapter 6, with the sign turned: there a high score is a good one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Points that double the odds of being bad, above 0.
    pub pdo: f64,
    /// Score at `base_odds`.
    pub base_score: f64,
    /// Bad rows for each good one, above 0.
    pub base_odds: f64,
}

impl Default for Scale {
    /// 500 points where one in ten is bad, 80 more for twice the odds: 0 to 1000 is from one in 700 to nine in ten.
    fn default() -> Self {
        Self { pdo: 80.0, base_score: 500.0, base_odds: 1.0 / 9.0 }
    }
}

impl Scale {
    /// Points for one unit of log-odds.
    pub fn factor(&self) -> f64 {
        self.pdo / std::f64::consts::LN_2
    }

    fn check(&self) -> Result<()> {
        if !(self.pdo > 0.0 && self.pdo.is_finite()) {
            return refuse("scale, pdo", "a finite number above 0", self.pdo);
        }
        if !(self.base_odds > 0.0 && self.base_odds.is_finite()) {
            return refuse("scale, base_odds", "a finite number above 0 (bad rows for each good one)", self.base_odds);
        }
        if !self.base_score.is_finite() {
            return refuse("scale, base_score", "a finite number", self.base_score);
        }
        Ok(())
    }
}

/// Logistic regression on weights of evidence, as points.
#[derive(Debug, Clone, Copy)]
pub struct Scorecard;

impl Scorecard {
    /// The parameters to start from.
    pub fn params() -> ScorecardParams {
        ScorecardParams::default()
    }
}

/// Parameters of [`Scorecard`]; each method sets one.
///
/// ```
/// use haetae_risk::Scorecard;
/// use polars::prelude::*;
///
/// let late: Vec<i64> = (0..400).map(|i| i % 8).collect();
/// let bad: Vec<bool> = (0..400).map(|i| i * 7 % 40 < 3 * (i % 8)).collect();
/// let companies = df!("late_filings" => late, "bad" => bad)?;
/// let card = Scorecard::params().fit(&companies, "bad")?;
/// println!("{}", card.table()?);
/// let scores = card.score(&companies)?;
/// assert!(scores[7] > scores[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ScorecardParams {
    pub(crate) binning: Binning,
    pub(crate) scale: Scale,
    pub(crate) c: f64,
    pub(crate) min_iv: f64,
}

impl Default for ScorecardParams {
    fn default() -> Self {
        Self { binning: Binning::new(), scale: Scale::default(), c: 0.1, min_iv: 0.01 }
    }
}

impl ScorecardParams {
    /// How columns are binned.
    #[must_use]
    pub fn binning(mut self, binning: Binning) -> Self {
        self.binning = binning;
        self
    }

    /// How log-odds become points.
    #[must_use]
    pub fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Weight of the losses against the penalty on weights (by standard deviation), above 0; 0.1 unless said.
    #[must_use]
    pub fn c(mut self, c: f64) -> Self {
        self.c = c;
        self
    }

    /// Attributes with a smaller information value are left out; 0.01 unless said.
    #[must_use]
    pub fn min_iv(mut self, value: f64) -> Self {
        self.min_iv = value;
        self
    }

    /// Checks every parameter but the bins', which [`Binning::fit`] checks.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] with the first that is out of its range.
    pub fn check(&self) -> Result<()> {
        self.scale.check()?;
        self.binning.check()?;
        if !(self.c > 0.0 && self.c.is_finite()) {
            return refuse("scorecard, c", "a finite number above 0", self.c);
        }
        if !(self.min_iv >= 0.0 && self.min_iv.is_finite()) {
            return refuse("scorecard, min_iv", "a finite number of at least 0", self.min_iv);
        }
        Ok(())
    }

    /// Bins the columns, fits a weight for each, and turns both into points. An attribute whose weight would be below 0
    /// is left out, the lowest first: its points would say the opposite of its own share of bad rows.
    ///
    /// # Errors
    /// As [`Binning::fit`]; when a parameter is out of its range or no attribute is left.
    pub fn fit(&self, frame: &DataFrame, target: &str) -> Result<ScorecardModel> {
        let weights = Weights::fit(self, frame, target)?;
        Ok(ScorecardModel::new(weights, self.scale, (1.0, 0.0)))
    }
}
