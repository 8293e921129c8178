//! Persons, what binds them and companies, and their offences.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::{Array, AsArray};

use super::index;
use crate::dataset::Frame;

/// Neighbours of each company and person, as the served tables have them.
fn network() -> HashMap<String, BTreeSet<String>> {
    let mut near: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (table, one, other) in [
        ("bridge_company_person", "company_id", "person_id"),
        ("bridge_company_company", "owner_company_id", "company_id"),
        ("bridge_person_person", "person_id", "other_person_id"),
    ] {
        let frame = Frame::table(table);
        for (one, other) in frame.word(one).into_iter().zip(frame.word(other)) {
            assert!(table != "bridge_person_person" || one < other, "{one} {other}");
            near.entry(one.to_owned()).or_default().insert(other.to_owned());
            near.entry(other.to_owned()).or_default().insert(one.to_owned());
        }
    }
    near
}

fn within(near: &HashMap<String, BTreeSet<String>>, from: &str, steps: usize) -> BTreeSet<String> {
    let mut found = BTreeSet::from([from.to_owned()]);
    for _ in 0..steps {
        let next: Vec<String> = found.iter().filter_map(|node| near.get(node)).flatten().cloned().collect();
        found.extend(next);
    }
    found
}

#[test]
fn the_members_of_a_ring_are_bound_by_persons_and_shares() {
    let (rings, near) = (Frame::truth("rings"), network());
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (row, (ring, importer)) in rings.word("ring_id").into_iter().zip(rings.word("importer_id")).enumerate() {
        members.entry(ring).or_default().insert(importer);
        let organiser = rings.word("organiser_person_id")[row];
        let direct = matches!(rings.word("bond")[row], "shareholder" | "director");
        let reach = within(&near, organiser, if direct { 1 } else { 2 });
        assert!(reach.contains(importer), "{ring}: {importer} is not within reach of {organiser}");
    }
    assert!(members.len() > 20 && members.values().all(|m| (3..=6).contains(&m.len())), "{}", members.len());
    assert_eq!(rings.word("bond").into_iter().collect::<BTreeSet<_>>().len(), 4);
    // They live by fraud, and chance binds nobody as closely: of the others few are within four steps of each other.
    let truth = Frame::truth("importers");
    let dishonesty = truth.column("dishonesty").as_primitive::<arrow::datatypes::Float32Type>();
    let ids = truth.word("importer_id");
    let of: HashMap<&str, f32> = ids.iter().copied().zip(dishonesty.values().iter().copied()).collect();
    assert!(members.values().flatten().all(|importer| of[importer] > 0.5));
    let in_ring: HashSet<&str> = members.values().flatten().copied().collect();
    let others: Vec<&str> = ids.iter().copied().filter(|id| !in_ring.contains(id)).step_by(7).collect();
    let bound = others.iter().filter(|id| within(&near, id, 4).iter().any(|n| n.starts_with('I') && n != *id)).count();
    assert!((bound as f64) < 0.2 * others.len() as f64, "{bound} of {}", others.len());
}

#[test]
fn phoenix_companies_are_often_bound_to_those_whom_they_follow() {
    let (truth, near) = (Frame::truth("importers"), network());
    let pairs: Vec<(&str, &str)> = truth
        .word("importer_id")
        .into_iter()
        .zip(truth.text("phoenix_of"))
        .filter_map(|(new, old)| Some((new, old?)))
        .collect();
    let bound = pairs.iter().filter(|(new, old)| within(&near, new, 3).contains(*old)).count() as f64;
    let share = bound / pairs.len() as f64;
    assert!(pairs.len() > 20 && (0.75..0.99).contains(&share), "{share} of {}", pairs.len());
    let companies = Frame::table("dim_company");
    let accounts: HashMap<&str, &str> =
        companies.word("company_id").into_iter().zip(companies.word("bank_account")).collect();
    let shared = pairs.iter().filter(|(new, old)| accounts[new] == accounts[old]).count() as f64 / pairs.len() as f64;
    assert!((0.15..0.5).contains(&shared), "{shared}");
}

#[test]
fn critical_findings_become_offences_of_the_representative() {
    let (offences, inspections) = (Frame::table("bridge_person_offence"), Frame::table("fact_inspection"));
    let grave: BTreeMap<&str, usize> =
        inspections.class().into_iter().zip(inspections.word("declaration_id")).filter(|(class, _)| *class == 2).fold(
            BTreeMap::new(),
            |mut counts, (_, id)| {
                *counts.entry(id).or_default() += 1;
                counts
            },
        );
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    offences.text("declaration_id").into_iter().flatten().for_each(|id| *found.entry(id).or_default() += 1);
    assert_eq!(found, grave);
    assert!(offences.column("declaration_id").null_count() > 50, "older offences");
    let headers = Frame::table("fact_declaration");
    let (roles, rows) = (Frame::table("bridge_company_person"), index(&headers, "declaration_id"));
    let importer = headers.word("importer_id");
    let heads: HashSet<(&str, &str)> = roles
        .word("company_id")
        .into_iter()
        .zip(roles.word("person_id"))
        .zip(roles.word("role"))
        .filter(|(_, role)| *role == "representative")
        .map(|(pair, _)| pair)
        .collect();
    for (person, declaration) in offences.word("person_id").into_iter().zip(offences.text("declaration_id")) {
        let Some(declaration) = declaration else { continue };
        assert!(heads.contains(&(importer[rows[declaration]], person)), "{declaration}");
    }
}

#[test]
fn whoever_was_found_guilty_was_of_age() {
    let (offences, persons) = (Frame::table("bridge_person_offence"), Frame::table("dim_person"));
    let (person, born) = (index(&persons, "person_id"), persons.word("birth_date"));
    for (id, day) in offences.word("person_id").into_iter().zip(offences.day("offence_date")) {
        let year: i32 = born[person[id]][..4].parse().unwrap();
        // Days from 1970-01-01 to the end of the year of birth at most.
        let latest = ((year + 1 - 1970) as f64 * 365.25).ceil() as i32;
        let earliest = latest - 366;
        assert!(day >= earliest + 6_574, "{id}, born in {year}, on day {day}");
    }
}
