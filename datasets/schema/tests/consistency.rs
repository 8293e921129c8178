//! The tables must agree with one another and with the naming rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use arrow_schema::DataType;
use haetae_schema::{Classification, Column, Table, course_tables, quality_tables, risk_tables, table, tables};

/// The one key column that may be null: there, null says "any origin".
const NULLABLE_KEY: (&str, &str) = ("dim_tariff_rate", "origin_country");

fn each_column() -> impl Iterator<Item = (&'static Table, &'static Column)> {
    tables().iter().flat_map(|t| t.columns.iter().map(move |c| (t, c)))
}

#[test]
fn names_are_unique_and_lower_case() {
    let names: BTreeSet<_> = tables().iter().map(|t| t.name).collect();
    assert_eq!(names.len(), tables().len());
    for t in tables() {
        assert!(["fact_", "dim_", "bridge_"].iter().any(|kind| t.name.starts_with(kind)), "{}", t.name);
        let columns: BTreeSet<_> = t.columns.iter().map(|c| c.name).collect();
        assert_eq!(columns.len(), t.columns.len(), "{} names a column twice", t.name);
    }
    for (t, c) in each_column() {
        let plain = c.name.chars().all(|x| x.is_ascii_lowercase() || x.is_ascii_digit() || x == '_');
        assert!(plain, "{}.{}", t.name, c.name);
        assert!(c.comment.ends_with('.'), "{}.{} needs a comment that is a sentence", t.name, c.name);
        assert!(!c.nullable || c.comment.contains("null"), "{}.{} must say what null means", t.name, c.name);
    }
}

#[test]
fn tables_of_one_name_agree_on_the_columns_that_they_share() {
    // Classifications are looked up by the name of the table alone.
    let filled = || quality_tables().iter().chain(risk_tables()).chain(course_tables());
    for a in filled() {
        for b in filled().filter(|b| b.name == a.name) {
            for column in a.columns {
                let other = b.column(column.name).map(|other| other.classification);
                assert!(other.is_none_or(|other| other == column.classification), "{}.{}", a.name, column.name);
            }
        }
    }
    for t in risk_tables() {
        for c in t.columns {
            assert!(c.comment.ends_with('.') && (!c.nullable || c.comment.contains("null")), "{}.{}", t.name, c.name);
            assert_eq!(
                c.classification == Classification::Identifier,
                c.name == "importer_id",
                "{}.{}",
                t.name,
                c.name
            );
        }
        assert!(t.key.iter().chain(t.sort).all(|name| t.column(name).is_some()), "{}", t.name);
    }
    for t in course_tables() {
        // Rows are loaded by the rules of the tables of data, which are found by name.
        assert!(table(t.name).is_none(), "{}", t.name);
        for c in t.columns {
            assert!(c.comment.ends_with('.') && (!c.nullable || c.comment.contains("null")), "{}.{}", t.name, c.name);
            let expected = match c.name {
                "trainee_id" | "submission_id" | "file_sha256" => Classification::Identifier,
                "name" => Classification::Name,
                "notes" | "says" => Classification::RawText,
                _ => Classification::Open,
            };
            assert_eq!(c.classification, expected, "{}.{}", t.name, c.name);
        }
        assert!(t.key.iter().chain(t.sort).all(|name| t.column(name).is_some()), "{}", t.name);
        assert!(t.key.iter().all(|name| t.column(name).is_some_and(|c| !c.nullable)), "{}", t.name);
    }
}

#[test]
fn keys_and_sort_columns_exist_and_keys_are_not_null() {
    for t in tables() {
        assert!(!t.key.is_empty(), "{} has no key", t.name);
        for name in t.key {
            let c = t.column(name).unwrap_or_else(|| panic!("{} has no column {name}", t.name));
            assert!(!c.nullable || (t.name, *name) == NULLABLE_KEY, "{}.{name} is a key and may be null", t.name);
        }
        for name in t.sort {
            assert!(t.column(name).is_some(), "{} is sorted by {name}, which it has not", t.name);
        }
    }
}

#[test]
fn references_point_at_key_columns_of_the_same_type() {
    for (t, c) in each_column() {
        let Some((to, column)) = c.references else { continue };
        let target = table(to).unwrap_or_else(|| panic!("{}.{} points at no table {to}", t.name, c.name));
        assert!(target.key.contains(&column), "{}.{} points at {to}.{column}, no key", t.name, c.name);
        assert_eq!(target.column(column).unwrap().data_type, c.data_type, "{}.{}", t.name, c.name);
    }
}

#[test]
fn only_numbers_are_signed() {
    let signed: Vec<&str> = each_column().filter(|(_, c)| c.signed).map(|(_, c)| c.name).collect();
    assert_eq!(signed, ["tax_change_krw", "operating_profit_krw", "net_income_krw", "equity_krw"]);
    assert!(each_column().filter(|(_, c)| c.signed).all(|(_, c)| c.data_type == DataType::Float64));
}

