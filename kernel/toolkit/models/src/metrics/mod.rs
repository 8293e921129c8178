//! Target and scores -> figures. The higher a score, the sooner a row would be inspected.
//!
//! Every function refuses lists of different lengths, an empty list (but [`likeliest`], which gives one back), scores that are
//! NaN, and targets other than 0 and 1, or, of several classes, other than these. Infinite scores are in order.

mod classes;
mod probability;

pub use classes::{accuracy, confusion, likeliest, log_loss_of_classes};
pub(crate) use probability::check_probabilities;
pub use probability::{brier, hits_of_oracle, ks, log_loss, revenue_of_oracle};

use crate::check::check_revenue;
use crate::range::Ranges;
use crate::{Error, Result};

/// Area under the ROC curve: the chance that a row with target 1 scores above one with target 0,
/// ties counted half. 0.5 is no better than a coin.
///
/// # Errors
/// As above, and [`Error::OneClass`] when all targets are equal.
pub fn auc(target: &[f64], scores: &[f64]) -> Result<f64> {
    let order = ranking(target, scores)?;
    both_classes(target)?;
    // Steps of the curve from the highest score down; a group of equal scores is one slanted step.
    let (mut positive, mut negative, mut area) = (0.0, 0.0, 0.0);
    for group in ties(&order, scores) {
        let (hits, misses) = count(target, group);
        area += misses * (positive + hits / 2.0);
        positive += hits;
        negative += misses;
    }
    Ok(area / (positive * negative))
}

/// As [`auc`], each pair of rows as much as the product of their weights, which are above 0.
pub(crate) fn weighted_auc(target: &[f64], scores: &[f64], weights: &[f64]) -> Result<f64> {
    let order = ranking(target, scores)?;
    both_classes(target)?;
    let of = |rows: &[usize], class: f64| {
        rows.iter().filter(|&&row| target[row] == class).map(|&row| weights[row]).sum::<f64>()
    };
    let (all_positive, all_negative) = (of(&order, 1.0), of(&order, 0.0));
    let (mut positive, mut area) = (0.0, 0.0);
    for group in ties(&order, scores) {
        // As shares of their class: the product of two small weights may be 0.
        let (hits, misses) = (of(group, 1.0) / all_positive, of(group, 0.0) / all_negative);
        area += misses * (positive + hits / 2.0);
        positive += hits;
    }
    Ok(area)
}

