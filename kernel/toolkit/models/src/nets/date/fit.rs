//! Rows, what was found in them and what that brought -> trees, a number of epochs, and a fitted net.

use super::cases::{Cases, Rows, Said, Scale};
use super::found::Found;
use super::model::DateNetModel;
use super::net::{Form, Leafy};
use super::params::{DateNetParams, MODEL};
use crate::check::{check_revenue, check_rows, finite, same_types};
use crate::file::Origin;
use crate::metrics::both_classes;
use crate::nets::device;
use crate::nets::front::unit;
use crate::nets::training::{Epoch, Training, base, row_weights};
use crate::range::Ranges;
use crate::{Error, Objective, Result};
use haetae_features::FeatureMatrix;

/// Rows, and what is known of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) features: &'a FeatureMatrix,
    pub(super) target: &'a [f64],
    pub(super) revenue: &'a [f64],
}

impl Known<'_> {
    fn check(&self, what: &'static str) -> Result<()> {
        check_rows(what, self.features, self.target, Objective::Binary)?;
        check_revenue(self.features.rows(), self.revenue)?;
        finite(self.features)
    }
}

pub(super) fn fit(params: &DateNetParams, train: Known<'_>, valid: Option<Known<'_>>) -> Result<DateNetModel> {
    train.check("training rows")?;
    both_classes(train.target)?;
    unit_of(params, train.revenue)?;
    if valid.is_some() || params.held_out == 0.0 {
        let grown = Grown::of(params, train, valid)?;
        let (epochs, weights) = grown.learn(params, &params.training)?;
        return Ok(grown.model(params, epochs, weights));
    }
    let (number, loss) = best_of_later_rows(params, train)?;
    let grown = Grown::of(params, train, None)?;
    let (mut epochs, weights) = grown.learn(params, &Training { epochs: number, ..params.training.clone() })?;
    if let Some(last) = epochs.last_mut() {
        last.valid_loss = Some(loss);
    }
    Ok(grown.model(params, epochs, weights))
}

/// The number of epochs on the earlier rows with the least loss on the later ones, and that loss. Each number is a run of
/// its own: one that is broken off midway ends on steps that are too long.
fn best_of_later_rows(params: &DateNetParams, train: Known<'_>) -> Result<(usize, f64)> {
    let from = earlier_rows(params, train)?;
    let of = |rows: std::ops::Range<usize>| train.features.select_rows(&rows.collect::<Vec<_>>());
    let (earlier, later) = (of(0..from), of(from..train.features.rows()));
    let (target, revenue) = (train.target.split_at(from), train.revenue.split_at(from));
    let earlier = Known { features: &earlier, target: target.0, revenue: revenue.0 };
    let later = Known { features: &later, target: target.1, revenue: revenue.1 };
    let grown = Grown::of(params, earlier, Some(later))?;
    let patience = params.training.patience.unwrap_or(1);
    let mut best: Option<(usize, f64)> = None;
    for number in 1..=params.training.epochs {
        // All of them are made: patience is for the numbers.
        let training = Training { epochs: number, patience: None, ..params.training.clone() };
        let (epochs, _) = grown.learn(params, &training)?;
        let loss = epochs.last().and_then(|epoch| epoch.valid_loss).unwrap_or(f64::INFINITY);
        match best {
            Some((known, least)) if loss >= least && number - known >= patience => break,
            Some((_, least)) if loss >= least => {}
            _ => best = Some((number, loss)),
        }
    }
    Ok(best.unwrap_or((1, f64::INFINITY)))
}

/// How many rows are not held back.
fn earlier_rows(params: &DateNetParams, train: Known<'_>) -> Result<usize> {
    let rows = train.features.rows();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of rows"
    )]
    let held_out = (rows as f64 * params.held_out).ceil() as usize;
    let from = rows - held_out.min(rows);
    let some_brought = |revenue: &[f64]| revenue.iter().any(|&amount| amount > 0.0);
    if from == 0 || both_classes(&train.target[..from]).is_err() || !some_brought(&train.revenue[..from]) {
        let expected = "a share that leaves both classes and some revenue among the earlier rows; 0 holds none back";
        return Ranges(MODEL).refuse("held_out", expected, format_args!("{} of {rows} rows", params.held_out));
    }
    Ok(from)
}

