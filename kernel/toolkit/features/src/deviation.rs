//! How far an amount is from what was usual for the same key before a day.

use crate::key::{KeySet, Source, UNSEEN};
use crate::{Result, column};
use polars::frame::DataFrame;

/// `ln(over / under)` of every row; NaN where either is null or not above 0.
pub(crate) fn log_ratio(frame: &DataFrame, over: &str, under: &str) -> Result<Vec<f64>> {
    const PURPOSE: &str = "a deviation";
    let over = column::numbers(frame, over, PURPOSE)?;
    let under = column::numbers(frame, under, PURPOSE)?;
    let ratio = |(a, b): (f64, f64)| if a > 0.0 && b > 0.0 { (a / b).ln() } else { f64::NAN };
    Ok(over.into_iter().zip(under).map(ratio).collect())
}

/// Sum and number of the values of a key up to and on a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) day: i32,
    pub(crate) values: f64,
    pub(crate) rows: f64,
}

/// Cumulated sums of each key by day.
#[derive(Debug, Clone)]
pub(crate) struct Deviations {
    pub(crate) keys: KeySet,
    pub(crate) sums: Vec<Vec<Sum>>,
}

impl Deviations {
    /// Learns from rows with a value; the others are left out.
    pub(crate) fn fit(frame: &DataFrame, sources: &[Source], days: &[i32], values: &[f64]) -> Result<Self> {
        let (keys, codes) = KeySet::fit_sources(frame, sources, "a deviation")?;
        let mut order: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
        // Stable, so that sums of floating-point numbers always run in the same order.
        order.sort_by_key(|&row| days[row]);
        let mut sums: Vec<Vec<Sum>> = vec![Vec::new(); keys.len()];
        for row in order {
            let of_key = &mut sums[codes[row] as usize];
            let mut sum = of_key.last().copied().unwrap_or(Sum { day: days[row], values: 0.0, rows: 0.0 });
            if sum.day == days[row] {
                of_key.pop();
            }
            sum.day = days[row];
            sum.values += values[row];
            sum.rows += 1.0;
            of_key.push(sum);
        }
        Ok(Self { keys, sums })
    }

    /// The columns of the frame that make its key.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys.columns()
    }

    /// Each row's value less the mean of its key before its day; NaN where there is none.
    pub(crate) fn of(&self, frame: &DataFrame, days: &[i32], values: &[f64]) -> Result<Vec<f64>> {
        let keys = self.keys.keys(frame)?;
        let mean = |key: u32, day: i32| {
            let sums = self.sums.get(key as usize).filter(|_| key != UNSEEN)?;
            let before = sums.partition_point(|sum| sum.day < day).checked_sub(1)?;
            Some(sums[before].values / sums[before].rows)
        };
        let rows = keys.into_iter().zip(days).zip(values);
        Ok(rows.map(|((key, &day), value)| mean(key, day).map_or(f64::NAN, |mean| value - mean)).collect())
    }
}
