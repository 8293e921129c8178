//! Columns that are kept decoded: the same answers in the same order as without, and no more memory than is allowed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use futures::{StreamExt, TryStreamExt};
use haetae_warehouse::ingest::{Change, Changes, Format, Source};
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{Engine, EngineOptions, Snapshot};
use haetae_warehouse::store::{Compaction, Retention, Store, compact, vacuum};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::files::{Place, item, items, runtime};

const MIB: usize = 1 << 20;
/// Read, wanted, kept, and once more.
const TIMES: usize = 4;
/// More than a row group has.
const MANY: usize = 140_000;

const QUERIES: [&str; 14] = [
    "select * from fact_item",
    "select hs6, importer_id, hs6 as again from fact_item",
    "select net_mass_kg * 2 as twice, substr(hs6, 1, 2) as hs2, seller_id from fact_item",
    "select * from fact_item where declaration_date between date '2026-03-10' and date '2026-03-12' and office_id = '30'",
    "select * from fact_item where declaration_id = 'D777'",
    "select declaration_id from fact_item where declaration_date > date '2027-01-01'",
    "select declaration_id, item_price_krw from fact_item limit 5",
    "select declaration_id from fact_item limit 10 offset 130000",
    "select declaration_id, item_price_krw from fact_item order by item_price_krw desc, declaration_id limit 7",
    "select declaration_id, declaration_date from fact_item order by declaration_date desc, declaration_id limit 7",
    "select count(*), count(seller_id), min(declaration_date), max(item_price_krw) from fact_item",
    "select office_id, substr(hs6, 1, 2), count(*), sum(item_price_krw) from fact_item group by 1, 2 order by 1, 2",
    "select a.importer_id, count(*) from fact_item a join fact_item b on a.declaration_id = b.declaration_id
        where b.item_price_krw > 9990 group by 1 order by 1",
    "select count(*) from fact_item",
];

fn line(number: usize) -> String {
    let office = if number.is_multiple_of(3) { "30" } else { "40" };
    let seller = if number.is_multiple_of(5) { "" } else { "a seller with a long name" };
    let date = format!("2026-03-{:02}", 1 + number / 5000);
    let (importer, price, hs6) =
        (format!("I{}", number % 70), (1 + number % 9999).to_string(), format!("{:06}", 10_100 + number % 97));
    let changes = [
        ("office_id", office),
        ("importer_id", importer.as_str()),
        ("seller_id", seller),
        ("declaration_date", date.as_str()),
        ("item_price_krw", price.as_str()),
        ("hs6", hs6.as_str()),
    ];
    item(&format!("D{number}"), &changes)
}

/// Two files, one of them with two row groups.
fn place() -> Place {
    let place = Place::new();
    for (name, numbers) in [("a.csv", 0..MANY), ("b.csv", MANY..MANY + 3000)] {
        let lines: Vec<String> = numbers.map(line).collect();
        place.load("fact_item", &place.file(name, items(&lines))).unwrap();
    }
    place
}

/// With one partition rows have one order.
fn engine(store: &Store, columns_bytes: usize, memory_bytes: usize) -> Engine {
    let partitions = Some(NonZero::<usize>::MIN);
    let options = EngineOptions { columns_bytes, memory_bytes, partitions, ..EngineOptions::default() };
    Engine::new(store.clone(), &options).unwrap()
}

/// The rows of an answer in their order.
fn ask(engine: &Engine, sql: &str) -> RecordBatch {
    ask_of(&engine.current().unwrap(), sql)
}

fn ask_of(snapshot: &Snapshot, sql: &str) -> RecordBatch {
    runtime().block_on(async {
        let statement = snapshot.statement(sql).await.unwrap();
        let rows = statement.execute(None).await.unwrap();
        let schema = rows.schema();
        let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        concat_batches(&schema, &batches).unwrap()
    })
}

fn without(store: &Store) -> Engine {
    engine(store, 0, 1 << 30)
}

