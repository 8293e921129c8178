//! How a taxpayer score is made, checked before anything is fitted.

use super::{Factor, MasterScale, TaxpayerModel, fit};
use crate::error::refuse;
use crate::{Against, Result, ScorecardParams, Unseen};
use polars::frame::DataFrame;

/// The score of companies by the risk that they fail to comply: 0 to 1000, higher is riskier.
#[derive(Debug, Clone, Copy)]
pub struct Taxpayer;

impl Taxpayer {
    /// The parameters to start from.
    pub fn params() -> TaxpayerParams {
        TaxpayerParams::default()
    }
}

/// Parameters of [`Taxpayer`]; each method sets one.
///
/// A score is a sum of whole points, and every part of it can be shown:
///
/// 1. a scorecard: points for the bin that a company is in, attribute by attribute;
/// 2. where it is given, a second model's probability (boosted trees, a forest), as points by its log-odds;
/// 3. business factors: points that officers set;
/// 4. what keeps the sum within 0 to 1000.
///
/// How far scorecard and second model are to be believed is fitted on rows that the scorecard has not seen (in folds), so
/// that neither is believed for having learnt its rows by heart; so is the curve from scores to probabilities (Platt). The
/// probability decides on the grade.
#[derive(Debug, Clone, PartialEq)]
pub struct TaxpayerParams {
    pub(super) scorecard: ScorecardParams,
    pub(super) factors: Vec<Factor>,
    pub(super) grades: MasterScale,
    pub(super) folds: usize,
    pub(super) seed: u64,
    pub(super) reasons: usize,
    pub(super) against: Against,
    pub(super) unseen: Unseen,
}

impl Default for TaxpayerParams {
    fn default() -> Self {
        Self {
            scorecard: ScorecardParams::default(),
            factors: Vec::new(),
            grades: MasterScale::default(),
            folds: 5,
            seed: 7,
            reasons: 4,
            against: Against::Best,
            unseen: Unseen::Refuse,
        }
    }
}

impl TaxpayerParams {
    /// How the scorecard is made; its scale is that of the score.
    #[must_use]
    pub fn scorecard(mut self, scorecard: ScorecardParams) -> Self {
        self.scorecard = scorecard;
        self
    }

    /// One business factor more.
    #[must_use]
    pub fn factor(mut self, factor: Factor) -> Self {
        self.factors.push(factor);
        self
    }

    /// Another master scale.
    #[must_use]
    pub fn grades(mut self, grades: MasterScale) -> Self {
        self.grades = grades;
        self
    }

    /// In how many parts the rows are split to see how far the parts of the score are to be believed; 5 unless said.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// What the split of the rows is drawn by; 7 unless said.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many reasons a scored row gets; 4 unless said.
    #[must_use]
    pub fn reasons(mut self, reasons: usize) -> Self {
        self.reasons = reasons;
        self
    }

    /// What the points of a reason are held against; the safest bin unless said.
    #[must_use]
    pub fn against(mut self, against: Against) -> Self {
        self.against = against;
        self
    }

    /// What to do with values that no training row had; refuse them unless said.
    #[must_use]
    pub fn unseen(mut self, unseen: Unseen) -> Self {
        self.unseen = unseen;
        self
    }

    fn check(&self) -> Result<()> {
        if !(2..=50).contains(&self.folds) {
            return refuse("taxpayer, folds", "2 to 50", self.folds);
        }
        if self.reasons > 50 {
            return refuse("taxpayer, reasons", "at most 50", self.reasons);
        }
        let mut names = std::collections::BTreeSet::new();
        for factor in &self.factors {
            if factor.name.is_empty() || !names.insert(&factor.name) {
                return refuse(
                    "taxpayer, factors",
                    "names that differ and are not empty",
                    format!("`{}`", factor.name),
                );
            }
            if factor.points.abs() > super::MOST {
                let what = format!("factor `{}`, points", factor.name);
                return refuse(what, "-1000 to 1000", factor.points);
            }
        }
        Ok(())
    }

    /// Fits on companies whose `target` is known (booleans, or 0 and 1; 1 is bad). All other columns of the frame are
    /// attributes, unless [`crate::Binning::columns`] names them.
    ///
    /// # Errors
    /// When a parameter is out of its range, a column or a number cannot be used, all targets are equal or one kind is
    /// rarer than the folds, no attribute tells bad from good, a factor cannot be computed, or the factors turn the score
    /// around.
    pub fn fit(&self, frame: &DataFrame, target: &str) -> Result<TaxpayerModel> {
        self.check()?;
        fit::fit(self, frame, target, None)
    }

    /// As [`TaxpayerParams::fit`], with the probability that a second model gives each row. It must not have been fitted on
    /// the row: take scores out of the bag of a forest, or out of folds.
    ///
    /// # Errors
    /// As [`TaxpayerParams::fit`]; when there are not as many probabilities as rows, or one is none.
    pub fn fit_blended(&self, frame: &DataFrame, target: &str, second: &[f64]) -> Result<TaxpayerModel> {
        self.check()?;
        crate::frame::probabilities(frame, second, "second model")?;
        fit::fit(self, frame, target, Some(second))
    }
}
