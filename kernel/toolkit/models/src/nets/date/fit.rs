//! Rows, what was found in them and what that brought -> trees, a number of epochs, and a fitted net.

use super::cases::{Rows, Said, Scale};
use super::found::Found;
use super::model::DateNetModel;
use super::net::{Form, Leafy};
use super::params::{DateNetParams, MODEL};
use crate::check::{check_revenue, check_rows, finite, same_types};
use crate::file::Origin;
use crate::metrics::both_classes;
use crate::nets::training::{Epoch, Training, base, row_weights, train};
use crate::nets::weights::copied;
use crate::range::Ranges;
use crate::threads::with_threads;
use crate::{Error, Objective, Result};
use haetae_features::FeatureMatrix;

/// Epochs without a better loss after which a search for their number ends, unless said.
const PATIENCE: usize = 3;

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
        return once(params, &params.training, train, valid);
    }
    let losses = losses_of_later_rows(params, train)?;
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
    let training = Training { last: Some(best + 1), ..params.training.clone() };
    let mut model = once(params, &training, train, None)?;
    for (epoch, loss) in model.epochs.iter_mut().zip(losses) {
        epoch.valid_loss = Some(loss);
    }
    Ok(model)
}

/// What each epoch on the earlier rows comes to on the later ones.
fn losses_of_later_rows(params: &DateNetParams, train: Known<'_>) -> Result<Vec<f64>> {
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
    let of = |rows: std::ops::Range<usize>| train.features.select_rows(&rows.collect::<Vec<_>>());
    let (earlier, later) = (of(0..from), of(from..rows));
    let (target, revenue) = (train.target.split_at(from), train.revenue.split_at(from));
    let earlier = Known { features: &earlier, target: target.0, revenue: revenue.0 };
    let later = Known { features: &later, target: target.1, revenue: revenue.1 };
    let patience = Some(params.training.patience.unwrap_or(PATIENCE));
    let training = Training { patience, ..params.training.clone() };
    let model = once(params, &training, earlier, Some(later))?;
    Ok(model.epochs.iter().map(|epoch| epoch.valid_loss.unwrap_or(f64::INFINITY)).collect())
}

/// Trees, and a net over their leaves.
fn once(
    params: &DateNetParams,
    training: &Training,
    rows: Known<'_>,
    valid: Option<Known<'_>>,
) -> Result<DateNetModel> {
    let scale = Scale::fit(unit_of(params, rows.revenue)?, rows.revenue);
    let (found, cases) = Found::fit(rows.features, rows.target, &scale.of(rows.revenue), params)?;
    let said = |known: Known<'_>| Said {
        fraud: known.target.to_vec(),
        revenue: scale.of(known.revenue),
        weights: row_weights(training.class_weight, known.target, &[]),
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
    let form = Form {
        trees: cases.trees,
        leaves: found.leaves(),
        entities: found.entities.embeddings().iter().map(|&(places, _)| places).collect(),
        width: params.width,
        heads: params.heads,
        hidden: params.hidden,
    };
    let said = said(rows);
    let mut net = Leafy::new(&form, training.dropout, training.seed);
    net.fraud.set_bias(base(rows.target, &said.weights));
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    net.revenue.set_bias(said.revenue.iter().sum::<f64>() / said.revenue.len() as f64);
    let mut learner = Rows { net, train: (cases, said), valid };
    let fitted = || train(MODEL, training, rows.features.rows(), &mut learner);
    let epochs: Vec<Epoch> = with_threads(training.threads, fitted)??;
    Ok(DateNetModel {
        found,
        width: params.width,
        heads: params.heads,
        hidden: params.hidden,
        scale,
        weights: copied(&mut learner.net),
        epochs,
        origin: Origin::of(params),
        threads: training.threads,
    })
}

/// The unit of amounts; an error where no row brought any.
fn unit_of(params: &DateNetParams, revenue: &[f64]) -> Result<f64> {
    let some: Vec<f64> = revenue.iter().copied().filter(|&amount| amount > 0.0).collect();
    if some.is_empty() {
        return Err(Error::NoRevenue { rows: revenue.len() });
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let mean = some.iter().sum::<f64>() / some.len() as f64;
    Ok(params.revenue_unit.unwrap_or(mean))
}