/// Trees that have been grown, and rows as a net over their leaves sees them.
struct Grown {
    scale: Scale,
    found: Found,
    train: (Cases, Said),
    valid: Option<(Cases, Said)>,
}

impl Grown {
    fn of(params: &DateNetParams, rows: Known<'_>, valid: Option<Known<'_>>) -> Result<Self> {
        let scale = Scale::fit(unit_of(params, rows.revenue)?, rows.revenue);
        let (found, cases) = Found::fit(rows.features, rows.target, &scale.of(rows.revenue), params)?;
        let said = |known: Known<'_>| Said {
            fraud: known.target.to_vec(),
            revenue: scale.of(known.revenue),
            weights: row_weights(params.training.class_weight, known.target, &[]),
            alpha: params.alpha,
        };
        let valid = match valid {
            None => None,
            Some(valid) => {
                valid.check("validation rows")?;
                same_types(&found.names, &|i| found.categorical[i], valid.features)?;
                Some((found.cases(valid.features)?, said(valid)))
            }
        };
        Ok(Self { scale, found, train: (cases, said(rows)), valid })
    }

    /// The losses of a net's epochs, and its weights.
    fn learn(&self, params: &DateNetParams, training: &Training) -> Result<(Vec<Epoch>, Vec<Vec<f32>>)> {
        let form = Form {
            trees: self.train.0.trees,
            leaves: self.found.leaves(),
            entities: self.found.entities.embeddings().iter().map(|&(places, _)| places).collect(),
            width: params.width,
            heads: params.heads,
            hidden: params.hidden,
        };
        let said = &self.train.1;
        let mut net = Leafy::new(&form, training.dropout, training.seed);
        net.fraud.set_bias(base(&said.fraud, &said.weights));
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        net.revenue.set_bias(said.revenue.iter().sum::<f64>() / said.revenue.len() as f64);
        let rows = said.fraud.len();
        let mut learner = Rows { net, train: self.train.clone(), valid: self.valid.clone() };
        device::fit(MODEL, training, rows, &form.there(), &mut learner)
    }

    fn model(self, params: &DateNetParams, epochs: Vec<Epoch>, weights: Vec<Vec<f32>>) -> DateNetModel {
        DateNetModel {
            found: self.found,
            width: params.width,
            heads: params.heads,
            hidden: params.hidden,
            scale: self.scale,
            weights,
            epochs,
            origin: Origin::of(params),
            threads: params.training.threads,
            device: params.training.device,
        }
    }
}

/// The unit of amounts; an error where no row brought any.
fn unit_of(params: &DateNetParams, revenue: &[f64]) -> Result<f64> {
    let some: Vec<f64> = revenue.iter().copied().filter(|&amount| amount > 0.0).collect();
    if some.is_empty() {
        return Err(Error::NoRevenue { rows: revenue.len() });
    }
    // A sum of the greatest amounts would leave the numbers.
    let by = unit(some.iter().copied());
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let mean = some.iter().map(|amount| amount / by).sum::<f64>() / some.len() as f64 * by;
    Ok(params.revenue_unit.unwrap_or(mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_whose_sum_leaves_the_numbers_have_a_unit() {
        let params = crate::DateNet::params();
        assert!((unit_of(&params, &[1e308, 0.0, 1.5e308]).unwrap() / 1e308 - 1.25).abs() < 1e-12);
        assert_eq!(unit_of(&params, &[2.0, 0.0, 3.0]).unwrap(), 2.5);
        assert!(matches!(unit_of(&params, &[0.0; 2]), Err(Error::NoRevenue { rows: 2 })));
    }
}
