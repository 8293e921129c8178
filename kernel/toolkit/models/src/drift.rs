//! Values then and values now -> how far the rows have moved away from those of the fit.

use crate::check::same_types;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::collections::BTreeMap;

/// A share below this counts as this: an empty bin must not be infinite.
const LEAST: f64 = 1e-4;

/// Population stability index of a list of numbers (a feature, or scores): the sum over bins of
/// `(now - then) * ln(now / then)`, where both are shares of rows. Bins hold about as many values of `then` each;
/// missing values are a bin of their own. Below 0.1 is calm, above 0.25 another population, by the usual rule.
///
/// Source: Siddiqi, *Credit Risk Scorecards*, 2006.
///
/// # Errors
/// When a list is empty or `bins` is not 2 to 1000.
pub fn psi(then: &[f64], now: &[f64], bins: usize) -> Result<f64> {
    Ranges("PSI").whole("bins", bins, 2..=1000)?;
    let mut sorted: Vec<f64> = then.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut bounds: Vec<f64> = (1..bins).filter_map(|cut| sorted.get(cut * sorted.len() / bins).copied()).collect();
    bounds.dedup();
    let bin = |value: f64| if value.is_nan() { u64::MAX } else { bounds.partition_point(|b| *b <= value) as u64 };
    index(then, now, &bin)
}

/// [`psi`] of every feature, greatest first; of a categorical one, each code is a bin. The frame has the columns
/// `feature`, `psi` and `verdict` (`calm` below 0.1, `moved`, `another population` above 0.25).
///
/// # Errors
/// As [`psi`], and when the features differ by name or by type.
pub fn drift(then: &FeatureMatrix, now: &FeatureMatrix, bins: usize) -> Result<DataFrame> {
    same_types(then.names(), &|i| then.is_categorical(i), now)?;
    let mut found = Vec::with_capacity(then.columns());
    for (i, name) in then.names().iter().enumerate() {
        let code = |value: f64| if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
        let value = match then.is_categorical(i) {
            true => index(then.column(i), now.column(i), &code)?,
            false => psi(then.column(i), now.column(i), bins)?,
        };
        found.push((name.as_str(), value));
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let verdict = |value: f64| match value {
        value if value < 0.1 => "calm",
        value if value <= 0.25 => "moved",
        _ => "another population",
    };
    let columns = vec![
        Column::new("feature".into(), found.iter().map(|one| one.0).collect::<Vec<_>>()),
        Column::new("psi".into(), found.iter().map(|one| one.1).collect::<Vec<_>>()),
        Column::new("verdict".into(), found.iter().map(|one| verdict(one.1)).collect::<Vec<_>>()),
    ];
    Ok(DataFrame::new(found.len(), columns)?)
}

fn index(then: &[f64], now: &[f64], bin: &dyn Fn(f64) -> u64) -> Result<f64> {
    for (what, values) in [("values then", then), ("values now", now)] {
        if values.is_empty() {
            return Err(Error::Empty { what, rows: 0, columns: 1 });
        }
    }
    let mut shares: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let (each_then, each_now) = (1.0 / then.len() as f64, 1.0 / now.len() as f64);
    then.iter().for_each(|&value| shares.entry(bin(value)).or_default().0 += each_then);
    now.iter().for_each(|&value| shares.entry(bin(value)).or_default().1 += each_now);
    let term = |(then, now): &(f64, f64)| {
        let (then, now) = (then.max(LEAST), now.max(LEAST));
        (now - then) * (now / then).ln()
    };
    Ok(shares.values().map(term).sum())
}
