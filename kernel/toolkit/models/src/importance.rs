//! A model and rows -> how much each feature matters to its scores.

use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::{Error, Result, metrics};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// How much the AUC of `predict` on these rows falls when the values of one feature are exchanged between rows: the
/// mean and the standard deviation over `repeats`. The rows should be others than those of the fit.
///
/// The frame has a row for each feature, greatest fall first: `feature`, `fall` and `deviation` (NaN for one repeat).
/// Features that tell the same share their importance: each alone may fall to 0.
///
/// Source: Breiman, *Random Forests*, 2001, section 10; Fisher, Rudin and Dominici, 2019.
///
/// # Errors
/// When `repeats` is not 1 to 10,000, as `predict` and [`metrics::auc`], and [`Error::Cancelled`].
pub fn permutation_importance(
    predict: &dyn Fn(&FeatureMatrix) -> Result<Vec<f64>>,
    features: &FeatureMatrix,
    target: &[f64],
    repeats: usize,
    seed: u64,
) -> Result<DataFrame> {
    Ranges("permutation importance").whole("repeats", repeats, 1..=10_000)?;
    if target.len() != features.rows() {
        return Err(Error::Rows { what: "target", expected: features.rows(), found: target.len() });
    }
    let whole = metrics::auc(target, &predict(features)?)?;
    let mut found = Vec::with_capacity(features.columns());
    for feature in 0..features.columns() {
        let mut falls = Vec::with_capacity(repeats);
        for repeat in 0..repeats {
            step("features", feature, features.columns())?;
            let mut random = Random::stream(seed, (feature * repeats + repeat) as u64);
            falls.push(whole - metrics::auc(target, &predict(&exchanged(features, feature, &mut random)?)?)?);
        }
        found.push((features.names()[feature].clone(), mean(&falls), deviation(&falls)));
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let columns = vec![
        Column::new("feature".into(), found.iter().map(|one| one.0.as_str()).collect::<Vec<_>>()),
        Column::new("fall".into(), found.iter().map(|one| one.1).collect::<Vec<_>>()),
        Column::new("deviation".into(), found.iter().map(|one| one.2).collect::<Vec<_>>()),
    ];
    Ok(DataFrame::new(found.len(), columns)?)
}

fn exchanged(features: &FeatureMatrix, feature: usize, random: &mut Random) -> Result<FeatureMatrix> {
    let mut columns: Vec<Vec<f64>> = (0..features.columns()).map(|i| features.column(i).to_vec()).collect();
    random.shuffle(&mut columns[feature]);
    let categorical = (0..features.columns()).map(|i| features.is_categorical(i)).collect();
    Ok(FeatureMatrix::new(features.names().to_vec(), columns, categorical)?)
}

#[expect(clippy::cast_precision_loss, reason = "few repeats")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "few repeats")]
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}
