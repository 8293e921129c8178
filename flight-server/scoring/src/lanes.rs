//! What goes in: a day's items with what the rules say, probabilities, and a definition. What comes out: decisions, or the
//! item for which they cannot be made.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use haetae_risk::{DecisionTable, Decisions, Lane, Quota, Rule};
use polars::frame::DataFrame;
use polars::prelude::{Column, col};
use sha2::{Digest, Sha256};

use crate::clearance::Scored;
use crate::definition::{Lanes, Rule as Declared};
use crate::{Definition, Error, Result, read, rules};

/// How many features a reason names.
pub(crate) const REASONS: usize = 3;

/// 0.29 of 100 is 28.999… in binary.
const ROUNDING: f64 = 1e-9;

/// Decides on every row of a day.
pub(crate) fn decide(
    definition: &Definition,
    version: &str,
    day: NaiveDate,
    batch: &RecordBatch,
    scored: &Scored,
) -> Result<Decisions> {
    let lanes = &definition.lanes;
    let offices = read::all_texts(batch, "office_id")?;
    let hits = hits(definition, batch)?;
    let mut table = DecisionTable::new(version).explore(lanes.explore).seed(lanes.seed).reasons(REASONS);
    for (feature, words) in &definition.features {
        table = table.words(feature, words);
    }
    for (place, rule) in definition.rules.iter().enumerate() {
        table = table.rule(rule_of(rule, place)?);
    }
    for office in &lanes.office {
        table = table.quota(&office.id, Quota { yellow: office.yellow, red: office.red, blue: office.blue });
    }
    let text = day.to_string();
    for (office, quota) in quotas(definition, &text, &offices, &hits) {
        table = table.quota_on(office, &text, quota);
    }
    let frame = frame(batch, offices, &text, hits)?;
    let decided = table.decide_explained(&frame, &scored.probability, &scored.contributions);
    decided.map_err(|source| match source {
        haetae_risk::Error::Contradiction { row, .. } => match rules::key(batch, row) {
            Ok(item) => Error::Contradiction { item, day, source: Box::new(source) },
            Err(error) => error,
        },
        source => Error::Decide { day, source },
    })
}

/// For each rule, on which rows its condition holds.
fn hits(definition: &Definition, batch: &RecordBatch) -> Result<Vec<Vec<bool>>> {
    let of = |(place, rule): (usize, &Declared)| {
        read::flags(batch, &format!("rule:{place}"))
            .map_err(|error| Error::Rule { rule: rule.name.clone(), reason: error.to_string() })
    };
    definition.rules.iter().enumerate().map(of).collect()
}

fn frame(batch: &RecordBatch, offices: Vec<String>, day: &str, hits: Vec<Vec<bool>>) -> Result<DataFrame> {
    let rows = batch.num_rows();
    let mut columns = vec![
        Column::new("declaration_id".into(), read::all_texts(batch, "declaration_id")?),
        Column::new("item_no".into(), read::whole(batch, "item_no")?),
        Column::new("office_id".into(), offices),
        Column::new("declaration_date".into(), vec![day; rows]),
        Column::new("stake_krw".into(), read::all_numbers(batch, "stake_krw")?),
    ];
    columns.extend(hits.into_iter().enumerate().map(|(place, hits)| Column::new(condition(place).into(), hits)));
    Ok(DataFrame::new(rows, columns)?)
}

fn condition(place: usize) -> String {
    format!("rule:{place}")
}

fn lane(rule: &Declared) -> Result<Lane> {
    [Lane::Green, Lane::Yellow, Lane::Red, Lane::Blue].into_iter().find(|lane| lane.name() == rule.lane).ok_or_else(
        || {
            let reason = format!("there is no lane `{}`; there are green, yellow, red and blue", rule.lane);
            Error::Rule { rule: rule.name.clone(), reason }
        },
    )
}

fn rule_of(declared: &Declared, place: usize) -> Result<Rule> {
    let mut rule =
        Rule::new(&declared.name, &declared.owner, col(condition(place)), lane(declared)?).text(&declared.text);
    if let Some(day) = &declared.from {
        rule = rule.from(day);
    }
    if let Some(day) = &declared.to {
        rule = rule.to(day);
    }
    if declared.advisory {
        rule = rule.advisory();
    }
    Ok(declared.over.iter().fold(rule, |rule, other| rule.over(other)))
}

