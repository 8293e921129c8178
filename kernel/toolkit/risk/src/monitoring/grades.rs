//! Scored rows -> a row for each grade: what it holds, and what came true.

use super::Judged;
use crate::Result;
use crate::frame::count;
use crate::taxpayer::written;
use polars::frame::DataFrame;
use polars::prelude::Column;

/// A row for each grade that has rows, the riskiest first: `grade`, `rows`, `share` of all rows, `bad`, `said` (mean of the
/// probabilities), `bad_rate` (what came true), `lift` (bad rate by that of all rows; null where nothing is bad),
/// `captured` (share of all bad rows in this grade and the riskier ones) and `in_order` (no riskier grade has a lower bad
/// rate).
///
/// `scored` is what [`crate::TaxpayerModel::score`] returned, with the `target` beside it.
///
/// # Errors
/// When a column is missing or of the wrong type, there are no rows, or a target is null or neither 0 nor 1.
pub fn by_grade(scored: &DataFrame, target: &str) -> Result<DataFrame> {
    let judged = Judged::of(scored, target)?;
    let mut grades: Vec<usize> = judged.grade.clone();
    grades.sort_unstable();
    grades.dedup();
    let all: f64 = judged.target.iter().sum();
    let total = count(judged.target.len());
    let (mut rows, mut bad, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for &grade in &grades {
        let members: Vec<usize> = (0..judged.grade.len()).filter(|&row| judged.grade[row] == grade).collect();
        let sum = |values: &[f64]| members.iter().map(|&row| values[row]).sum::<f64>();
        rows.push(count(members.len()));
        bad.push(sum(&judged.target));
        said.push(sum(&judged.probability) / count(members.len()));
    }
    let rates: Vec<f64> = bad.iter().zip(&rows).map(|(bad, rows)| bad / rows).collect();
    let or_null = |value: f64| value.is_finite().then_some(value);
    let mut held = 0.0;
    let captured: Vec<Option<f64>> = bad
        .iter()
        .map(|bad| {
            held += bad;
            or_null(held / all)
        })
        .collect();
    let in_order: Vec<bool> =
        (0..rates.len()).map(|at| rates[..at].iter().all(|before| *before >= rates[at])).collect();
    let columns = vec![
        Column::new("grade".into(), grades.iter().map(|&grade| written(grade)).collect::<Vec<_>>()),
        Column::new("rows".into(), rows.clone()),
        Column::new("share".into(), rows.iter().map(|rows| rows / total).collect::<Vec<_>>()),
        Column::new("bad".into(), bad),
        Column::new("said".into(), said),
        Column::new("bad_rate".into(), rates.clone()),
        Column::new("lift".into(), rates.iter().map(|rate| or_null(rate / (all / total))).collect::<Vec<_>>()),
        Column::new("captured".into(), captured),
        Column::new("in_order".into(), in_order),
    ];
    Ok(DataFrame::new(grades.len(), columns)?)
}
