//! Old versions, merged files, removed files, and those who read meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use haetae_warehouse::ingest::{Change, Changes, Format, ingest};
use haetae_warehouse::store::{
    Clock, Compaction, Kind, Retention, Store, StoreOptions, Vacuumed, compact, parse_time, time_text, vacuum,
};
use haetae_warehouse::{Error, query};

use crate::files::{Place, ask, item, items};

/// Hands out one second after another.
#[derive(Debug, Default)]
struct Ticks(std::sync::atomic::AtomicI64);

impl Clock for Ticks {
    fn now_ms(&self) -> i64 {
        1000 * (1 + self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

fn store(place: &Place, keep_versions: u64) -> Store {
    let options = StoreOptions { clock: Arc::new(Ticks::default()), keep_versions, ..StoreOptions::default() };
    Store::open_with(place.store.root(), options).unwrap()
}

/// Loads `count` files of three items with dates that overlap.
fn load(place: &Place, store: &Store, from: usize, count: usize) {
    for n in from..from + count {
        let line = |day: usize| {
            item(&format!("{n:03}-{day}"), &[("declaration_date", &format!("2026-03-{:02}", day + n % 7))])
        };
        let file = place.file(&format!("{n}.csv"), items(&[line(20), line(1), line(10)]));
        ingest(store, "customs", &Format::Table("fact_item".into()), &[file], &mut |_| {}).unwrap();
    }
}

fn data_files(store: &Store) -> BTreeSet<String> {
    let folder = store.root().join("data/customs/fact_item");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn old_versions_are_found_by_number_and_by_time() {
    let place = Place::new();
    let store = store(&place, 3);
    load(&place, &store, 0, 5);
    let seen: Vec<_> = store.versions().unwrap().iter().map(|v| (v.commit.version, v.commit.time_ms, v.kept)).collect();
    assert_eq!(seen, [(1, 1000, false), (2, 2000, false), (3, 3000, true), (4, 4000, true), (5, 5000, true)]);
    let at = |time| store.version_at(time).unwrap();
    assert_eq!([at(999), at(1000), at(4999), at(5000), at(i64::MAX)], [0, 1, 4, 5, 5]);

    let engine = query::Engine::new(store.clone(), &query::EngineOptions::default()).unwrap();
    assert_eq!(engine.at_time(3500).unwrap().unwrap().version(), 3);
    assert!(engine.at_time(1500).unwrap().is_none(), "version 1 is no longer kept");
    assert_eq!(engine.at_time(3500).unwrap().unwrap().manifest().rows("customs", "fact_item"), 9);
    assert_eq!(ask(&engine, "select count(*) from fact_item").unwrap(), [["15"]]);
}

#[test]
fn times_are_read_as_people_write_them() {
    for (text, time) in [
        ("1970-01-02", 86_400_000),
        ("2026-03-02T09:30:00Z", 1_772_443_800_000),
        ("2026-03-02 09:30:00.250", 1_772_443_800_250),
        ("2026-03-02T18:30:00+09:00", 1_772_443_800_000),
    ] {
        assert_eq!(parse_time(text).unwrap(), time, "{text}");
    }
    for text in ["", "yesterday", "2026-02-30", "12:00"] {
        assert!(parse_time(text).unwrap_err().to_string().contains("expected a date like 2026-03-02"), "{text}");
    }
    assert_eq!((time_text(0), time_text(1000)), ("unknown".to_owned(), "1970-01-01T00:00:01.000Z".to_owned()));
}

#[test]
fn compaction_changes_files_and_no_rows() {
    let place = Place::new();
    let store = store(&place, 0);
    load(&place, &store, 0, 70);
    let sql = "select * from fact_item order by declaration_id, item_no";
    let rows = place.ask(sql);
    let done = compact(&store, &Compaction { rows_in_a_file: 50, ..Compaction::default() }).unwrap();
    // 64 files at a time: 192 rows in four files, 18 in one.
    let table = &done.tables[0];
    assert_eq!((done.version, table.files_before, table.files_after, table.rows), (71, 70, 5, 210));
    assert_eq!(place.ask(sql), rows);
    let commit = store.versions().unwrap().pop().unwrap().commit;
    assert_eq!((commit.operations[0].kind, commit.operations[0].accepted), (Kind::Compact, 0));

    // The files of one group follow each other in the order of the dates.
    let manifest = store.current().unwrap();
    let mut last = String::new();
    for file in &manifest.files("customs", "fact_item")[..4] {
        let dates: Vec<String> = dates(&store.root().join(&file.path));
        assert!(dates.is_sorted() && dates[0] >= last, "{}", file.path);
        last = dates.last().unwrap().clone();
    }
    let again = compact(&store, &Compaction { rows_in_a_file: 30, ..Compaction::default() }).unwrap();
    assert_eq!((again.version, again.tables.len()), (71, 0), "one small file alone is left");
    let all = compact(&store, &Compaction { all: true, ..Compaction::default() }).unwrap();
    assert_eq!((all.tables[0].files_before, all.tables[0].files_after), (5, 1));
    assert_eq!(place.ask(sql), rows);
    let nothing = Compaction { table: Some(("customs".into(), "dim_hs".into())), ..Compaction::default() };
    let message = compact(&store, &nothing).unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no table customs.dim_hs with rows to compact; the tables with rows are customs.fact_item"
    );
}

fn dates(path: &std::path::Path) -> Vec<String> {
    use arrow::util::display::array_value_to_string;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader
        .flat_map(|batch| {
            let dates = batch.unwrap().column_by_name("declaration_date").unwrap().clone();
            (0..dates.len()).map(move |row| array_value_to_string(&dates, row).unwrap()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn writers_go_on_while_files_are_merged() {
    let place = Place::new();
    let store = store(&place, 0);
    load(&place, &store, 0, 3);
    // Begun before, committed after the compaction: appending does not care, deleting does.
    let begin = |change: Change, content: &str| {
        let file = place.file(&format!("{change:?}.csv"), content);
        let mut changes = Changes::begin(&store).unwrap();
        changes.apply(change, "customs", &Format::Table("fact_item".into()), vec![file.into()], &mut |_| {}).unwrap();
        changes
    };
    let append = begin(Change::Append, &items(&[item("new", &[])]));
    let delete = begin(Change::Delete, "declaration_id,item_no\n000-1,1\n");
    compact(&store, &Compaction::default()).unwrap();
    append.commit().unwrap();
    assert!(delete.commit().unwrap_err().is_conflict());
    assert_eq!(place.ask("select count(*) from fact_item"), [["10"]]);
    begin(Change::Delete, "declaration_id,item_no\n000-1,1\n").commit().unwrap();
    assert_eq!(place.ask("select count(*) from fact_item"), [["9"]]);
}

#[test]
fn vacuum_leaves_what_is_asked_for_and_what_is_read() {
    let place = Place::new();
    let store = store(&place, 0);
    load(&place, &store, 0, 4);
    compact(&store, &Compaction::default()).unwrap();
    load(&place, &store, 4, 1);
    assert_eq!(data_files(&store).len(), 6);
    let nothing = vacuum(&store, &Retention { versions: None, before_ms: None }).unwrap();
    assert_eq!(nothing, Vacuumed::default());
    // A leftover of whatever kind goes, and so does a version that ended before the time.
    std::fs::write(store.root().join("data/customs/fact_item/00000099-000.parquet"), "left over").unwrap();
    let done = vacuum(&store, &Retention { versions: None, before_ms: Some(3000) }).unwrap();
    assert_eq!((done.versions, done.files, done.bytes), (vec![1, 2], 1, 9));

    let engine = query::Engine::new(store.clone(), &query::EngineOptions::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(async {
        let old = engine.at(4).unwrap().unwrap();
        old.statement("select declaration_id from fact_item").await.unwrap().execute(None).await.unwrap()
    });
    // The engine forgets the version; the query that runs does not.
    drop(engine);
    let both = Retention { versions: Some(1), before_ms: Some(i64::MAX) };
    let done = vacuum(&store, &both).unwrap();
    assert_eq!((done.versions, done.in_use, done.files), (vec![3, 5], vec![4], 0));
    let rows: usize = runtime.block_on(async {
        let batches: Vec<_> = running.try_collect().await.unwrap();
        batches.iter().map(|batch| batch.num_rows()).sum()
    });
    assert_eq!(rows, 12);
    let done = vacuum(&store, &both).unwrap();
    assert_eq!((done.versions, done.in_use, done.files), (vec![4], vec![], 4));
    assert_eq!(data_files(&store).len(), 2);
    assert_eq!(place.ask("select count(*) from fact_item"), [["15"]]);
    assert!(store.version(4).unwrap().is_none());
}

#[test]
fn readers_never_miss_a_file() {
    let place = Place::new();
    let store = store(&place, 1);
    load(&place, &store, 0, 1);
    let engine = query::Engine::new(store.clone(), &query::EngineOptions::default()).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let answers = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut answers = Vec::new();
            loop {
                let rows = ask(&engine, "select count(*), count(distinct declaration_id) from fact_item").unwrap();
                answers.push(rows[0][0].parse::<u64>().unwrap());
                assert_eq!(rows[0][0], rows[0][1]);
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break answers;
                }
            }
        });
        for n in 1..12 {
            load(&place, &store, n, 1);
            compact(&store, &Compaction::default()).unwrap();
            vacuum(&store, &Retention { versions: Some(1), before_ms: None }).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reading.join().unwrap()
    });
    assert!(answers.is_sorted() && answers.iter().all(|rows| rows % 3 == 0), "{answers:?}");
    assert_eq!(place.ask("select count(*) from fact_item"), [["36"]]);
}

#[test]
fn a_damaged_manifest_says_what_is_wrong() {
    let place = Place::new();
    load(&place, &place.store, 0, 1);
    let path = place.store.root().join("manifest-1.json");
    for (text, part) in [("{", "EOF while parsing"), ("{\"format\": 9}", "expected format 1 to 3, found 9")] {
        std::fs::write(&path, text).unwrap();
        let error = place.store.current().unwrap_err();
        assert!(matches!(error, Error::BadManifest { .. }) && error.to_string().contains(part), "{error}");
    }
}
