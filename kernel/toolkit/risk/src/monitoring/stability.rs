//! Rows then and rows now -> how far scores and attributes have moved, and how good the score was in each period.

use super::Judged;
use crate::frame::{all_numbers, all_texts, count};
use crate::{Bins, Result, Unseen};
use haetae_features::FeatureMatrix;
use haetae_models::{drift, metrics, psi};
use polars::frame::DataFrame;
use polars::prelude::Column;

/// Bins of the stability index of scores.
const BINS: usize = 10;

/// Population stability index of the scores of two scored frames, in ten bins of the first; see [`haetae_models::psi`].
///
/// # Errors
/// When a frame has no rows or no column `score`.
pub fn score_psi(then: &DataFrame, now: &DataFrame) -> Result<f64> {
    let scores = |frame| all_numbers(frame, "score", "the stability index");
    Ok(psi(&scores(then)?, &scores(now)?, BINS)?)
}

/// Characteristic stability index: the stability index of every attribute over its own bins, greatest first; values that no
/// training row had are a bin of their own. The frame has the columns `feature`, `psi` and `verdict`; see
/// [`haetae_models::drift`].
///
/// # Errors
/// When a column is missing or has changed its type, a number is NaN, or a frame has no rows.
pub fn csi(bins: &Bins, then: &DataFrame, now: &DataFrame) -> Result<DataFrame> {
    Ok(drift(&places(bins, then)?, &places(bins, now)?, BINS)?)
}

/// The number of each row's bin; NaN where there is none.
fn places(bins: &Bins, frame: &DataFrame) -> Result<FeatureMatrix> {
    let names: Vec<String> = bins.attributes().iter().map(|attribute| attribute.name().to_owned()).collect();
    let column = |attribute: &crate::Attribute| {
        let places = attribute.places(frame, Unseen::Average)?;
        Ok(places.into_iter().map(|place| place.map_or(f64::NAN, count)).collect())
    };
    let columns = bins.attributes().iter().map(column).collect::<Result<Vec<Vec<f64>>>>()?;
    let categorical = vec![true; names.len()];
    Ok(FeatureMatrix::new(names, columns, categorical)?)
}

/// A row for each value of the column `period` (texts, numbers, dates; in their order as texts): `period`, `rows`,
/// `bad_rate`, `said` (mean of the probabilities), `auc`, `gini`, `ks` (null in a period of one class), and `psi` of the
/// scores against the first period.
///
/// # Errors
/// When a column is missing, of the wrong type or null, or there are no rows.
pub fn by_period(scored: &DataFrame, period: &str, target: &str) -> Result<DataFrame> {
    let judged = Judged::of(scored, target)?;
    let of_rows = all_texts(scored, period, "the stability by period")?;
    let mut periods = of_rows.clone();
    periods.sort();
    periods.dedup();
    let mut first: Option<Vec<f64>> = None;
    let (mut rows, mut rate, mut said, mut auc, mut ks, mut moved) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in &periods {
        let members: Vec<usize> = (0..of_rows.len()).filter(|&row| of_rows[row] == *one).collect();
        let take = |values: &[f64]| members.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let (target, scores) = (take(&judged.target), take(&judged.score));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count(values.len());
        let both = target.iter().any(|value| *value != target[0]);
        rows.push(members.len() as u64);
        rate.push(mean(&target));
        said.push(mean(&take(&judged.probability)));
        auc.push(if both { Some(metrics::auc(&target, &scores)?) } else { None });
        ks.push(if both { Some(metrics::ks(&target, &scores)?) } else { None });
        moved.push(psi(first.get_or_insert_with(|| scores.clone()), &scores, BINS)?);
    }
    let columns = vec![
        Column::new("period".into(), periods.clone()),
        Column::new("rows".into(), rows),
        Column::new("bad_rate".into(), rate),
        Column::new("said".into(), said),
        Column::new("gini".into(), auc.iter().map(|auc| auc.map(|auc| 2.0 * auc - 1.0)).collect::<Vec<_>>()),
        Column::new("auc".into(), auc),
        Column::new("ks".into(), ks),
        Column::new("psi".into(), moved),
    ];
    Ok(DataFrame::new(periods.len(), columns)?)
}
