//! Results of inspections -> the share that found something in each period, with its interval, and an alarm.

use crate::Result;
use crate::error::refuse;
use crate::frame::{all_texts, count};
use polars::frame::DataFrame;
use polars::prelude::Column;

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A row for each value of the column `period` (texts, numbers, dates; in their order as texts): `period`, `inspected`,
/// `hits`, `hit_rate` with its 95 % interval `low` to `high`, and `verdict`: `fallen` where the whole interval lies below
/// `expected` (the share that the model reached when it was judged, or promised), `risen` where it lies above, else `calm`.
///
/// Of many periods one in forty is `fallen` by chance alone: act on an alarm that stays. The interval is Wilson's (*Probable
/// inference, the law of succession, and statistical inference*, 1927), which holds for few inspections too.
///
/// # Errors
/// When a column is missing or of the wrong type, there are no rows, a result is null or neither 0 nor 1, or `expected` is no
/// share.
pub fn hit_rates(results: &DataFrame, period: &str, hit: &str, expected: f64) -> Result<DataFrame> {
    if !(0.0..=1.0).contains(&expected) {
        return refuse("hit rates, expected", "a share from 0 to 1", expected);
    }
    if results.height() == 0 {
        return Err(crate::Error::NoRows { what: "results of inspections" });
    }
    let of_rows = all_texts(results, period, "the hit rate by period")?;
    crate::frame::column(results, hit, "the hit rate")?;
    let found = haetae_features::target(results, hit)?;
    let mut periods = of_rows.clone();
    periods.sort();
    periods.dedup();
    let (mut inspected, mut hits, mut rates, mut lows, mut highs, mut verdicts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in &periods {
        let members: Vec<f64> = (0..of_rows.len()).filter(|&row| of_rows[row] == *one).map(|row| found[row]).collect();
        let (rows, sum) = (count(members.len()), members.iter().sum::<f64>());
        let (low, high) = wilson(sum, rows);
        inspected.push(members.len() as u64);
        hits.push(sum);
        rates.push(sum / rows);
        lows.push(low);
        highs.push(high);
        verdicts.push(match () {
            () if high < expected => "fallen",
            () if low > expected => "risen",
            () => "calm",
        });
    }
    let columns = vec![
        Column::new("period".into(), periods.clone()),
        Column::new("inspected".into(), inspected),
        Column::new("hits".into(), hits),
        Column::new("hit_rate".into(), rates),
        Column::new("low".into(), lows),
        Column::new("high".into(), highs),
        Column::new("verdict".into(), verdicts),
    ];
    Ok(DataFrame::new(periods.len(), columns)?)
}

/// The interval of a share of at least one row.
fn wilson(found: f64, of: f64) -> (f64, f64) {
    let share = found / of;
    let middle = (share + Z * Z / (2.0 * of)) / (1.0 + Z * Z / of);
    let half = Z / (1.0 + Z * Z / of) * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}
