//! Scored rows and a group column -> whether the score errs for one group more than for another.

use super::Judged;
use crate::Result;
use crate::error::refuse;
use crate::frame::{count, texts};
use polars::frame::DataFrame;
use polars::prelude::Column;

/// A row for each group of the column `group` (null is `missing`), in the order of their names. A row counts as flagged
/// when its grade is `up_to` or riskier. Columns:
///
/// - `rows`, `bad_rate`, `said` (mean of the probabilities) and `gap` = said - bad_rate: above 0 the group is taken for
///   riskier than it is (calibration by group);
/// - `flagged`: share of rows; `found`: flagged among bad rows; `false_alarms`: flagged among good rows; null where the
///   group has none of them;
/// - `found_gap`: how much less is found than in the group where most is (equal opportunity; Hardt, Price and Srebro 2016).
///
/// # Errors
/// When a column is missing or of the wrong type, there are no rows, or `up_to` is 0.
pub fn fairness(scored: &DataFrame, group: &str, target: &str, up_to: usize) -> Result<DataFrame> {
    if up_to == 0 {
        return refuse("fairness, up_to", "a grade, from 1 on", up_to);
    }
    let judged = Judged::of(scored, target)?;
    let of_rows: Vec<String> = texts(scored, group, "fairness")?
        .into_iter()
        .map(|text| text.unwrap_or_else(|| "missing".to_owned()))
        .collect();
    let mut groups = of_rows.clone();
    groups.sort();
    groups.dedup();
    let mut lists: [Vec<f64>; 4] = Default::default();
    let (mut found, mut alarms) = (Vec::new(), Vec::new());
    for one in &groups {
        let members: Vec<usize> = (0..of_rows.len()).filter(|&row| of_rows[row] == *one).collect();
        let share = |counts: &dyn Fn(usize) -> bool, among: &dyn Fn(usize) -> bool| {
            let of: Vec<usize> = members.iter().copied().filter(|&row| among(row)).collect();
            (!of.is_empty()).then(|| count(of.iter().filter(|&&row| counts(row)).count()) / count(of.len()))
        };
        let flagged = |row: usize| judged.grade[row] <= up_to;
        let bad = |row: usize| judged.target[row] == 1.0;
        let rate = share(&bad, &|_| true).unwrap_or(0.0);
        let said = members.iter().map(|&row| judged.probability[row]).sum::<f64>() / count(members.len());
        let values = [count(members.len()), rate, said, share(&flagged, &|_| true).unwrap_or(0.0)];
        lists.iter_mut().zip(values).for_each(|(list, value)| list.push(value));
        found.push(share(&flagged, &bad));
        alarms.push(share(&flagged, &|row| !bad(row)));
    }
    let most = found.iter().flatten().copied().fold(0.0, f64::max);
    let [rows, rates, said, flagged] = lists;
    let columns = vec![
        Column::new("group".into(), groups.clone()),
        Column::new("rows".into(), rows),
        Column::new("bad_rate".into(), rates.clone()),
        Column::new("said".into(), said.clone()),
        Column::new("gap".into(), said.iter().zip(&rates).map(|(said, rate)| said - rate).collect::<Vec<_>>()),
        Column::new("flagged".into(), flagged),
        Column::new("found".into(), found.clone()),
        Column::new("false_alarms".into(), alarms),
        Column::new("found_gap".into(), found.iter().map(|one| one.map(|one| most - one)).collect::<Vec<_>>()),
    ];
    Ok(DataFrame::new(groups.len(), columns)?)
}