#[test]
fn answers_are_the_same_with_room_for_all_for_some_and_for_none() {
    let place = place();
    let right: Vec<RecordBatch> = QUERIES.map(|sql| ask(&without(&place.store), sql)).into();
    let rows: Vec<usize> = right.iter().map(RecordBatch::num_rows).collect();
    assert!(rows[0] == MANY + 3000 && rows[3] > 100 && rows[4] == 1 && rows[5] == 0 && rows[12] > 10, "{rows:?}");
    for most in [256 * MIB, 4 * MIB, 10_000] {
        let engine = engine(&place.store, most, 1 << 30);
        for _ in 0..TIMES {
            for (sql, right) in QUERIES.iter().zip(&right) {
                assert!(ask(&engine, sql) == *right, "{sql} in {most} bytes");
                assert!(engine.usage().columns.bytes <= most);
            }
        }
        let usage = engine.usage().columns;
        assert_eq!((usage.hits > 0, usage.bytes > 0), (most > MIB, most > MIB), "{usage:?}");
    }
    let partitions = NonZero::new(3);
    let options = EngineOptions { columns_bytes: 256 * MIB, partitions, ..EngineOptions::default() };
    let engine = Engine::new(place.store.clone(), &options).unwrap();
    // Others have rows in any order.
    let ordered = |sql: &str| sql.contains("order by") || sql.contains("count(*)");
    for (sql, right) in QUERIES.iter().zip(&right).filter(|(sql, _)| ordered(sql)) {
        (0..TIMES).for_each(|_| assert!(ask(&engine, sql) == *right, "{sql}"));
    }
    assert!(engine.usage().columns.hits > 0);
}

#[test]
fn only_what_is_read_whole_and_again_is_kept() {
    let place = place();
    let engine = engine(&place.store, 256 * MIB, 1 << 30);
    let held = || engine.usage().columns.bytes;
    for sql in [
        "select importer_id from fact_item limit 3",
        "select importer_id from fact_item where declaration_date = date '2026-03-02'",
        "select count(*) from fact_item",
        "select office_id from fact_item where declaration_id = 'nobody'",
    ] {
        for _ in 0..TIMES {
            ask(&engine, sql);
        }
        assert_eq!(held(), 0, "{sql}");
    }
    ask(&engine, "select hs6 from fact_item");
    assert_eq!(held(), 0);
    ask(&engine, "select hs6 from fact_item");
    let (once, read) = (held(), engine.usage().columns.misses);
    assert!(once > 4 * MANY, "{once}");
    ask(&engine, "select hs6 from fact_item");
    let usage = engine.usage().columns;
    // Three row groups.
    assert_eq!((usage.bytes, usage.misses, usage.hits), (once, read, 3));
}

#[test]
fn a_scan_of_more_than_there_is_room_for_finds_a_part_of_it_each_time() {
    let place = place();
    let whole = engine(&place.store, 256 * MIB, 1 << 30);
    (0..2).for_each(|_| drop(ask(&whole, QUERIES[0])));
    let all = whole.usage().columns.bytes;
    let half = engine(&place.store, all / 2, 1 << 30);
    (0..2).for_each(|_| drop(ask(&half, QUERIES[0])));
    let kept = half.usage().columns;
    // Of three row groups the large one does not fit; it leaves the others where they are.
    assert!(kept.bytes > all / 20 && kept.bytes <= all / 2, "{kept:?} of {all}");
    for time in 1..=2 {
        ask(&half, QUERIES[0]);
        let now = half.usage().columns;
        assert_eq!((now.hits, now.bytes), (kept.hits + 48 * time, kept.bytes));
    }
    // What is asked for more often takes the place of what is not.
    let sql = "select hs6, office_id from fact_item";
    (0..9).for_each(|_| drop(ask(&half, sql)));
    let before = half.usage().columns;
    ask(&half, sql);
    let after = half.usage().columns;
    assert_eq!((after.hits - before.hits, after.misses), (6, before.misses));
}

#[test]
fn what_is_on_its_way_counts_until_it_is_given_up() {
    let place = place();
    let (sql, most) = ("select hs6, importer_id from fact_item", 64 * MIB);
    let engine = engine(&place.store, most, 1 << 30);
    ask(&engine, sql);
    let first = async || {
        let mut rows = engine.current().unwrap().statement(sql).await.unwrap().execute(None).await.unwrap();
        assert!(rows.next().await.unwrap().unwrap().num_rows() < MANY);
        rows
    };
    runtime().block_on(async {
        let one = first().await;
        let bytes = engine.usage().columns.bytes;
        let other = first().await;
        assert!(bytes > 0 && engine.usage().columns.bytes >= 2 * bytes);
        drop((one, other));
        assert_eq!(engine.usage().columns.bytes, 0);
    });
    (0..2).for_each(|_| drop(ask(&engine, sql)));
    let usage = engine.usage().columns;
    assert!(usage.bytes > 0 && usage.hits == 6, "{usage:?}");
}

