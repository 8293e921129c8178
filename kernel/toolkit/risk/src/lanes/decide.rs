//! A decision table, a frame and probabilities -> decisions on every row.

use super::decisions::{Decided, Decisions};
use super::office::{Item, place};
use super::order::{Purpose, number, unit};
use super::reasons::Terms;
use super::{DecisionTable, Lane, Rule};
use crate::condition::holds;
use crate::frame::{all_days, all_numbers, all_texts, probabilities};
use crate::{Error, Result};
use haetae_models::Contributions;
use polars::frame::DataFrame;
use std::collections::BTreeMap;

const PURPOSE: &str = "the decision table";

pub(super) fn decide(
    table: &DecisionTable,
    frame: &DataFrame,
    probability: &[f64],
    contributions: Option<&Contributions>,
) -> Result<Decisions> {
    if frame.height() == 0 {
        return Err(Error::NoRows { what: "items" });
    }
    probabilities(frame, probability, "probability")?;
    let offices = all_texts(frame, &table.office, PURPOSE)?;
    let days = all_days(frame, &table.date, PURPOSE)?;
    let stakes = stakes(table, frame)?;
    let keys = keys(table, frame)?;
    let hits = hits(table, frame, &days)?;
    let terms = contributions.map(|all| Terms::new(all, probability, frame.height(), &table.words)).transpose()?;

    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for row in 0..frame.height() {
        groups.entry((&days[row], &offices[row])).or_default().push(row);
    }
    let mut placed = vec![None; frame.height()];
    let mut sizes = vec![(0, super::Quota { yellow: 0, red: 0, blue: 0 }); frame.height()];
    for ((day, office), rows) in groups {
        let quota = table.quotas.of(office, day);
        let quota = quota.ok_or_else(|| Error::NoQuota { office: office.to_owned(), day: day.to_owned() })?;
        let item = |&row: &usize| {
            let of = |purpose| number(table.seed, purpose, office, day, &keys[row]);
            let expected = probability[row] * stakes[row];
            let bound = bound(table, &hits, row)?;
            Ok(Item { row, bound, expected, draw: of(Purpose::Draw), tie: of(Purpose::Tie) })
        };
        let items = rows.iter().map(item).collect::<Result<Vec<_>>>()?;
        let share = number(table.seed, Purpose::Share, office, day, "");
        for one in place(office, day, quota, (table.explore, unit(share)), &items)? {
            let row = one.row;
            sizes[row] = (rows.len(), quota);
            placed[row] = Some(one);
        }
    }
    let mut all = Vec::with_capacity(frame.height());
    for (row, placed) in placed.into_iter().enumerate() {
        let Some(placed) = placed else { continue };
        let rules: Vec<&Rule> =
            table.rules.iter().zip(&hits).filter(|(_, hits)| hits[row]).map(|(rule, _)| rule).collect();
        let (items, quota) = sizes[row];
        all.push(Decided {
            key: keys[row].clone(),
            office: offices[row].clone(),
            day: days[row].clone(),
            probability: probability[row],
            stake: stakes[row],
            rules: rules.iter().map(|rule| rule.name.clone()).collect(),
            rule_words: rules.iter().map(|rule| rule.words()).collect(),
            items,
            quota,
            placed,
        });
    }
    Ok(Decisions::new(table.version.clone(), table.reasons, all, terms))
}

fn stakes(table: &DecisionTable, frame: &DataFrame) -> Result<Vec<f64>> {
    let stakes = all_numbers(frame, &table.stake, "the expected revenue")?;
    match stakes.iter().position(|stake| *stake < 0.0) {
        None => Ok(stakes),
        Some(row) => Err(Error::Value {
            column: table.stake.clone(),
            row,
            expected: "an amount of at least 0".to_owned(),
            found: stakes[row].to_string(),
            hint: "the amount at stake is what the treasury would lose",
        }),
    }
}

/// The key of every row as one text; no two are the same.
fn keys(table: &DecisionTable, frame: &DataFrame) -> Result<Vec<String>> {
    let columns = table.key.iter().map(|name| all_texts(frame, name, PURPOSE)).collect::<Result<Vec<_>>>()?;
    let parts = |row: usize| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>();
    let keys: Vec<String> = (0..frame.height()).map(|row| parts(row).join("/")).collect();
    let mut seen = BTreeMap::new();
    for (row, key) in keys.iter().enumerate() {
        // By its parts: joined, `a/b` and `c` look like `a` and `b/c`.
        if let Some(first) = seen.insert(parts(row), row) {
            return Err(Error::Value {
                column: table.key.join(", "),
                row,
                expected: "a key that no other row has".to_owned(),
                found: format!("`{key}`, as in row {first}"),
                hint: "an item is decided on once; name more columns with `key`",
            });
        }
    }
    Ok(keys)
}

/// For each rule, the rows on which it holds on their day.
fn hits(table: &DecisionTable, frame: &DataFrame, days: &[String]) -> Result<Vec<Vec<bool>>> {
    let of_rule = |rule: &Rule| {
        let held = holds(&rule.name, &rule.condition, frame)?;
        Ok(held.into_iter().zip(days).map(|(held, day)| held && rule.holds_on(day)).collect())
    };
    table.rules.iter().map(of_rule).collect()
}

/// The lane that the rules of one row agree on.
fn bound(table: &DecisionTable, hits: &[Vec<bool>], row: usize) -> Result<Option<Lane>> {
    let held: Vec<&Rule> =
        table.rules.iter().zip(hits).filter(|(rule, hits)| hits[row] && !rule.advisory).map(|(rule, _)| rule).collect();
    let stands = |rule: &&&Rule| !held.iter().any(|other| other.over.contains(&rule.name));
    let mut found: Option<&Rule> = None;
    for rule in held.iter().filter(stands) {
        found = match found {
            None => Some(rule),
            Some(first) if first.lane.covers(rule.lane) => Some(first),
            Some(first) if rule.lane.covers(first.lane) => Some(rule),
            Some(first) => {
                return Err(Error::Contradiction {
                    row,
                    first: first.name.clone(),
                    first_lane: first.lane.name(),
                    second: rule.name.clone(),
                    second_lane: rule.lane.name(),
                });
            }
        };
    }
    Ok(found.map(|rule| rule.lane))
}