#[test]
fn identifiers_and_names_are_texts_that_can_be_masked() {
    // A policy hashes identifiers and shortens names, which it can do with texts alone.
    for (t, c) in each_column() {
        let masked = matches!(c.classification, Classification::Identifier | Classification::Name);
        assert!(!masked || c.data_type == DataType::Utf8, "{}.{}", t.name, c.name);
    }
}

#[test]
fn a_unit_stands_in_the_name() {
    let endings = [("kg", "_kg"), ("KRW", "_krw"), ("fraction", "_rate")];
    for (t, c) in each_column() {
        for (unit, ending) in endings {
            assert_eq!(c.unit == Some(unit), c.name.ends_with(ending), "{}.{} and unit {:?}", t.name, c.name, c.unit);
        }
        assert!(c.unit.is_none_or(|u| endings.iter().any(|(unit, _)| *unit == u)), "{}.{}", t.name, c.name);
    }
}

#[test]
fn code_lists_have_no_double_codes() {
    for (t, c) in each_column() {
        let Some(list) = c.code_list else { continue };
        let codes: BTreeSet<_> = list.codes.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), list.codes.len(), "{}.{}: {}", t.name, c.name, list.name);
        assert!(list.codes.iter().all(|(code, _)| list.describe(code).is_some_and(|d| !d.is_empty())));
    }
}

#[test]
fn fact_item_is_as_agreed() {
    let t = table("fact_item").unwrap();
    let names: Vec<_> = t.columns.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), 24);
    assert_eq!(names[..3], ["declaration_id", "item_no", "declaration_date"]);
    let nullable: Vec<_> = t.columns.iter().filter(|c| c.nullable).map(|c| c.name).collect();
    assert_eq!(nullable, ["seller_id", "courier_id", "hs10", "quantity", "quantity_unit"]);
    assert_eq!(t.column("item_no").unwrap().data_type, DataType::Int32);
}

#[test]
fn arrow_schema_mirrors_the_columns() {
    for t in tables() {
        let (plain, described) = (t.arrow_schema(), t.described_schema());
        assert_eq!(plain.fields().len(), t.columns.len());
        for ((f, d), c) in plain.fields().iter().zip(described.fields()).zip(t.columns) {
            assert_eq!((f.name().as_str(), f.data_type(), f.is_nullable()), (c.name, &c.data_type, c.nullable));
            assert!(f.metadata().is_empty());
            assert_eq!(d.metadata().get("unit").map(String::as_str), c.unit);
            assert_eq!(d.metadata()["comment"], c.comment);
        }
    }
}

#[test]
fn the_readme_lists_each_table_with_its_columns_keys_and_nulls() {
    let readme = include_str!("../../README.md");
    for t in tables() {
        let row = readme.lines().find(|l| l.starts_with(&format!("| {} |", t.name)));
        let columns = row.and_then(|r| r.split('|').nth(3)).unwrap_or_else(|| panic!("no row for {}", t.name));
        // Words in brackets explain; what is left is the names.
        let mut depth = 0;
        let plain: String = columns
            .chars()
            .filter(|c| {
                depth += i32::from(*c == '(') - i32::from(*c == ')');
                depth == 0 && *c != ')'
            })
            .collect();
        let listed: Vec<String> = plain.split(',').map(|w| w.trim().to_owned()).collect();
        let agreed = t.columns.iter().map(|c| {
            let name = if t.key.contains(&c.name) { format!("**{}**", c.name) } else { c.name.to_owned() };
            name + if c.nullable { "?" } else { "" }
        });
        assert_eq!(listed, agreed.collect::<Vec<_>>(), "{}", t.name);
    }
}

#[test]
fn whatever_names_a_trader_or_its_past_is_classified() {
    for (t, c) in each_column() {
        let trader = ["declarant_id", "importer_id", "seller_id", "courier_id", "company_id", "owner_company_id"];
        let person = ["person_id", "entity_id"];
        let reached = ["address", "phone", "bank_account", "business_no"];
        let party = ["dim_declarant", "dim_importer", "dim_seller", "dim_courier", "dim_company", "dim_person"]
            .contains(&t.name);
        let findings = ["fraud", "fraud_class", "additional_duty_krw", "lines_wrong"];
        let expected = match c.name {
            // That somebody stands in it at all is criminal history.
            _ if t.name == "bridge_person_offence" => Classification::CriminalHistory,
            // Who is kin to whom, by their numbers.
            _ if t.name == "bridge_person_person" => Classification::Personal,
            "birth_date" | "region" | "address" | "phone" if t.name == "dim_person" => Classification::Personal,
            name if [&trader[..], &person, &reached].concat().contains(&name) => Classification::Identifier,
            "name" | "name_local" if party => Classification::Name,
            "issuer" => Classification::Name,
            name if findings.contains(&name) => Classification::CriminalHistory,
            "file_name" | "document_text" | "question" | "value_before" | "value_after" => Classification::RawText,
            _ => Classification::Open,
        };
        assert_eq!(c.classification, expected, "{}.{}", t.name, c.name);
        let described = c.arrow_field().metadata().get("classification").cloned();
        assert_eq!(described.is_none(), expected == Classification::Open, "{}.{}", t.name, c.name);
        assert!(described.is_none_or(|name| name == expected.name()));
    }
}
