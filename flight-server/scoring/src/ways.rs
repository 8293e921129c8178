//! What goes in: labelled items that versions have scored. What comes out: how they would be put in order without a model: by
//! the amount at stake, the price, the rules that hold, the importer's past, or chance.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use haetae_models::Random;
use haetae_warehouse::query::Snapshot;

use crate::{Result, read};

/// Results of the overall share that an importer's own are drawn towards, as in the toolkit's `ImporterHistory`.
const PRIOR: f64 = 10.0;
/// What the order at random, and that of equal numbers of rules, falls by.
const SEED: u64 = 7;

/// The ways, in the order of [`Ways::scores`].
const NAMES: [&str; 5] = ["stake", "price", "rules", "importer history", "random"];

/// Columns of the labelled items, one value a row.
pub(crate) struct Ways {
    stake: Vec<f64>,
    price: Vec<f64>,
    rules: Vec<f64>,
    history: Vec<f64>,
}

impl Ways {
    /// From rows with `stake_krw`, `item_price_krw`, `rules` (names with commas between, or null), `importer_id` and `day`.
    pub(crate) async fn of(snapshot: &Snapshot, schema: &str, batch: &RecordBatch, last: NaiveDate) -> Result<Self> {
        let rules = read::texts(batch, "rules")?.into_iter();
        let rules = rules.map(|names| names.map_or(0, |names| names.split(',').filter(|one| !one.is_empty()).count()));
        // A price that is not declared comes last.
        let price = read::numbers(batch, "item_price_krw")?.into_iter();
        let past = Past::read(snapshot, schema, last).await?;
        let (importers, days) = (read::all_texts(batch, "importer_id")?, read::all_numbers(batch, "day")?);
        Ok(Self {
            stake: read::all_numbers(batch, "stake_krw")?,
            price: price.map(|price| if price.is_nan() { -1.0 } else { price }).collect(),
            rules: rules.map(|count| count as f64).collect(),
            history: importers.iter().zip(days).map(|(importer, day)| past.rate(importer, day)).collect(),
        })
    }

    /// Each way's name with the scores of some of the rows.
    pub(crate) fn scores(&self, rows: &[usize]) -> Vec<(&'static str, Vec<f64>)> {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let drawn = |number: u64| {
            let mut random = Random::stream(SEED, number);
            rows.iter().map(|_| random.unit()).collect::<Vec<f64>>()
        };
        // Below 1, so that it decides among equal numbers of rules alone.
        let rules = of(&self.rules).iter().zip(drawn(0)).map(|(rules, drawn)| rules + drawn).collect();
        NAMES.into_iter().zip([of(&self.stake), of(&self.price), rules, of(&self.history), drawn(1)]).collect()
    }
}

/// Results by the day on which they were known.
struct Past {
    /// Days in their order, with results and frauds up to and with the day, of each importer.
    of: BTreeMap<String, Vec<(f64, f64, f64)>>,
    all: Vec<(f64, f64, f64)>,
}

impl Past {
    async fn read(snapshot: &Snapshot, schema: &str, last: NaiveDate) -> Result<Self> {
        let sql = format!(
            "select i.importer_id, l.inspection_date as day, count(*) as results, \
             sum(case when l.fraud then 1 else 0 end) as frauds \
             from {schema}.fact_inspection l join {schema}.fact_item i \
             on i.declaration_id = l.declaration_id and i.item_no = l.item_no \
             where l.inspection_date < date '{last}' group by 1, 2 order by 2, 1"
        );
        let batch = read::rows(snapshot, &sql).await?;
        let (importers, days) = (read::all_texts(&batch, "importer_id")?, read::all_numbers(&batch, "day")?);
        let (results, frauds) = (read::all_numbers(&batch, "results")?, read::all_numbers(&batch, "frauds")?);
        let mut past = Self { of: BTreeMap::new(), all: Vec::new() };
        for (row, importer) in importers.into_iter().enumerate() {
            let more = (days[row], results[row], frauds[row]);
            add(past.of.entry(importer).or_default(), more);
            add(&mut past.all, more);
        }
        Ok(past)
    }

    /// Share of fraud among the results of an importer that were known before a day, drawn towards that of all of them.
    fn rate(&self, importer: &str, day: f64) -> f64 {
        let (results, frauds) = before(&self.all, day);
        let overall = if results > 0.0 { frauds / results } else { 0.0 };
        let (results, frauds) = self.of.get(importer).map_or((0.0, 0.0), |sums| before(sums, day));
        (frauds + PRIOR * overall) / (results + PRIOR)
    }
}

/// Adds results to sums by day; days come in their order.
fn add(sums: &mut Vec<(f64, f64, f64)>, (day, results, frauds): (f64, f64, f64)) {
    let (last, before, found) = sums.last().copied().unwrap_or((f64::NEG_INFINITY, 0.0, 0.0));
    let sum = (day, before + results, found + frauds);
    match sums.last_mut().filter(|_| last == day) {
        Some(same) => *same = sum,
        None => sums.push(sum),
    }
}

/// Results and frauds before a day.
fn before(sums: &[(f64, f64, f64)], day: f64) -> (f64, f64) {
    let known = sums.partition_point(|(known, ..)| *known < day);
    known
        .checked_sub(1)
        .and_then(|place| sums.get(place))
        .map_or((0.0, 0.0), |(_, results, frauds)| (*results, *frauds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rules_come_first_and_equal_numbers_in_an_order_by_chance() {
        let rules: Vec<f64> = (0..60).map(|row| f64::from(row % 3)).collect();
        let none = vec![0.0; rules.len()];
        let ways = Ways { stake: none.clone(), price: none.clone(), rules: rules.clone(), history: none };
        let rows: Vec<usize> = (0..rules.len()).collect();
        let scores = ways.scores(&rows);
        assert_eq!(scores.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
        let mut order = rows;
        order.sort_by(|&a, &b| scores[2].1[b].total_cmp(&scores[2].1[a]));
        assert!(order.windows(2).all(|pair| rules[pair[0]] >= rules[pair[1]]));
        assert!(order.windows(2).any(|pair| rules[pair[0]] == rules[pair[1]] && pair[0] > pair[1]));
    }

    #[test]
    fn only_what_was_known_before_the_day_is_history() {
        let mut past = Past { of: BTreeMap::new(), all: Vec::new() };
        for (importer, known) in [("A", (10.0, 4.0, 2.0)), ("B", (10.0, 6.0, 0.0)), ("A", (12.0, 10.0, 10.0))] {
            add(past.of.entry(importer.to_owned()).or_default(), known);
            add(&mut past.all, known);
        }
        assert_eq!(past.rate("A", 10.0), 0.0, "results of the day itself are not known");
        // By hand: 2 of 10 on all; (2 + 10 * 0.2) / (4 + 10).
        assert!((past.rate("A", 12.0) - 4.0 / 14.0).abs() < 1e-12);
        // 12 of 20 on all; (12 + 10 * 0.6) / (14 + 10).
        assert!((past.rate("A", 13.0) - 18.0 / 24.0).abs() < 1e-12);
        assert!((past.rate("C", 13.0) - 0.6).abs() < 1e-12, "of whom nothing is known, the overall share");
    }
}