/// The quotas of offices that have no numbers of their own: shares of the day's items, but at least what rules bind.
fn quotas<'a>(
    definition: &Definition,
    day: &str,
    offices: &'a [String],
    hits: &[Vec<bool>],
) -> BTreeMap<&'a str, Quota> {
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    for (row, office) in offices.iter().enumerate() {
        let counts = counts.entry(office).or_default();
        counts.items += 1;
        match bound(definition, day, hits, row) {
            Some("green") => counts.green += 1,
            Some("red") => counts.red += 1,
            Some("yellow") => counts.yellow += 1,
            Some("blue") => counts.blue += 1,
            _ => {}
        }
    }
    let own = |office: &str| definition.lanes.office.iter().any(|own| own.id == office);
    counts
        .into_iter()
        .filter(|(office, _)| !own(office))
        .map(|(office, one)| {
            let luck = ["yellow", "red", "blue"].map(|lane| luck(definition.lanes.seed, lane, office, day));
            (office, one.quota(&definition.lanes, luck))
        })
        .collect()
}

/// A number from 0 up to 1 by which a part of an item is one or none: small offices have their share over the days.
fn luck(seed: u64, lane: &str, office: &str, day: &str) -> f64 {
    let hash = Sha256::digest(format!("{seed}/{lane}/{day}/{office}"));
    let number = hash.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    f64::from(number) / 4_294_967_296.0
}

/// The items of an office's day, and those that rules bind.
#[derive(Debug, Default)]
struct Counts {
    items: usize,
    green: usize,
    yellow: usize,
    red: usize,
    blue: usize,
}

impl Counts {
    fn quota(&self, lanes: &Lanes, luck: [f64; 3]) -> Quota {
        let share = |share: f64, luck: f64, bound: usize| {
            let whole = (self.items as f64 * share + ROUNDING).floor();
            let part = (self.items as f64 * share - whole).max(0.0);
            (whole as usize + usize::from(luck < part - ROUNDING)).max(bound)
        };
        let (mut yellow, mut red, mut blue) = (
            share(lanes.yellow, luck[0], self.yellow),
            share(lanes.red, luck[1], self.red),
            share(lanes.blue, luck[2], self.blue),
        );
        let available = self.items - self.green;
        // What rules bind stays; the rest gives way.
        while yellow + red + blue > available {
            match () {
                () if blue > self.blue => blue -= 1,
                () if yellow > self.yellow => yellow -= 1,
                () if red > self.red => red -= 1,
                () => break,
            }
        }
        Quota { yellow, red, blue }
    }
}

/// The lane that rules ask for on a row; of red and yellow, red. Contradictions are the table's to refuse.
fn bound<'a>(definition: &'a Definition, day: &str, hits: &[Vec<bool>], row: usize) -> Option<&'a str> {
    let on = |rule: &Declared| {
        rule.from.as_deref().is_none_or(|from| from <= day) && rule.to.as_deref().is_none_or(|to| day <= to)
    };
    let held: Vec<&Declared> = definition
        .rules
        .iter()
        .zip(hits)
        .filter(|(rule, hits)| hits[row] && !rule.advisory && on(rule))
        .map(|(rule, _)| rule)
        .collect();
    let stands = |rule: &&&Declared| !held.iter().any(|other| other.over.contains(&rule.name));
    let lanes: Vec<&str> = held.iter().filter(stands).map(|rule| rule.lane.as_str()).collect();
    lanes.iter().find(|lane| **lane == "red").or_else(|| lanes.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_give_way_to_what_rules_bind() {
        let lanes = Lanes { yellow: 0.5, red: 0.25, blue: 0.25, ..Lanes::default() };
        let of = |items, green, red| Counts { items, green, red, ..Counts::default() }.quota(&lanes, [0.9; 3]);
        assert_eq!(of(8, 0, 0), Quota { yellow: 4, red: 2, blue: 2 });
        assert_eq!(of(8, 0, 5), Quota { yellow: 3, red: 5, blue: 0 });
        assert_eq!(of(8, 3, 1), Quota { yellow: 3, red: 2, blue: 0 });
        assert_eq!(of(3, 0, 0), Quota { yellow: 1, red: 0, blue: 0 });
    }

    #[test]
    fn a_small_office_has_its_share_over_the_days() {
        let lanes = Lanes { red: 0.05, ..Lanes::default() };
        let office = Counts { items: 4, ..Counts::default() };
        let red = |day: u32| office.quota(&lanes, [0.0, luck(7, "red", "10", &day.to_string()), 0.0]).red;
        // 0.2 items on each of 1,000 days: 200, give or take 4 standard deviations of 12.6.
        let all: usize = (0..1000).map(red).sum();
        assert!((150..250).contains(&all), "{all}");
        assert!((0..1000).all(|day| red(day) <= 1));
        let whole = Counts { items: 100, ..Counts::default() };
        assert_eq!(whole.quota(&Lanes { red: 0.29, ..lanes }, [0.0; 3]).red, 29, "a whole number has no part");
    }
}
