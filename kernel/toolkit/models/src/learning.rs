//! A way to fit, and rows -> how much more rows would help.

use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::{Error, Result, metrics};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// Fits on training rows and scores both the training rows and others: what [`learning_curve`] needs of a model.
pub type FitAndScore<'a> = &'a dyn Fn(&FeatureMatrix, &[f64], &FeatureMatrix) -> Result<(Vec<f64>, Vec<f64>)>;

/// AUC on training rows and on later rows, by the number of training rows: the first so many of one drawn order.
/// Where the two still come nearer, more rows help; where they have met, a better model or better features would.
///
/// The frame has the columns `rows`, `auc_train`, `auc_valid`.
///
/// # Errors
/// When lengths differ, a size is 0 or more than the rows, or as the fit: small sizes may hold one class only.
pub fn learning_curve(
    fit: FitAndScore<'_>,
    train: (&FeatureMatrix, &[f64]),
    valid: (&FeatureMatrix, &[f64]),
    sizes: &[usize],
    seed: u64,
) -> Result<DataFrame> {
    let (features, target) = train;
    if target.len() != features.rows() {
        return Err(Error::Rows { what: "target", expected: features.rows(), found: target.len() });
    }
    // Before the first fit: a curve takes long, and is lost with an error.
    if let Some(size) = sizes.iter().find(|size| **size == 0 || **size > features.rows()) {
        return Ranges("learning curve").refuse("sizes", "1 up to the number of training rows", size);
    }
    if valid.1.len() != valid.0.rows() {
        return Err(Error::Rows { what: "target of the other rows", expected: valid.0.rows(), found: valid.1.len() });
    }
    let mut order: Vec<usize> = (0..features.rows()).collect();
    Random::new(seed).shuffle(&mut order);
    let (mut train_auc, mut valid_auc) = (Vec::new(), Vec::new());
    for (done, &size) in sizes.iter().enumerate() {
        step("sizes", done, sizes.len())?;
        let rows = &order[..size];
        let labels: Vec<f64> = rows.iter().map(|&row| target[row]).collect();
        let (own, other) = fit(&features.select_rows(rows), &labels, valid.0)?;
        train_auc.push(metrics::auc(&labels, &own)?);
        valid_auc.push(metrics::auc(valid.1, &other)?);
    }
    let columns = vec![
        Column::new("rows".into(), sizes.iter().map(|&size| size as u64).collect::<Vec<_>>()),
        Column::new("auc_train".into(), train_auc),
        Column::new("auc_valid".into(), valid_auc),
    ];
    Ok(DataFrame::new(sizes.len(), columns)?)
}
