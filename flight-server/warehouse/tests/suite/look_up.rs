//! Rows that are looked up by an identifier: the same as the engine finds, of the same version, for the same user.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray};
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{Engine, EngineOptions, Snapshot};

use crate::files::{Place, ask_of, item, items, runtime};

/// The first time from files, then from memory.
const TIMES: usize = 3;

const BY_KEY: &str = "select * from fact_item where declaration_id = ? and item_no = ?";

fn place() -> Place {
    let place = Place::new();
    let line = |number: u32| {
        let office = if number.is_multiple_of(3) { "30" } else { "40" };
        let importer = format!("I{}", number % 7);
        let seller = if number.is_multiple_of(5) { "" } else { "S1" };
        let changes = [("office_id", office), ("importer_id", importer.as_str()), ("seller_id", seller)];
        item(&format!("D{number}"), &changes)
    };
    for (name, numbers) in [("a.csv", 0..50), ("b.csv", 50..90)] {
        let lines: Vec<String> =
            numbers.clone().map(line).chain([item(&format!("T{}", numbers.start), &[("item_no", "2")])]).collect();
        place.load("fact_item", &place.file(name, items(&lines))).unwrap();
    }
    place
}

fn values<const N: usize>(columns: [ArrayRef; N]) -> RecordBatch {
    RecordBatch::try_from_iter(columns.into_iter().enumerate().map(|(n, column)| (format!("p{n}"), column))).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn key(id: &str, item: i64) -> RecordBatch {
    values([texts(&[id]), Arc::new(Int64Array::from(vec![item]))])
}

/// Rows of a bound statement, as text.
fn bound(snapshot: &Snapshot, sql: &str, values: &RecordBatch) -> Vec<Vec<String>> {
    runtime().block_on(async {
        let statement = snapshot.statement(sql).await.unwrap();
        let schema = statement.schema(Some(values)).await.unwrap();
        let rows = statement.execute(Some(values)).await.unwrap();
        assert_eq!(rows.schema(), schema);
        let batches: Vec<_> = rows.try_collect().await.unwrap();
        assert!(batches.iter().all(|batch| batch.schema() == schema));
        let row = |batch: &RecordBatch, row| {
            batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap()).collect()
        };
        let rows = |batch: &RecordBatch| (0..batch.num_rows()).map(|index| row(batch, index)).collect::<Vec<_>>();
        batches.iter().flat_map(rows).collect()
    })
}

fn looks_up(snapshot: &Snapshot, sql: &str) -> bool {
    runtime().block_on(async { snapshot.statement(sql).await.unwrap().looks_up() })
}

/// What the engine answers to the same statement with its values written out. It never looks up.
fn engine_says(snapshot: &Snapshot, sql: &str, written: &[&str]) -> Vec<Vec<String>> {
    let sql = written.iter().fold(sql.to_owned(), |sql, value| sql.replacen('?', value, 1));
    assert!(!looks_up(snapshot, &sql));
    ask_of(snapshot, &sql).unwrap()
}

#[test]
fn rows_are_those_that_the_engine_finds() {
    let place = place();
    found_by(&place.engine());
    // With so little memory nothing is kept.
    let options = EngineOptions { memory_bytes: 8_000, ..EngineOptions::default() };
    found_by(&Engine::new(place.store.clone(), &options).unwrap());
}

fn found_by(engine: &Engine) {
    let snapshot = engine.current().unwrap();
    let mut expected = 0;
    for (id, number) in [("D7", 1), ("D60", 1), ("D7", 2), ("nobody", 1), ("", 1), ("T50", 2)] {
        let (quoted, written) = (format!("'{id}'"), number.to_string());
        let right = engine_says(&snapshot, BY_KEY, &[&quoted, &written]);
        for _ in 0..TIMES {
            assert_eq!(bound(&snapshot, BY_KEY, &key(id, number)), right, "{id} {number}");
            expected += 1;
        }
    }
    assert_eq!(engine.look_ups(), expected);
    let other =
        "select f.hs6 as code, importer_id, seller_id from fact_item f where ? = importer_id and office_id = '30'";
    let mut right = engine_says(&snapshot, other, &["'I4'"]);
    right.sort();
    assert!(right.len() > 2 && right.iter().any(|row| row[2].is_empty()));
    for _ in 0..TIMES {
        let mut found = bound(&snapshot, other, &values([Arc::new(LargeStringArray::from(vec!["I4"]))]));
        found.sort();
        assert_eq!(found, right);
    }
    assert_eq!(engine.look_ups(), expected + TIMES as u64);
}

