//! Days follow one another as they must.

use std::collections::{HashMap, HashSet};

use super::index;
use crate::dataset::Frame;

#[test]
fn days_are_in_their_order() {
    let in_order = |table: &str, columns: &[&str]| {
        let frame = Frame::table(table);
        for pair in columns.windows(2) {
            let (first, then) = (frame.date(pair[0]), frame.date(pair[1]));
            let wrong = first.iter().zip(&then).position(|(a, b)| matches!((a, b), (Some(a), Some(b)) if a > b));
            assert_eq!(wrong, None, "{table}: {} after {}", pair[0], pair[1]);
        }
    };
    in_order("fact_declaration", &["declaration_date", "acceptance_date", "release_date"]);
    in_order("fact_declaration", &["arrival_date", "release_date"]);
    in_order("fact_manifest", &["departure_date", "arrival_date"]);
    in_order("fact_refund", &["application_date", "refund_date"]);
    in_order("fact_audit", &["period_from", "period_to", "notified_on", "opened_on", "closed_on"]);
    in_order("fact_ruling", &["application_date", "ruling_date", "valid_to"]);
    in_order("bridge_person_offence", &["offence_date", "decision_date"]);
    for table in ["dim_company", "bridge_company_person", "bridge_company_company", "bridge_agreement_country"] {
        in_order(table, &["valid_from", "valid_to"]);
    }
    let headers = Frame::table("fact_declaration");
    let rows = index(&headers, "declaration_id");
    let not_before = |table: &str, column: &str, than: &str, sign: i32| {
        let (frame, bounds) = (Frame::table(table), headers.day(than));
        for (id, day) in frame.word("declaration_id").into_iter().zip(frame.day(column)) {
            assert!(sign * (day - bounds[rows[id]]) >= 0, "{table}.{column} of {id} and {than}");
        }
    };
    not_before("fact_payment", "payment_date", "acceptance_date", 1);
    not_before("fact_amendment", "amendment_date", "release_date", 1);
    not_before("fact_refund", "refund_date", "release_date", 1);
    not_before("fact_audit_line", "checked_on", "release_date", 1);
    not_before("fact_inspection", "inspection_date", "release_date", -1);
    not_before("bridge_document_declaration", "issued_on", "arrival_date", -1);
    let (payments, refunds) = (Frame::table("fact_payment"), Frame::table("fact_refund"));
    let mut last: HashMap<&str, i32> = HashMap::new();
    let declared = payments.word("payment_kind");
    for (row, (id, day)) in payments.word("declaration_id").into_iter().zip(payments.day("payment_date")).enumerate() {
        if declared[row] == "declared" {
            let entry = last.entry(id).or_insert(day);
            *entry = day.max(*entry);
        }
    }
    let back = refunds.word("declaration_id").into_iter().zip(refunds.day("refund_date"));
    back.for_each(|(id, day)| assert!(day > last[id], "{id} has its money back before it has paid"));
}

#[test]
fn every_day_of_a_fact_stands_among_the_days() {
    let days: HashSet<i32> = Frame::table("dim_date").day("day").into_iter().collect();
    let first = *days.iter().min().unwrap();
    for (table, column) in [
        ("fact_payment", "due_date"),
        ("fact_payment", "payment_date"),
        ("fact_refund", "refund_date"),
        ("fact_amendment", "amendment_date"),
        ("fact_declaration", "release_date"),
        ("fact_inspection", "inspection_date"),
        ("fact_audit", "closed_on"),
        ("fact_ruling", "ruling_date"),
        ("bridge_person_offence", "decision_date"),
    ] {
        let late =
            Frame::table(table).date(column).into_iter().flatten().find(|day| *day >= first && !days.contains(day));
        assert_eq!(late, None, "{table}.{column}");
    }
    let last = days.iter().max().unwrap();
    assert_eq!(days.len() as i32, last - first + 1);
}

#[test]
fn nobody_has_accounts_of_the_year_in_which_it_closed() {
    let (companies, accounts) = (Frame::table("dim_company"), Frame::table("fact_company_finance"));
    let from = companies.day("valid_from");
    let states = companies.word("state").into_iter().zip(companies.word("company_id")).zip(from);
    let closed: HashMap<&str, i32> =
        states.filter(|((state, _), _)| *state == "closed").map(|((_, id), from)| (id, from)).collect();
    // Days since 1970-01-01.
    let ends: HashMap<i32, i32> = HashMap::from([(2017, 17_531), (2018, 17_896), (2019, 18_261), (2020, 18_627)]);
    for (id, year) in accounts.word("company_id").into_iter().zip(accounts.whole("fiscal_year")) {
        assert!(closed.get(id).is_none_or(|closed| *closed > ends[&year]), "{id} has accounts of {year}");
    }
    assert!(!closed.is_empty());
}
