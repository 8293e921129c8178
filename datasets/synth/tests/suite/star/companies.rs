//! Audits, histories, accounts and shares of companies.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use super::index;
use crate::dataset::Frame;

#[test]
fn audits_find_fraud_that_no_inspection_has_found_and_sum_up() {
    let (audits, lines) = (Frame::table("fact_audit"), Frame::table("fact_audit_line"));
    let (items, fraud, inspections) =
        (Frame::table("fact_item"), Frame::truth("fraud"), Frame::table("fact_inspection"));
    let (rows, lies, inspected) = (items.index(), fraud.index(), inspections.index());
    let (evaded, caught) = (fraud.number("additional_duty_krw"), inspections.column("fraud").as_boolean());
    let case = index(&audits, "audit_id");
    let [from, to, opened, closed] = ["period_from", "period_to", "opened_on", "closed_on"].map(|n| audits.day(n));
    let (importer, declared, day) = (items.word("importer_id"), items.day("declaration_date"), lines.day("checked_on"));
    let (found, recovered) = (lines.flag("fraud"), lines.number("additional_duty_krw"));
    let mut sums: BTreeMap<&str, (i32, i32, f64)> = BTreeMap::new();
    for (row, (key, id)) in lines.keys().into_iter().zip(lines.word("audit_id")).enumerate() {
        let (audit, item) = (case[id], rows[&key]);
        assert_eq!(audits.word("importer_id")[audit], importer[item], "{key:?}");
        assert!((from[audit]..=to[audit]).contains(&declared[item]), "{key:?}");
        assert!((opened[audit]..=closed[audit]).contains(&day[row]), "{key:?}");
        assert!(!inspected.get(&key).is_some_and(|i| caught.value(*i)), "{key:?} was found before");
        assert_eq!(found[row], recovered[row] > 0.0);
        assert!(recovered[row] <= lies.get(&key).map_or(0.0, |f| evaded[*f]), "{key:?}");
        let sum = sums.entry(id).or_default();
        *sum = (sum.0 + 1, sum.1 + i32::from(found[row]), sum.2 + recovered[row]);
    }
    let (checked, wrong, total) =
        (audits.whole("lines_checked"), audits.whole("lines_wrong"), audits.number("additional_duty_krw"));
    for (row, id) in audits.word("audit_id").into_iter().enumerate() {
        assert_eq!((checked[row], wrong[row], total[row]), sums.get(id).copied().unwrap_or_default(), "{id}");
    }
    assert!(found.iter().filter(|found| **found).count() > 20);
    let entities = Frame::table("bridge_case_entity");
    let (companies, persons) = (Frame::table("dim_company"), Frame::table("dim_person"));
    let known: HashSet<&str> = companies.word("company_id").into_iter().chain(persons.word("person_id")).collect();
    assert!(entities.word("entity_id").iter().all(|id| known.contains(id)));
}

#[test]
fn companies_have_one_unbroken_history_that_ends_as_the_register_says() {
    let (companies, importers) = (Frame::table("dim_company"), Frame::table("dim_importer"));
    let (from, to) = (companies.day("valid_from"), companies.date("valid_to"));
    let (names, regions, states) = (companies.word("name"), companies.word("region"), companies.word("state"));
    let mut spans: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    companies.word("company_id").into_iter().enumerate().for_each(|(row, id)| spans.entry(id).or_default().push(row));
    let (numbers, mut owners) = (companies.word("business_no"), HashMap::new());
    let register = index(&importers, "importer_id");
    let (registered, name, region) = (importers.day("registered_on"), importers.word("name"), importers.word("region"));
    for (id, rows) in &spans {
        for pair in rows.windows(2) {
            assert_eq!(to[pair[0]].map(|to| to + 1), Some(from[pair[1]]), "{id} has a gap");
        }
        let last = rows[rows.len() - 1];
        assert_eq!(to[last], None, "{id}");
        rows.iter()
            .for_each(|row| assert!(*owners.entry(numbers[*row]).or_insert(*id) == *id, "{id} shares its number"));
        let Some(&importer) = register.get(id) else { continue };
        assert_eq!(
            (from[rows[0]], names[last], regions[last]),
            (registered[importer], name[importer], region[importer])
        );
        assert!(rows[..rows.len() - 1].iter().all(|row| states[*row] == "active"));
    }
    assert!(importers.word("importer_id").iter().all(|id| spans.contains_key(id)));
    assert!(spans.values().any(|rows| rows.len() > 2) && states.contains(&"closed"));
}

#[test]
fn accounts_add_up() {
    let frame = Frame::table("fact_company_finance");
    let number = |name: &str| frame.number(name);
    let (assets, liabilities, equity) = (number("assets_krw"), number("liabilities_krw"), number("equity_krw"));
    let (current, inventory, short) =
        (number("current_assets_krw"), number("inventory_krw"), number("current_liabilities_krw"));
    for row in 0..frame.rows() {
        assert_eq!(assets[row], liabilities[row] + equity[row]);
        assert!(inventory[row] <= current[row] && current[row] <= assets[row] && short[row] <= liabilities[row]);
    }
    assert!(number("revenue_krw").iter().all(|revenue| *revenue > 0.0));
    assert!(equity.iter().any(|equity| *equity < 0.0) && number("net_income_krw").iter().any(|net| *net < 0.0));
}

#[test]
fn shares_are_never_more_than_the_whole() {
    let (persons, companies) = (Frame::table("bridge_company_person"), Frame::table("bridge_company_company"));
    let shares = |frame: &Frame| frame.column("share_rate").as_primitive::<Float64Type>().iter().collect::<Vec<_>>();
    let mut held: HashMap<&str, Vec<_>> = HashMap::new();
    for frame in [&persons, &companies] {
        let (from, to) = (frame.day("valid_from"), frame.date("valid_to"));
        for (row, (company, share)) in frame.word("company_id").into_iter().zip(shares(frame)).enumerate() {
            held.entry(company).or_default().extend(share.map(|share| (from[row], to[row], share)));
        }
    }
    for (company, shares) in &held {
        for (day, ..) in shares {
            let on = shares.iter().filter(|(from, to, _)| from <= day && to.is_none_or(|to| *day <= to));
            let sum: f64 = on.map(|(.., share)| share).sum();
            assert!(sum <= 1.0 + 1e-9, "{company}: {sum}");
        }
        assert!(shares.iter().all(|(.., share)| *share > 0.0 && *share <= 1.0), "{company}");
    }
    let roles = persons.word("role");
    assert!(shares(&persons).iter().zip(&roles).all(|(share, role)| share.is_some() == (*role == "shareholder")));
    let born: HashMap<String, i32> = {
        let people = Frame::table("dim_person");
        let year = |text: &str| text[..4].parse::<i32>().unwrap();
        people
            .word("person_id")
            .into_iter()
            .map(str::to_owned)
            .zip(people.word("birth_date").into_iter().map(year))
            .collect()
    };
    for (person, from) in persons.word("person_id").into_iter().zip(persons.day("valid_from")) {
        assert!(born[person] + 19 <= 1970 + from.div_euclid(365), "{person} is too young");
    }
}
