//! Log-odds of two models -> how far each is to be believed.

use crate::Result;
use haetae_features::FeatureMatrix;
use haetae_models::Logistic;

/// Log-odds of the blend: `constant + card * log-odds of the scorecard + second * log-odds of the second model`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blend {
    pub(super) constant: f64,
    pub(super) card: f64,
    pub(super) second: f64,
}

/// So little of a penalty that it only keeps two models with the same scores apart.
const FREE: f64 = 1000.0;

impl Blend {
    /// Fits on rows that neither model was fitted on. A model that would count against its own scores counts nothing.
    pub(super) fn fit(card: &[f64], second: Option<&[f64]>, target: &[f64]) -> Result<Self> {
        let both = match second {
            Some(second) => weights(&[card, second], target)?,
            None => weights(&[card], target)?,
        };
        match both[..] {
            [constant, card] => Ok(Self { constant, card: card.max(0.0), second: 0.0 }),
            [_, card_weight, weight] if weight < 0.0 && card_weight >= 0.0 => Self::fit(card, None, target),
            [_, card_weight, _] if card_weight < 0.0 => {
                let alone = weights(&[second.unwrap_or(card)], target)?;
                Ok(Self { constant: alone[0], card: 0.0, second: alone[1].max(0.0) })
            }
            [constant, card, second] => Ok(Self { constant, card, second }),
            _ => Ok(Self { constant: 0.0, card: 1.0, second: 0.0 }),
        }
    }
}

/// The intercept, then a weight for each list.
fn weights(lists: &[&[f64]], target: &[f64]) -> Result<Vec<f64>> {
    let count = crate::frame::count(target.len());
    let mean = |list: &[f64]| list.iter().sum::<f64>() / count;
    let spread = |list: &[f64], mean: f64| {
        let spread = (list.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        if spread > 0.0 { spread } else { 1.0 }
    };
    let means: Vec<f64> = lists.iter().map(|list| mean(list)).collect();
    let spreads: Vec<f64> = lists.iter().zip(&means).map(|(list, &mean)| spread(list, mean)).collect();
    let columns = (0..lists.len()).map(|i| lists[i].iter().map(|value| (value - means[i]) / spreads[i]).collect());
    let names = (0..lists.len()).map(|i| format!("model_{i}")).collect();
    let matrix = FeatureMatrix::new(names, columns.collect(), vec![false; lists.len()])?;
    let model = Logistic::params().c(FREE).fit(&matrix, target)?;
    let scaled: Vec<f64> =
        model.coefficients().iter().zip(&spreads).map(|((_, weight), spread)| weight / spread).collect();
    let shift: f64 = scaled.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
    let mut all = vec![model.intercept() - shift];
    all.extend(scaled);
    Ok(all)
}

/// Log-odds of a probability, which counts as no nearer to 0 or 1 than one in 10,000: one certainty is not worth all points.
pub(super) fn log_odds(probability: f64) -> f64 {
    let held = probability.clamp(1e-4, 1.0 - 1e-4);
    (held / (1.0 - held)).ln()
}
