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
use crate::nets::training::{Epoch, Training, base, row_weights};
use crate::range::Ranges;
use crate::unit::unit;
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
    unit_of(params, train)?;
    if valid.is_some() || params.held_out == 0.0 {
        let grown = Grown::of(params, train, valid)?;
        let (epochs, weights) = grown.learn(params, &params.training)?;
        return grown.model(params, epochs, weights);
    }
    let (number, loss) = best_of_later_rows(params, train)?;
    let grown = Grown::of(params, train, None)?;
    let (mut epochs, weights) = grown.learn(params, &Training { epochs: number, ..params.training.clone() })?;
    if let Some(last) = epochs.last_mut() {
        last.valid_loss = Some(loss);
    }
    grown.model(params, epochs, weights)
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
    let (target, revenue) = (&train.target[..from], &train.revenue[..from]);
    let some_brought = learnt(params, target).iter().any(|&row| revenue[row] > 0.0);
    if from == 0 || both_classes(target).is_err() || !some_brought {
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
    /// Rows whose amounts are learnt, and these.
    learnt: Vec<usize>,
    amounts: Vec<f64>,
    valid: Option<(Cases, Said)>,
}

impl Grown {
    fn of(params: &DateNetParams, rows: Known<'_>, valid: Option<Known<'_>>) -> Result<Self> {
        let learnt_rows = learnt(params, rows.target);
        let amounts: Vec<f64> = learnt_rows.iter().map(|&row| rows.revenue[row]).collect();
        let scale = Scale::fit(unit_of(params, rows)?, &amounts);
        let (found, cases) = Found::fit(rows.features, rows.target, (&learnt_rows, &scale.of(&amounts)), params)?;
        let said = |known: Known<'_>, cases: &Cases| {
            let mut alphas = vec![0.0; known.target.len()];
            learnt(params, known.target).into_iter().for_each(|row| alphas[row] = params.alpha);
            let scaled = scale.of(known.revenue);
            Said {
                fraud: known.target.to_vec(),
                revenue: scaled.iter().enumerate().map(|(row, amount)| amount - cases.start(row)).collect(),
                weights: row_weights(params.training.class_weight, known.target, &[]),
                alphas,
            }
        };
        let valid = match valid {
            None => None,
            Some(valid) => {
                valid.check("validation rows")?;
                same_types(&found.names, &|i| found.categorical[i], valid.features)?;
                let cases = found.cases(valid.features)?;
                let said = said(valid, &cases);
                Some((cases, said))
            }
        };
        let said = said(rows, &cases);
        Ok(Self { scale, found, train: (cases, said), learnt: learnt_rows, amounts, valid })
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
        let mean = self.learnt.iter().map(|&row| said.revenue[row]).sum::<f64>() / self.learnt.len() as f64;
        net.revenue.set_bias(mean);
        let rows = said.fraud.len();
        let mut learner = Rows { net, train: self.train.clone(), valid: self.valid.clone() };
        device::fit(MODEL, training, rows, &form.there(), &mut learner)
    }

    fn model(self, params: &DateNetParams, epochs: Vec<Epoch>, weights: Vec<Vec<f32>>) -> Result<DateNetModel> {
        let mut model = DateNetModel {
            found: self.found,
            width: params.width,
            heads: params.heads,
            hidden: params.hidden,
            scale: self.scale,
            factor: None,
            weights,
            epochs,
            origin: Origin::of(params),
            threads: params.training.threads,
            device: params.training.device,
        };
        if params.hurdle {
            let (_, said) = model.said(&self.train.0, &self.learnt)?;
            if said.iter().any(|amount| !amount.is_finite()) {
                return Err(Error::Diverged { model: MODEL, epoch: model.epochs.len() });
            }
            model.factor = Some(balance(&self.amounts, &said));
        }
        Ok(model)
    }
}

/// Rows whose amounts are learnt.
fn learnt(params: &DateNetParams, target: &[f64]) -> Vec<usize> {
    (0..target.len()).filter(|&row| !params.hurdle || target[row] == 1.0).collect()
}

/// What makes the sum of what is said that of the amounts: the mean of logarithms is the logarithm of less than the mean.
fn balance(amounts: &[f64], said: &[f64]) -> f64 {
    // Sums of the greatest amounts would leave the numbers.
    let by = unit(amounts.iter().chain(said).copied());
    let sum = |amounts: &[f64]| amounts.iter().map(|amount| amount / by).sum::<f64>();
    let factor = sum(amounts) / sum(said);
    if factor.is_finite() && factor > 0.0 { factor } else { 1.0 }
}

/// The unit of amounts; an error where no row whose amount is learnt brought any.
fn unit_of(params: &DateNetParams, rows: Known<'_>) -> Result<f64> {
    let learnt = learnt(params, rows.target);
    let some: Vec<f64> = learnt.iter().map(|&row| rows.revenue[row]).filter(|&amount| amount > 0.0).collect();
    if some.is_empty() {
        let what = if params.hurdle { "frauds" } else { "rows" };
        return Err(Error::NoRevenue { what, rows: learnt.len() });
    }
    // A sum of the greatest amounts would leave the numbers.
    let by = unit(some.iter().copied());
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let mean = some.iter().map(|amount| amount / by).sum::<f64>() / some.len() as f64 * by;
    // Trees find the order of size of an amount themselves; a head that starts from 0 learns the great ones better so.
    let usual = if params.hurdle && params.revenue_trees > 0 { mean / 1000.0 } else { mean };
    Ok(params.revenue_unit.unwrap_or(usual.max(f64::MIN_POSITIVE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_whose_sum_leaves_the_numbers_have_a_unit() {
        let features = FeatureMatrix::new(vec!["x".to_owned()], vec![vec![0.0; 3]], vec![false]).unwrap();
        let unit = |params: &DateNetParams, target: &[f64], revenue: &[f64]| {
            unit_of(params, Known { features: &features, target, revenue })
        };
        let hurdle = crate::DateNet::params();
        let all = hurdle.clone().hurdle(false);
        assert!((unit(&all, &[0.0; 3], &[1e308, 0.0, 1.5e308]).unwrap() / 1e308 - 1.25).abs() < 1e-12);
        assert_eq!(unit(&all, &[0.0; 3], &[2.0, 0.0, 3.0]).unwrap(), 2.5);
        assert!(matches!(unit(&all, &[0.0; 3], &[0.0; 3]), Err(Error::NoRevenue { what: "rows", rows: 3 })));
        // Of frauds alone.
        assert_eq!(unit(&hurdle, &[1.0, 0.0, 1.0], &[2.0, 7.0, 4.0]).unwrap(), 0.003);
        assert_eq!(unit(&hurdle.clone().revenue_trees(0), &[1.0, 0.0, 1.0], &[2.0, 7.0, 4.0]).unwrap(), 3.0);
        assert!(unit(&hurdle, &[1.0, 0.0, 1.0], &[5e-324, 7.0, 0.0]).unwrap() > 0.0);
        let none = unit(&hurdle, &[1.0, 0.0, 1.0], &[0.0, 7.0, 0.0]);
        assert!(matches!(none, Err(Error::NoRevenue { what: "frauds", rows: 2 })));
    }

    #[test]
    fn a_factor_makes_sums_equal_where_there_is_one() {
        assert_eq!(balance(&[3.0, 5.0], &[1.0, 3.0]), 2.0);
        assert!((balance(&[1e308, 1.5e308], &[1e308, 1.5e308]) - 1.0).abs() < 1e-12);
        assert_eq!(balance(&[3.0], &[0.0]), 1.0);
    }
}
