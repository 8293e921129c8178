use std::collections::{HashMap, HashSet};

use crate::dataset::Frame;

/// (hs6, origin or none, tariff type) -> spans of (rate, first day, last day).
type Tariff<'a> = HashMap<(&'a str, Option<&'a str>, &'a str), Vec<(f64, i32, i32)>>;

fn tariff(frame: &Frame) -> Tariff<'_> {
    let mut tariff: Tariff<'_> = HashMap::new();
    let (hs6, origin, types) = (frame.word("hs6"), frame.text("origin_country"), frame.word("tariff_type"));
    let (rate, from, to) = (frame.number("duty_rate"), frame.date("valid_from"), frame.date("valid_to"));
    for i in 0..frame.rows() {
        let span = (rate[i], from[i].unwrap(), to[i].unwrap_or(i32::MAX));
        tariff.entry((hs6[i], origin[i], types[i])).or_default().push(span);
    }
    tariff
}

#[test]
fn spans_of_one_rate_do_not_overlap() {
    let frame = Frame::table("dim_tariff_rate");
    for (key, mut spans) in tariff(&frame) {
        spans.sort_by_key(|s| s.1);
        assert!(spans.windows(2).all(|w| w[0].2 < w[1].1), "{key:?}: {spans:?}");
        assert!(spans.iter().all(|s| s.1 <= s.2), "{key:?}: {spans:?}");
    }
}

#[test]
fn a_declared_rate_is_in_the_tariff_except_where_a_clerk_slipped() {
    let (items, rates, errors) = (Frame::table("fact_item"), Frame::table("dim_tariff_rate"), Frame::truth("errors"));
    let tariff = tariff(&rates);
    let slips: HashSet<(&str, i32)> = errors.keys().into_iter().collect();
    let (hs6, origin, types) = (items.word("hs6"), items.word("origin_country"), items.word("tariff_type"));
    let (rate, day) = (items.number("duty_rate"), items.date("declaration_date"));
    let mut wrong = HashSet::new();
    for (i, key) in items.keys().into_iter().enumerate() {
        let spans = [None, Some(origin[i])].into_iter().filter_map(|o| tariff.get(&(hs6[i], o, types[i]))).flatten();
        let day = day[i].unwrap();
        if !spans.into_iter().any(|(r, from, to)| *r == rate[i] && (*from..=*to).contains(&day)) {
            wrong.insert(key);
        }
    }
    assert_eq!(wrong.difference(&slips).next(), None, "a rate outside the tariff, and no slip in truth");
    assert!(!slips.is_empty() && slips.len() < items.rows() / 100, "{} slips", slips.len());
}

#[test]
fn preferences_of_the_united_kingdom_change_with_the_year() {
    let frame = Frame::table("dim_tariff_rate");
    let british = frame.text("origin_country").into_iter().zip(frame.word("tariff_type"));
    let types: HashSet<&str> = british.filter(|(o, _)| *o == Some("GB")).map(|(_, t)| t).collect();
    assert!(types.contains("FEU1") && types.contains("FGB1"), "{types:?}");
}
