//! Target and probabilities -> how good the numbers themselves are, not only their order.

use super::{Hits, both_classes, count, labels, ranking, revenue_at, same_rows, share, ties, whole};
use crate::{Error, Result};

/// Kolmogorov and Smirnov's distance: the greatest difference, over all thresholds, between the share of rows with
/// target 1 and the share of rows with target 0 that score at least as high. 0 to 1, more is better.
///
/// # Errors
/// As the other figures, and [`Error::OneClass`] when all targets are equal.
pub fn ks(target: &[f64], scores: &[f64]) -> Result<f64> {
    let order = ranking(target, scores)?;
    both_classes(target)?;
    let all: f64 = target.iter().sum();
    let (mut positive, mut negative, mut most) = (0.0, 0.0, 0.0);
    for group in ties(&order, scores) {
        let (hits, misses) = count(target, group);
        positive += hits;
        negative += misses;
        most = f64::max(most, (positive / all - negative / (whole(target.len()) - all)).abs());
    }
    Ok(most)
}

/// Brier's score: the mean of `(probability - target)^2`; less is better, and `p * (1 - p)` is what the base rate `p`
/// gives for all.
///
/// # Errors
/// As the other figures, and [`Error::Probability`] for a score that is none.
pub fn brier(target: &[f64], probabilities: &[f64]) -> Result<f64> {
    check_probabilities(target, probabilities)?;
    let squares = target.iter().zip(probabilities).map(|(target, probability)| (probability - target).powi(2));
    Ok(squares.sum::<f64>() / whole(target.len()))
}

/// Logarithmic loss: the mean of `-ln` of the probability that was given to what came true; less is better. A
/// probability is taken as no nearer to 0 or 1 than 2.2e-16, so that one wrong certainty is not infinite.
///
/// # Errors
/// As [`brier`].
pub fn log_loss(target: &[f64], probabilities: &[f64]) -> Result<f64> {
    check_probabilities(target, probabilities)?;
    let losses = target.iter().zip(probabilities).map(|(&target, &probability)| {
        let given = probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        if target == 1.0 { -given.ln() } else { -(1.0 - given).ln() }
    });
    Ok(losses.sum::<f64>() / whole(target.len()))
}

/// Precision@rate and recall@rate as a share of what an oracle reaches at that rate, who inspects rows with target 1 first.
/// The share is the same for both: the rows with target 1 among those inspected, of as many as could be there. NaN where
/// the rate is no row or no row has target 1.
///
/// # Errors
/// As [`precision_at`](super::precision_at).
pub fn hits_of_oracle(target: &[f64], scores: &[f64], rate: f64) -> Result<f64> {
    Ok(Hits::at(target, scores, rate)?.of_oracle())
}

/// Revenue@rate as a share of what an oracle finds at that rate, who inspects the rows with the most revenue; NaN where
/// that is 0.
///
/// # Errors
/// As [`revenue_at`].
pub fn revenue_of_oracle(revenue: &[f64], scores: &[f64], rate: f64) -> Result<f64> {
    Ok(share(revenue_at(revenue, scores, rate)?, revenue_at(revenue, revenue, rate)?))
}

pub(crate) fn check_probabilities(target: &[f64], probabilities: &[f64]) -> Result<()> {
    same_rows(target, probabilities)?;
    labels(target)?;
    match probabilities.iter().position(|probability| !(0.0..=1.0).contains(probability)) {
        Some(row) => Err(Error::Probability { row, found: probabilities[row] }),
        None => Ok(()),
    }
}