#[test]
fn queries_come_first() {
    let place = place();
    let most = 48 * MIB;
    let engine = engine(&place.store, most, most);
    for columns in ["*", "declaration_id, hs6, substr(hs6, 1, 2)"] {
        (0..3).for_each(|_| drop(ask(&engine, &format!("select {columns} from fact_item"))));
    }
    let full = engine.usage().columns.bytes;
    assert!(full > most / 2, "{full}");
    runtime().block_on(async {
        let sql = "select * from fact_item order by item_price_krw, declaration_id";
        let statement = engine.current().unwrap().statement(sql).await.unwrap();
        let mut rows = statement.execute(None).await.unwrap();
        let first = rows.next().await.unwrap().unwrap();
        assert!(first.num_rows() > 0);
        assert!(rows.memory().peak() > most / 2, "{}", rows.memory().peak());
        let usage = engine.usage();
        assert!(usage.columns.bytes < full, "{usage:?}");
        assert!(usage.columns.bytes + usage.memory_bytes <= most, "{usage:?}");
    });
    // Afterwards there is room again.
    let left = engine.usage().columns.bytes;
    (0..3).for_each(|_| drop(ask(&engine, QUERIES[0])));
    assert!(engine.usage().columns.bytes > left);
}

fn seen(engine: &Engine, access: &Arc<Access>) -> Snapshot {
    engine.current().unwrap().seen_by(access).unwrap()
}

#[test]
fn policies_hold_for_what_is_kept() {
    let place = place();
    let masks =
        [("importer_id", Column::Mask(Mask::Hash)), ("seller_id", Column::Hide), ("hs10", Column::Mask(Mask::Null))];
    let columns = masks.into_iter().map(|(name, column)| (name.to_owned(), column)).collect();
    let table = TableAccess { filter: Some("office_id = $office".to_owned()), columns };
    let tables = BTreeMap::from([(("customs".to_owned(), "fact_item".to_owned()), table)]);
    let attributes = BTreeMap::from([("office".to_owned(), "30".to_owned())]);
    let access = Arc::new(Access {
        id: "1/kim".to_owned(),
        rights: Rights::Limited { tables, attributes, key: MaskKey::new([1; 32]) },
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    });
    let engine = engine(&place.store, 256 * MIB, 1 << 30);
    // Whoever sees everything fills it first.
    (0..3).for_each(|_| drop(ask(&engine, QUERIES[0])));
    let sqls = [
        "select * from fact_item",
        "select importer_id, count(*) from fact_item group by 1 order by 1",
        "select declaration_id from fact_item where declaration_date = date '2026-03-04' and hs6 = '010103'",
    ];
    for sql in sqls {
        let right = ask_of(&seen(&without(&place.store), &access), sql);
        assert!(right.num_rows() > 0);
        for _ in 0..TIMES {
            assert_eq!(ask_of(&seen(&engine, &access), sql), right, "{sql}");
        }
    }
    let (hidden, snapshot) = ("select seller_id from fact_item", seen(&engine, &access));
    assert!(runtime().block_on(async { snapshot.statement(hidden).await.is_err() }));
}

fn load(place: &Place, name: &str, numbers: Range<usize>, change: Change) {
    let lines: Vec<String> = numbers.map(line).collect();
    let format = Format::Table("fact_item".to_owned());
    let source = Source::File(place.file(name, items(&lines)));
    let mut changes = Changes::begin(&place.store).unwrap();
    changes.apply(change, "customs", &format, vec![source], &mut |_| {}).unwrap();
    changes.commit().unwrap();
}

