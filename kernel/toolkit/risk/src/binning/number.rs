//! Numbers and a target -> bins in the order of the numbers, and those beside it.

use super::bins::{Attribute, Coding};
use super::optimal::{Limits, Unit, cut};
use super::{Base, Binning, Direction, Tally};

/// Places to cut at that are tried.
pub(super) const PLACES: usize = 40;

pub(super) fn fit(
    name: &str,
    values: &[Option<f64>],
    target: &[f64],
    base: &Base,
    (params, special, direction): (&Binning, &[f64], Direction),
) -> Attribute {
    let mut signs: Vec<(f64, Tally)> = special.iter().map(|&value| (value, Tally::default())).collect();
    let mut missing = Tally::default();
    let mut sizes: Vec<(f64, f64)> = Vec::new();
    for (value, &bad) in values.iter().zip(target) {
        match value {
            None => missing.add(bad),
            Some(value) => match signs.iter_mut().find(|sign| sign.0 == *value) {
                Some(sign) => sign.1.add(bad),
                // Adding 0 makes -0 and 0 one value.
                None => sizes.push((value + 0.0, bad)),
            },
        }
    }
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (units, uppers) = units(&sizes);
    let limits = Limits {
        least_rows: params.least_rows(values.len()),
        most_bins: params.most_bins,
        gain: params.min_gain,
        direction,
    };
    let ends = if units.is_empty() { Vec::new() } else { cut(&units, base, &limits) };
    let cuts: Vec<f64> = ends.iter().rev().skip(1).rev().map(|&end| uppers[end - 1]).collect();
    let mut bins = Vec::new();
    let mut from = 0;
    for (number, &to) in ends.iter().enumerate() {
        let mut tally = Tally::default();
        for unit in &units[from..to] {
            tally.rows += unit.rows;
            tally.bad += unit.bad;
        }
        bins.push(tally.bin(label(&cuts, number), base));
        from = to;
    }
    let mut own = |tally: Tally, label: String| {
        (tally.rows > 0).then(|| {
            bins.push(tally.bin(label, base));
            bins.len() - 1
        })
    };
    let special = signs.into_iter().map(|(value, tally)| (value, own(tally, value.to_string()))).collect();
    let missing = own(missing, "missing".to_owned());
    Attribute::new(name, bins, Coding::Number { cuts, any: !ends.is_empty(), special, missing })
}

/// Stretches of about equally many rows, equal numbers together, and the greatest number of each.
fn units(sizes: &[(f64, f64)]) -> (Vec<Unit>, Vec<f64>) {
    let (mut units, mut uppers) = (Vec::new(), Vec::new());
    let wanted = sizes.len().div_ceil(PLACES);
    let mut unit = Unit { rows: 0, bad: 0.0 };
    for (place, &(value, bad)) in sizes.iter().enumerate() {
        unit.rows += 1;
        unit.bad += bad;
        let ends = sizes.get(place + 1).is_none_or(|next| next.0 != value);
        if ends && (unit.rows >= wanted || place + 1 == sizes.len()) {
            units.push(unit);
            uppers.push(value);
            unit = Unit { rows: 0, bad: 0.0 };
        }
    }
    (units, uppers)
}

fn label(cuts: &[f64], number: usize) -> String {
    match (number.checked_sub(1).and_then(|before| cuts.get(before)), cuts.get(number)) {
        (None, None) => "any".to_owned(),
        (None, Some(to)) => format!("up to {to}"),
        (Some(from), None) => format!("above {from}"),
        (Some(from), Some(to)) => format!("above {from} up to {to}"),
    }
}
