//! A figure of target and scores -> how far chance may have moved it.

use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::{Error, Result};
use rayon::prelude::*;
use std::fmt;

/// A figure, and the range in which it would lie in so many of a hundred samples like this one.
#[derive(Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure of the rows themselves.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How often such a range holds the truth, as a share.
    pub level: f64,
    /// Samples that it rests on: those of one class only are left out where the figure needs both.
    pub samples: usize,
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { estimate, low, high, level, .. } = self;
        write!(f, "{estimate:.3} ({:.0} % interval {low:.3} to {high:.3})", 100.0 * level)
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A figure of target and scores, such as `&metrics::auc`.
pub type Figure<'a> = &'a (dyn Fn(&[f64], &[f64]) -> Result<f64> + Sync);

/// The percentile interval of a figure, such as `&metrics::auc`, from `samples` draws of all rows with replacement.
/// The same for any number of threads.
///
/// Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13.
///
/// # Errors
/// As the figure on the rows themselves; when `samples` is below 20 or `level` not between 0 and 1; when no sample had
/// both classes.
pub fn bootstrap(
    figure: Figure<'_>,
    target: &[f64],
    scores: &[f64],
    samples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval> {
    let ranges = Ranges("bootstrap");
    ranges.whole("samples", samples, 20..=usize::MAX)?;
    ranges.between_zero_and_one("level", level)?;
    let estimate = figure(target, scores)?;
    let one = |number: usize| {
        step("samples", number, samples)?;
        let mut random = Random::stream(seed, number as u64);
        let rows = (0..target.len()).map(|_| random.below(target.len()));
        let (target, scores): (Vec<f64>, Vec<f64>) = rows.map(|row| (target[row], scores[row])).unzip();
        match figure(&target, &scores) {
            Ok(value) if value.is_nan() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(Error::OneClass { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let found: Vec<Result<Option<f64>>> = (0..samples).into_par_iter().map(one).collect();
    let found = found.into_iter().collect::<Result<Vec<_>>>()?;
    let mut values: Vec<f64> = found.into_iter().flatten().collect();
    if values.is_empty() {
        let (model, what) = ("bootstrap", "samples with both classes");
        return Err(Error::TooFewRows { model, what, expected: 1, found: 0 });
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let (low, high) = (quantile(&values, tail), quantile(&values, 1.0 - tail));
    Ok(Interval { estimate, low, high, level, samples: values.len() })
}

/// Between two ordered values by their distance.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let value = |at: usize| values.get(at.min(values.len() - 1)).copied().unwrap_or(f64::NAN);
    value(below) + part * (value(below + 1) - value(below))
}
