//! Texts and a target -> groups of texts with about the same share of bad rows.

use super::bins::{Attribute, Coding};
use super::number::PLACES;
use super::optimal::{Limits, Unit, cut};
use super::{Base, Binning, Direction, Tally};
use crate::frame::count;
use std::collections::BTreeMap;

/// Texts that a label names.
const NAMED: usize = 4;

pub(super) fn fit(name: &str, values: &[Option<String>], target: &[f64], base: &Base, params: &Binning) -> Attribute {
    let mut missing = Tally::default();
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (value, &bad) in values.iter().zip(target) {
        match value {
            None => missing.add(bad),
            Some(value) => tallies.entry(value).or_default().add(bad),
        }
    }
    // Rare texts stand together at the risk of all of them: sorted by their own, the good and the bad rows of a
    // column of names would part by themselves. Equal ones stay in the texts' order.
    let risk = |tally: &Tally| base.woe(tally.bad, count(tally.rows) - tally.bad);
    let is_rare = |tally: &Tally| count(tally.rows) < params.smoothing;
    let mut of_rare = Tally::default();
    tallies.values().filter(|tally| is_rare(tally)).for_each(|tally| of_rare.merge(tally));
    let place = |tally: &Tally| if is_rare(tally) { (risk(&of_rare), true) } else { (risk(tally), false) };
    let mut texts: Vec<(&str, Tally)> = tallies.into_iter().collect();
    texts.sort_by(|(_, a), (_, b)| {
        let (a, b) = (place(a), place(b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    });
    let groups = groups(&texts, is_rare);
    let units: Vec<Unit> = groups.iter().map(|group| unit(&texts[group.clone()])).collect();
    let limits = Limits {
        least_rows: params.least_rows(values.len()),
        most_bins: params.most_bins,
        gain: params.min_gain,
        direction: Direction::Rising,
    };
    let ends = if units.is_empty() { Vec::new() } else { cut(&units, base, &limits) };
    let (mut bins, mut of_text, mut from) = (Vec::new(), BTreeMap::new(), 0);
    for &to in &ends {
        let members = &texts[groups[from].start..groups[to - 1].end];
        let Unit { rows, bad } = unit(members);
        of_text.extend(members.iter().map(|(text, _)| ((*text).to_owned(), bins.len())));
        bins.push(Tally { rows, bad }.bin(label(members), base));
        from = to;
    }
    let missing = (missing.rows > 0).then(|| {
        bins.push(missing.bin("missing".to_owned(), base));
        bins.len() - 1
    });
    Attribute::new(name, bins, Coding::Category { of_text, missing })
}

/// Neighbours together where there are more texts than places to cut at, and all rare ones.
fn groups(texts: &[(&str, Tally)], is_rare: impl Fn(&Tally) -> bool) -> Vec<std::ops::Range<usize>> {
    let rows: usize = texts.iter().map(|text| text.1.rows).sum();
    let wanted = if texts.len() > PLACES { rows.div_ceil(PLACES) } else { 1 };
    let (mut groups, mut from, mut held) = (Vec::new(), 0, 0);
    for (place, (_, tally)) in texts.iter().enumerate() {
        held += tally.rows;
        // Rare ones and others are never of one group, and rare ones are never parted.
        let ends = match texts.get(place + 1) {
            None => true,
            Some((_, next)) if is_rare(tally) || is_rare(next) => is_rare(tally) != is_rare(next),
            Some(_) => held >= wanted,
        };
        if ends {
            groups.push(from..place + 1);
            (from, held) = (place + 1, 0);
        }
    }
    groups
}

fn unit(members: &[(&str, Tally)]) -> Unit {
    let add =
        |unit: Unit, member: &(&str, Tally)| Unit { rows: unit.rows + member.1.rows, bad: unit.bad + member.1.bad };
    members.iter().fold(Unit { rows: 0, bad: 0.0 }, add)
}

/// The most frequent texts first.
fn label(members: &[(&str, Tally)]) -> String {
    let mut sorted: Vec<&(&str, Tally)> = members.iter().collect();
    sorted.sort_by_key(|member| std::cmp::Reverse(member.1.rows));
    let named: Vec<&str> = sorted.iter().take(NAMED).map(|member| member.0).collect();
    match sorted.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        others => format!("{} and {others} more", named.join(", ")),
    }
}