/// Average precision: the mean, over the rows with target 1, of the precision among the rows that
/// score at least as high. The base rate is what chance would give.
///
/// Formula: sum over distinct scores of (recall - recall before) * precision.
///
/// # Errors
/// As above, and [`Error::OneClass`] when all targets are equal.
pub fn average_precision(target: &[f64], scores: &[f64]) -> Result<f64> {
    let order = ranking(target, scores)?;
    both_classes(target)?;
    let (mut positive, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for group in ties(&order, scores) {
        let (hits, misses) = count(target, group);
        positive += hits;
        seen += hits + misses;
        sum += hits * positive / seen;
    }
    Ok(sum / positive)
}

/// Precision@rate: share of target 1 among the `floor(rows * rate)` rows with the highest scores;
/// NaN where that is no row. Of equal scores the earlier row is taken first.
///
/// # Errors
/// As above, and [`Error::Parameter`] when `rate` is not above 0 and at most 1.
pub fn precision_at(target: &[f64], scores: &[f64], rate: f64) -> Result<f64> {
    Ok(Hits::at(target, scores, rate)?.precision())
}

/// Recall@rate: share of all rows with target 1 that are among the `floor(rows * rate)` with the
/// highest scores; NaN where no row has target 1.
///
/// # Errors
/// As [`precision_at`].
pub fn recall_at(target: &[f64], scores: &[f64], rate: f64) -> Result<f64> {
    Ok(Hits::at(target, scores, rate)?.recall())
}

/// Revenue@rate: share of all revenue that lies in the `floor(rows * rate)` rows with the highest
/// scores; `revenue` is what an inspection of the row brings, in any currency, 0 or more. NaN
/// where all of it is 0.
///
/// # Errors
/// As [`precision_at`]; [`Error::Revenue`] with the row for a revenue that is negative or no number.
pub fn revenue_at(revenue: &[f64], scores: &[f64], rate: f64) -> Result<f64> {
    same_rows(revenue, scores)?;
    check_revenue(scores.len(), revenue)?;
    let top = inspected_rows(scores, rate)?;
    Ok(share(top.iter().map(|&row| revenue[row]).sum(), revenue.iter().sum()))
}

/// The rows that would be inspected at a rate, highest score first, equal ones in their order.
///
/// # Errors
/// [`Error::Parameter`] for the rate, [`Error::NotANumber`] for a score.
pub fn inspected_rows(scores: &[f64], rate: f64) -> Result<Vec<usize>> {
    if !(rate > 0.0 && rate <= 1.0) {
        return Ranges("metric").refuse("rate", "above 0 and at most 1, such as 0.05", rate);
    }
    let mut order = descending(scores)?;
    // The small addition undoes rounding: 0.29 * 100 is a little less than 29.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the rows")]
    let count = (whole(scores.len()) * rate + 1e-9).floor() as usize;
    order.truncate(count);
    Ok(order)
}

/// Rows with target 1 among those that are inspected at a rate.
pub(crate) struct Hits {
    found: f64,
    inspected: f64,
    all: f64,
}

impl Hits {
    pub(crate) fn at(target: &[f64], scores: &[f64], rate: f64) -> Result<Self> {
        same_rows(target, scores)?;
        labels(target)?;
        let top = inspected_rows(scores, rate)?;
        Ok(Self { found: count(target, &top).0, inspected: whole(top.len()), all: target.iter().sum() })
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.found, self.inspected)
    }

    pub(crate) fn recall(&self) -> f64 {
        share(self.found, self.all)
    }

    /// Of as many as could be there.
    pub(crate) fn of_oracle(&self) -> f64 {
        share(self.found, self.inspected.min(self.all))
    }
}

/// NaN where there is nothing to have a share of.
pub(crate) fn share(found: f64, possible: f64) -> f64 {
    if possible > 0.0 { found / possible } else { f64::NAN }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn whole(count: usize) -> f64 {
    count as f64
}

pub(crate) fn same_rows(target: &[f64], scores: &[f64]) -> Result<()> {
    if target.len() != scores.len() {
        return Err(Error::Rows { what: "scores", expected: target.len(), found: scores.len() });
    }
    if target.is_empty() {
        return Err(Error::NoLabels { what: "target", rows: 0 });
    }
    Ok(())
}

pub(crate) fn labels(target: &[f64]) -> Result<()> {
    match target.iter().position(|&value| value != 0.0 && value != 1.0) {
        Some(row) => Err(Error::Target { row, expected: "0 or 1".to_owned(), found: target[row] }),
        None => Ok(()),
    }
}

pub(crate) fn both_classes(target: &[f64]) -> Result<()> {
    match target.first() {
        Some(&first) if target.iter().all(|&value| value == first) => {
            Err(Error::OneClass { found: first, rows: target.len() })
        }
        _ => Ok(()),
    }
}

fn ranking(target: &[f64], scores: &[f64]) -> Result<Vec<usize>> {
    same_rows(target, scores)?;
    labels(target)?;
    descending(scores)
}

fn descending(scores: &[f64]) -> Result<Vec<usize>> {
    if let Some(row) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::NotANumber { what: "scores", row });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Adding 0 makes -0 equal to 0; the sort is stable.
    order.sort_by(|&a, &b| (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0)));
    Ok(order)
}

/// Groups of rows with equal scores, from the highest score down.
fn ties<'a>(order: &'a [usize], scores: &'a [f64]) -> impl Iterator<Item = &'a [usize]> {
    order.chunk_by(|&a, &b| scores[a] == scores[b])
}

/// Rows with target 1 and with target 0.
fn count(target: &[f64], rows: &[usize]) -> (f64, f64) {
    let hits: f64 = rows.iter().map(|&row| target[row]).sum();
    (hits, whole(rows.len()) - hits)
}
