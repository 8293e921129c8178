//! Rows, a target and a second model's probabilities -> the parts of a score, and the curve to probabilities.

use super::blend::{Blend, log_odds};
use super::model::{TaxpayerModel, second_points};
use super::{LEAST, MOST, TaxpayerParams};
use crate::condition::holds;
use crate::error::refuse;
use crate::scorecard::{Weights, size};
use crate::{Error, Result, ScorecardModel, Unseen};
use haetae_features::rows;
use haetae_models::{Platt, Random};
use polars::frame::DataFrame;

pub(super) fn fit(
    params: &TaxpayerParams,
    frame: &DataFrame,
    target_column: &str,
    second: Option<&[f64]>,
) -> Result<TaxpayerModel> {
    let target = crate::frame::target(frame, target_column)?;
    let factors = factor_points(params, frame)?;
    let weights = Weights::fit(&params.scorecard, frame, target_column)?;
    let folds = folds(&target, params.folds, params.seed)?;

    // What the scorecard says of rows that it has not seen.
    let mut unseen_odds = vec![0.0; target.len()];
    let mut cards: Vec<Weights> = Vec::with_capacity(folds.len());
    for held_out in &folds {
        let mut others = vec![true; target.len()];
        held_out.iter().for_each(|&row| others[row] = false);
        let others: Vec<usize> = (0..target.len()).filter(|&row| others[row]).collect();
        let card = Weights::fit(&params.scorecard, &rows(frame, &others)?, target_column)?;
        let odds = card.log_odds(&rows(frame, held_out)?, Unseen::Average)?;
        held_out.iter().zip(odds).for_each(|(&row, odds)| unseen_odds[row] = odds);
        cards.push(card);
    }
    let second_odds: Option<Vec<f64>> = second.map(|second| second.iter().map(|&p| log_odds(p)).collect());
    let blend = Blend::fit(&unseen_odds, second_odds.as_deref(), &target)?;

    // The same rows scored in points, as later rows will be.
    let scale = params.scorecard.scale;
    let mut scores = vec![0.0; target.len()];
    for (held_out, card) in folds.iter().zip(cards) {
        let card = ScorecardModel::new(card, scale, (blend.card, blend.constant)).unseen(Unseen::Average);
        for (&row, score) in held_out.iter().zip(card.score(&rows(frame, held_out)?)?) {
            let second = second.map_or(0, |second| second_points(&scale, &blend, second[row]));
            scores[row] = size((score + second + factors[row]).clamp(LEAST, MOST));
        }
    }
    let curve = Platt::fit(&scores, &target)?;
    let slope = -curve.coefficients().0;
    if slope <= 0.0 {
        return Err(Error::Calibration { slope });
    }
    let card = ScorecardModel::new(weights, scale, (blend.card, blend.constant)).unseen(params.unseen);
    Ok(TaxpayerModel::new(params.clone(), card, blend, second.is_some(), curve))
}

/// The points of all factors that hold, for every row.
pub(super) fn factor_points(params: &TaxpayerParams, frame: &DataFrame) -> Result<Vec<i64>> {
    let mut sums = vec![0; frame.height()];
    for factor in &params.factors {
        let held = holds(&factor.name, &factor.condition, frame)?;
        sums.iter_mut().zip(held).for_each(|(sum, held)| *sum += if held { factor.points } else { 0 });
    }
    Ok(sums)
}

/// Parts with about the same share of bad rows, drawn by the seed.
fn folds(target: &[f64], folds: usize, seed: u64) -> Result<Vec<Vec<usize>>> {
    let mut parts = vec![Vec::new(); folds];
    for class in [0.0, 1.0] {
        let mut members: Vec<usize> = (0..target.len()).filter(|&row| target[row] == class).collect();
        if members.len() < folds {
            let what = format!("taxpayer, rows with target {class}");
            return refuse(what, format!("at least {folds}, one for each fold"), members.len());
        }
        Random::new(seed).shuffle(&mut members);
        members.into_iter().enumerate().for_each(|(place, row)| parts[place % folds].push(row));
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}