#[test]
fn many_rows_are_left_to_the_engine() {
    let place = place();
    let line = |number| item(&format!("M{number}"), &[("importer_id", if number < 10_000 { "MANY" } else { "FEW" })]);
    let lines: Vec<String> = (0..10_020).map(line).collect();
    place.load("fact_item", &place.file("many.csv", items(&lines))).unwrap();
    let little = EngineOptions { memory_bytes: 8_000, ..EngineOptions::default() };
    let sql = "select declaration_id from fact_item where importer_id = ?";
    for (engine, says) in [(place.engine(), "kept"), (Engine::new(place.store.clone(), &little).unwrap(), "from files")]
    {
        let snapshot = engine.current().unwrap();
        assert!(looks_up(&snapshot, sql));
        for _ in 0..TIMES {
            let found = bound(&snapshot, sql, &values([texts(&["MANY"])]));
            let different: std::collections::BTreeSet<_> = found.iter().map(|row| &row[0]).collect();
            assert_eq!((found.len(), different.len(), engine.look_ups()), (10_000, 10_000, 0), "{says}");
        }
        assert_eq!(bound(&snapshot, sql, &values([texts(&["FEW"])])).len(), 20);
        assert_eq!(engine.look_ups(), 1, "{says}");
    }
}

#[test]
fn every_kind_of_value_is_compared_as_the_engine_does_it() {
    let place = place();
    let engine = place.engine();
    let snapshot = engine.current().unwrap();
    // Several rows of values; one that fits no column of the table; none at all; a text for a number.
    let several = values([texts(&["D9", "nobody", "D80"]), Arc::new(Int32Array::from(vec![1, 1, 1]))]);
    let found = bound(&snapshot, BY_KEY, &several);
    assert_eq!(found.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["D9", "D80"]);
    assert_eq!(engine.look_ups(), 3);
    assert!(bound(&snapshot, BY_KEY, &key("D9", i64::from(i32::MAX) + 2)).is_empty());
    let null: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    assert!(bound(&snapshot, BY_KEY, &values([null, Arc::new(Int32Array::from(vec![1]))])).is_empty());
    assert_eq!(engine.look_ups(), 3);
    let refused = runtime().block_on(async {
        let statement = snapshot.statement(BY_KEY).await.unwrap();
        statement.schema(Some(&values([texts(&["D9"])]))).await.unwrap_err().to_string()
    });
    assert_eq!(refused, "the statement has 2 parameters, but 1 values are bound");
}

#[test]
fn only_what_is_looked_up_by_an_identifier_is() {
    let place = place();
    let snapshot = place.engine().current().unwrap();
    assert!(looks_up(&snapshot, BY_KEY));
    for sql in [
        "select * from fact_item where declaration_id = 'D1'",
        "select * from fact_item where office_id = ?",
        "select * from fact_item where declaration_id > ?",
        "select * from fact_item where declaration_id = ? or item_no = 1",
        "select * from fact_item where declaration_id = ? and item_price_krw = 1.0",
        "select count(*) from fact_item where declaration_id = ?",
        "select item_no + 1 from fact_item where declaration_id = ?",
        "select item_no, ? as given from fact_item where declaration_id = ?",
        "select distinct item_no from fact_item where declaration_id = ?",
        "select item_no from fact_item where declaration_id = ? limit 1",
        "select i.name from fact_item join dim_importer i using (importer_id) where declaration_id = ?",
        "select table_name from information_schema.tables where table_name = ?",
    ] {
        assert!(!looks_up(&snapshot, sql), "{sql}");
    }
}