#[test]
fn files_of_versions_that_are_no_longer_ready_give_their_memory_back() {
    let place = Place::new();
    let engine = engine(&place.store, 64 * MIB, 1 << 30);
    let sql = "select declaration_id, office_id from fact_item";
    load(&place, "a.csv", 0..50, Change::Append);
    for _ in 0..TIMES {
        ask(&engine, sql);
    }
    let kept = engine.usage().columns.bytes;
    assert!(kept > 0);
    // Each has a file of its own, and only that of the second is asked for often. Four versions are ready.
    let [second, third, fourth, fifth] = [(1, TIMES), (2, 1), (3, 1), (4, 1)].map(|(more, times)| {
        load(&place, &format!("{more}.csv"), 0..50 + more, Change::Upsert);
        for _ in 0..times {
            assert_eq!(ask(&engine, sql).num_rows(), 50 + more);
        }
        engine.usage().columns.bytes
    });
    assert!(second > kept);
    assert_eq!((third, fourth, fifth), (second, second, second - kept));
    let removed = vacuum(&place.store, &Retention { versions: Some(1), before_ms: None }).unwrap();
    assert_eq!((removed.versions, removed.in_use), (vec![1], vec![2, 3, 4]));
}

#[test]
fn versions_have_their_own_rows() {
    let place = Place::new();
    let store = place.store.clone();
    let engine = engine(&store, 64 * MIB, 1 << 30);
    let sql = "select declaration_id, item_no, office_id from fact_item";
    let mut seen: Vec<(u64, RecordBatch)> = Vec::new();
    let mut look = |what: &str| {
        let right = ask(&without(&store), sql);
        for _ in 0..TIMES {
            assert_eq!(ask(&engine, sql), right, "{what}");
        }
        for (version, right) in &seen {
            if let Some(snapshot) = engine.at(*version).unwrap() {
                assert_eq!(&ask_of(&snapshot, sql), right, "version {version} after {what}");
            }
        }
        seen.push((engine.current().unwrap().version(), right));
    };
    let load = |name: &str, numbers: Range<usize>, change: Change| load(&place, name, numbers, change);
    load("a.csv", 0..50, Change::Append);
    look("a load");
    load("b.csv", 50..90, Change::Append);
    look("another");
    load("c.csv", 10..20, Change::Upsert);
    look("an upsert");
    compact(&store, &Compaction::default()).unwrap();
    look("compact");
    load("d.csv", 5..9, Change::Replace);
    look("replace");
    vacuum(&store, &Retention { versions: Some(1), before_ms: None }).unwrap();
    look("vacuum");
    assert!(engine.usage().columns.hits > 0);
}

#[test]
fn a_file_without_one_of_the_columns_gives_its_rows() {
    let place = Place::new();
    let lines: Vec<String> = (0..300).map(line).collect();
    place.load("fact_item", &place.file("a.csv", items(&lines))).unwrap();
    // As a release before that column wrote it; those after it stand one place further to the front.
    let path = place.store.root().join(&place.store.current().unwrap().files("customs", "fact_item")[0].path);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let mut rows = reader.with_batch_size(MANY).build().unwrap().next().unwrap().unwrap();
    rows.remove_column(rows.schema().index_of("courier_id").unwrap());
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    fs::write(&path, writer.into_inner().unwrap()).unwrap();
    let engine = engine(&place.store, 256 * MIB, 1 << 30);
    for sql in [
        "select declaration_id, hs6, courier_id from fact_item where hs6 = '010103' order by declaration_id",
        "select declaration_id from fact_item where departure_country = 'CN' and courier_id is null order by 1",
        "select count(*) from fact_item where hs10 is null",
    ] {
        let right = ask(&without(&place.store), sql);
        assert!(right.num_rows() > 0);
        for _ in 0..TIMES {
            assert_eq!(ask(&engine, sql), right, "{sql}");
        }
    }
    assert!(engine.usage().columns.hits > 0);
}

#[test]
fn bloom_filters_rule_out_what_is_in_memory_too() {
    let place = place();
    let engine = engine(&place.store, 256 * MIB, 1 << 30);
    let sql = "select count(distinct hs6) from fact_item where importer_id <> ''";
    (0..3).for_each(|_| drop(ask(&engine, sql)));
    let before = engine.usage().columns;
    assert_eq!(before.hits, 6);
    ask(&engine, &format!("{sql} and importer_id in ('I5x', 'I6')"));
    let both = engine.usage().columns;
    assert_eq!((both.hits, both.misses), (12, before.misses));
    // Between the lowest and the highest of each row group, and in none.
    ask(&engine, &format!("{sql} and importer_id = 'I5x'"));
    assert_eq!(engine.usage().columns, both);
}
