use std::collections::{BTreeSet, HashMap, HashSet};

use arrow::array::Array;
use arrow::row::{RowConverter, SortField};
use haetae_schema::Table;

use crate::dataset::{Frame, demo};

fn tables() -> impl Iterator<Item = &'static Table> {
    haetae_schema::tables().iter()
}

/// Written as the days of declaration come, whatever else they are about.
const BY_DAYS: [&str; 3] = ["fact_document", "fact_image_object", "fact_manifest"];

#[test]
fn the_served_folder_holds_the_agreed_tables_and_no_truth() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(demo().1.join(folder)).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let agreed: BTreeSet<String> = tables().map(|t| format!("{}.parquet", t.name)).collect();
    assert_eq!(names("tables"), agreed);
    assert_eq!(
        names("truth"),
        ["errors", "fraud", "importers", "mirror", "rings"].map(|n| format!("{n}.parquet")).into()
    );
    for t in tables() {
        let frame = Frame::table(t.name);
        // Exactly the agreed columns: nothing that tells the truth can hide among them.
        assert_eq!(frame.0.schema(), t.arrow_schema(), "{}", t.name);
        assert!(frame.rows() > 0, "{} is empty", t.name);
    }
}

fn rows(frame: &Frame, columns: &[&str]) -> Vec<Vec<u8>> {
    let arrays: Vec<_> = columns.iter().map(|c| frame.column(c).clone()).collect();
    let fields = arrays.iter().map(|a| SortField::new(a.data_type().clone())).collect();
    let rows = RowConverter::new(fields).unwrap().convert_columns(&arrays).unwrap();
    rows.iter().map(|r| r.as_ref().to_vec()).collect()
}

#[test]
fn keys_are_unique_and_files_are_sorted() {
    for t in tables() {
        let frame = Frame::table(t.name);
        let keys = rows(&frame, t.key);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{} repeats a key", t.name);
        let order = rows(&frame, t.sort);
        assert!(order.is_sorted() || BY_DAYS.contains(&t.name), "{} is not sorted by {:?}", t.name, t.sort);
    }
}

#[test]
fn every_reference_is_found() {
    let frames: HashMap<&str, Frame> = tables().map(|t| (t.name, Frame::table(t.name))).collect();
    for t in tables() {
        for c in t.columns.iter().filter(|c| c.name != "item_no") {
            let Some((to, column)) = c.references else { continue };
            let known: HashSet<&str> = frames[to].word(column).into_iter().collect();
            let lost = frames[t.name].text(c.name).into_iter().flatten().find(|v| !known.contains(v));
            assert_eq!(lost, None, "{}.{} is not in {to}.{column}", t.name, c.name);
        }
    }
    // The pair of declaration and line is one reference.
    let items: HashSet<(&str, i32)> = frames["fact_item"].keys().into_iter().collect();
    assert!(frames["fact_inspection"].keys().iter().all(|k| items.contains(k)));
}

#[test]
fn codes_are_in_their_lists() {
    for t in tables() {
        let frame = Frame::table(t.name);
        for c in t.columns.iter().filter(|c| c.data_type == arrow::datatypes::DataType::Utf8) {
            let Some(list) = c.code_list else { continue };
            let lost = frame.text(c.name).into_iter().flatten().find(|v| list.describe(v).is_none());
            assert_eq!(lost, None, "{}.{}", t.name, c.name);
        }
    }
}

#[test]
fn lines_of_a_declaration_count_from_one_and_share_their_header() {
    let frame = Frame::table("fact_item");
    let importers = frame.word("importer_id");
    let mut lines: HashMap<&str, (BTreeSet<i32>, &str)> = HashMap::new();
    for ((declaration, item_no), importer) in frame.keys().into_iter().zip(importers) {
        let entry = lines.entry(declaration).or_insert((BTreeSet::new(), importer));
        entry.0.insert(item_no);
        assert_eq!(entry.1, importer, "{declaration} has two importers");
    }
    for (declaration, (numbers, _)) in &lines {
        assert_eq!(*numbers, (1..=numbers.len() as i32).collect(), "{declaration}");
    }
    assert!(lines.values().any(|(n, _)| n.len() > 5));
}

#[test]
fn nobody_trades_before_registration() {
    let (items, register) = (Frame::table("fact_item"), Frame::table("dim_importer"));
    let registered: HashMap<&str, i32> =
        register.word("importer_id").into_iter().zip(register.date("registered_on").into_iter().flatten()).collect();
    let days = items.date("declaration_date").into_iter().flatten();
    let early = items.word("importer_id").into_iter().zip(days).find(|(i, day)| registered[i] > *day);
    assert_eq!(early, None);
}

#[test]
fn values_are_sound() {
    let frame = Frame::table("fact_item");
    for name in ["quantity", "net_mass_kg", "item_price_krw"] {
        assert!(frame.number(name).iter().all(|v| v.is_finite() && *v > 0.0), "{name}");
    }
    assert!(frame.number("duty_rate").iter().all(|v| (0.0..10.0).contains(v)));
    let hs10 = frame.word("hs10");
    assert!(frame.word("hs6").iter().zip(hs10).all(|(six, ten)| ten.len() == 10 && ten.starts_with(six)));
    let inspections = Frame::table("fact_inspection");
    let declared: HashMap<(&str, i32), i32> =
        frame.keys().into_iter().zip(frame.date("declaration_date").into_iter().flatten()).collect();
    let found = inspections.date("inspection_date").into_iter().flatten();
    assert!(inspections.keys().into_iter().zip(found).all(|(key, day)| (0..4).contains(&(day - declared[&key]))));
    assert_eq!(inspections.column("additional_duty_krw").null_count(), 0);
}
