//! A fitted taxpayer score: rows in; score, grade, probability and reasons out.

use super::blend::{Blend, log_odds};
use super::fit::factor_points;
use super::grade::written;
use super::{LEAST, MOST, MasterScale, TaxpayerParams};
use crate::frame::{nearest, probabilities};
use crate::scorecard::{Scale, size};
use crate::{Error, Result, ScorecardModel};
use haetae_models::Platt;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// A fitted taxpayer score; see [`super::Taxpayer`].
#[derive(Debug, Clone, PartialEq)]
pub struct TaxpayerModel {
    pub(super) params: TaxpayerParams,
    pub(super) card: ScorecardModel,
    blend: Blend,
    has_second: bool,
    curve: Platt,
}

/// The parts of the scores of some rows.
pub(super) struct Scored {
    pub(super) card: Vec<i64>,
    pub(super) second: Vec<i64>,
    pub(super) factors: Vec<i64>,
    pub(super) score: Vec<i64>,
}

impl TaxpayerModel {
    pub(super) fn new(
        params: TaxpayerParams,
        card: ScorecardModel,
        blend: Blend,
        has_second: bool,
        curve: Platt,
    ) -> Self {
        Self { params, card, blend, has_second, curve }
    }

    /// The scorecard, in the points of the score.
    pub fn scorecard(&self) -> &ScorecardModel {
        &self.card
    }

    /// The grades.
    pub fn grades(&self) -> &MasterScale {
        &self.params.grades
    }

    /// How far the log-odds of scorecard and second model are believed: 1 is in full, 0 not at all.
    pub fn weights(&self) -> (f64, f64) {
        (self.blend.card, self.blend.second)
    }

    /// The calibrated probability of being bad of a score.
    pub fn probability(&self, score: i64) -> f64 {
        self.curve.predict(&[size(score)]).first().copied().unwrap_or(f64::NAN)
    }

    /// The grade of a score, from 1, the riskiest. A higher score never has a safer grade.
    pub fn grade(&self, score: i64) -> usize {
        self.params.grades.grade(self.probability(score))
    }

    /// The frame with columns added: `score` (0 to 1000), `grade` (`01` is the riskiest), `probability`; `base_points`,
    /// `card_points`, `second_points`, `factor_points` and `limit_points`, which sum to the score; `reason_1` and so on,
    /// null where there are fewer.
    ///
    /// # Errors
    /// When the score was fitted with a second model, a column is missing or has changed its type, a number is NaN, a
    /// value was not seen and is refused, a factor fails, or a column of such a name is there already.
    pub fn score(&self, frame: &DataFrame) -> Result<DataFrame> {
        self.with_second(None)?;
        self.scored_frame(frame, None)
    }

    /// As [`TaxpayerModel::score`], with the second model's probability of every row.
    ///
    /// # Errors
    /// As [`TaxpayerModel::score`]; when the score was fitted without one, or a probability is none.
    pub fn score_blended(&self, frame: &DataFrame, second: &[f64]) -> Result<DataFrame> {
        self.with_second(Some(second))?;
        self.scored_frame(frame, Some(second))
    }

    pub(super) fn with_second(&self, second: Option<&[f64]>) -> Result<()> {
        let word = |there: bool| if there { "a probability for every row" } else { "none" };
        match self.has_second == second.is_some() {
            true => Ok(()),
            false => Err(Error::SecondModel { expected: word(self.has_second), found: word(second.is_some()) }),
        }
    }

    pub(super) fn scored(&self, frame: &DataFrame, second: Option<&[f64]>) -> Result<Scored> {
        if let Some(second) = second {
            probabilities(frame, second, "second model")?;
        }
        let base = self.card.base();
        let card: Vec<i64> = self.card.score(frame)?.into_iter().map(|score| score - base).collect();
        let scale = &self.params.scorecard.scale;
        let second: Vec<i64> = (0..frame.height())
            .map(|row| second.map_or(0, |second| second_points(scale, &self.blend, second[row])))
            .collect();
        let factors = factor_points(&self.params, frame)?;
        let sum = |row: usize| (base + card[row] + second[row] + factors[row]).clamp(LEAST, MOST);
        let score = (0..frame.height()).map(sum).collect();
        Ok(Scored { card, second, factors, score })
    }

    fn scored_frame(&self, frame: &DataFrame, second: Option<&[f64]>) -> Result<DataFrame> {
        let scored = self.scored(frame, second)?;
        let base = self.card.base();
        let rows = 0..frame.height();
        let limit: Vec<i64> = rows
            .map(|row| scored.score[row] - base - scored.card[row] - scored.second[row] - scored.factors[row])
            .collect();
        let probability: Vec<f64> = scored.score.iter().map(|&score| self.probability(score)).collect();
        let grade: Vec<String> = probability.iter().map(|&one| written(self.params.grades.grade(one))).collect();
        let reasons = self.reason_texts(frame, &scored)?;
        let mut columns = vec![
            Column::new("score".into(), scored.score),
            Column::new("grade".into(), grade),
            Column::new("probability".into(), probability),
            Column::new("base_points".into(), vec![base; frame.height()]),
            Column::new("card_points".into(), scored.card),
            Column::new("second_points".into(), scored.second),
            Column::new("factor_points".into(), scored.factors),
            Column::new("limit_points".into(), limit),
        ];
        for number in 0..self.params.reasons {
            let texts: Vec<Option<&str>> = reasons.iter().map(|row| row.get(number).map(String::as_str)).collect();
            columns.push(Column::new(format!("reason_{}", number + 1).into(), texts));
        }
        Ok(frame.hstack(&columns)?)
    }
}

/// The points of a second model's probability.
pub(super) fn second_points(scale: &Scale, blend: &Blend, probability: f64) -> i64 {
    nearest(scale.factor() * blend.second * log_odds(probability))
}