#[test]
fn a_commit_is_seen_by_the_next_execution() {
    let place = place();
    let engine = place.engine();
    let before = engine.current().unwrap();
    let ask = || bound(&engine.current().unwrap(), BY_KEY, &key("late", 1)).len();
    assert_eq!((0..TIMES).map(|_| ask()).sum::<usize>(), 0);
    place.load("fact_item", &place.file("late.csv", items(&[item("late", &[])]))).unwrap();
    assert_eq!((0..TIMES).map(|_| ask()).sum::<usize>(), TIMES);
    assert!(bound(&before, BY_KEY, &key("late", 1)).is_empty());
    assert_eq!(engine.look_ups(), 2 * TIMES as u64 + 1);
}

fn access(id: &str, filter: Option<&str>, columns: &[(&str, Column)]) -> Arc<Access> {
    let columns = columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    let table = TableAccess { filter: filter.map(str::to_owned), columns };
    let tables = BTreeMap::from([(("customs".to_owned(), "fact_item".to_owned()), table)]);
    let attributes = BTreeMap::from([("office".to_owned(), "40".to_owned())]);
    let rights = Rights::Limited { tables, attributes, key: MaskKey::new([1; 32]) };
    Arc::new(Access {
        id: id.to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    })
}

/// The answers of a user, by look-up and by the engine.
fn both(engine: &Engine, access: &Arc<Access>, id: &str) -> Vec<Vec<String>> {
    let snapshot = engine.current().unwrap().seen_by(access).unwrap();
    let right = engine_says(&snapshot, BY_KEY, &[&format!("'{id}'"), "1"]);
    assert_eq!(bound(&snapshot, BY_KEY, &key(id, 1)), right, "{} {id}", access.id);
    right
}

#[test]
fn users_see_their_own_and_a_new_policy_at_once() {
    let place = place();
    let engine = place.engine();
    let mask = ("importer_id", Column::Mask(Mask::Hash));
    let office = access("1/kim", Some("office_id = $office"), &[]);
    let masked =
        access("1/lee", None, &[mask.clone(), ("hs10", Column::Hide), ("net_mass_kg", Column::Mask(Mask::Null))]);
    let before = engine.look_ups();
    for _ in 0..TIMES {
        // D9 is of office 30, D10 of office 40.
        assert!(both(&engine, &office, "D9").is_empty());
        assert_eq!(both(&engine, &office, "D10").len(), 1);
        let seen = both(&engine, &masked, "D9");
        assert_eq!((seen.len(), seen[0].len()), (1, 23));
        assert!(!seen[0].contains(&"I2".to_owned()));
        let all = engine.current().unwrap();
        assert_eq!(bound(&all, BY_KEY, &key("D9", 1))[0].len(), 24);
    }
    assert_eq!(engine.look_ups(), before + 4 * TIMES as u64);
    let changed = access("2/kim", Some("office_id = '30'"), &[mask]);
    assert_eq!(both(&engine, &changed, "D9").len(), 1);
    assert!(both(&engine, &changed, "D10").is_empty());
}

#[test]
fn what_may_tell_of_hidden_rows_is_left_to_the_engine() {
    let place = place();
    let snapshot = |access: &Arc<Access>| place.engine().current().unwrap().seen_by(access).unwrap();
    let hash = [("declaration_id", Column::Mask(Mask::Hash))];
    assert!(!looks_up(&snapshot(&access("a", None, &hash)), BY_KEY));
    // It can fail.
    assert!(!looks_up(&snapshot(&access("b", Some("1 / item_no > 0"), &[])), BY_KEY));
    // It changes with the time.
    let now = [("declaration_date", Column::Mask(Mask::Sql("cast(now() as date)".to_owned())))];
    assert!(!looks_up(&snapshot(&access("c", None, &now)), BY_KEY));
    let hidden = [("item_no", Column::Hide)];
    assert!(looks_up(&snapshot(&access("d", None, &hidden)), "select * from fact_item where declaration_id = ?"));
}
