//! Files that are right and files that are wrong, each with what becomes of it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use haetae_warehouse::ingest::{Format, ingest, ingest_batches};
use haetae_warehouse::store::{Retention, vacuum};

use crate::files::{ITEM_HEADER, Place, item, items};

/// What the table of rejects says: line, column, reason.
fn rejects(place: &Place) -> Vec<Vec<String>> {
    place.ask("select line_number, column_name, reason from rejects order by line_number")
}

fn refusal(place: &Place, table: &str, file: &Path) -> String {
    let message = place.load(table, file).unwrap_err().to_string();
    assert_eq!(place.store.current_version().unwrap(), 0, "a refused file changes nothing");
    message
}

#[test]
fn good_rows_are_there_and_sorted() {
    let place = Place::new();
    let lines = [item("b", &[("declaration_date", "2026-03-02")]), item("a", &[("declaration_date", "2026-01-31")])];
    let done = place.load("fact_item", &place.file("items.csv", items(&lines))).unwrap();
    assert_eq!((done.accepted, done.rejected, done.version, done.load_id), (2, 0, 1, Some(1)));
    assert_eq!(done.tables, [("fact_item".to_owned(), 2)]);
    let seen = place.ask("select declaration_id, declaration_date, hs6, courier_id, net_mass_kg from fact_item");
    assert_eq!(seen, [["a", "2026-01-31", "010129", "", "12.5"], ["b", "2026-03-02", "010129", "", "12.5"]]);
    assert_eq!(place.ask("select count(*) from rejects"), [["0"]]);
}

#[test]
fn bad_rows_are_kept_with_line_and_reason() {
    let place = Place::new();
    let lines = [
        item("1", &[]),
        item("2", &[("declaration_date", "2026-02-30")]),
        item("3", &[("net_mass_kg", "-4")]),
        item("1", &[]),
        "too,few".to_owned(),
        item("4", &[("item_no", "zero")]),
        item("5", &[("importer_id", "")]),
        item("6", &[("hs6", "12")]),
        item("7", &[("item_price_krw", "inf")]),
        item("8", &[("seller_id", "\"never closed")]),
        item("9", &[]),
    ];
    let file = place.file("items.csv", items(&lines));
    let done = place.load("fact_item", &file).unwrap();
    assert_eq!((done.accepted, done.rejected), (2, 9));
    let expected = [
        ["3", "declaration_date", "\"2026-02-30\" is not a date; expected YYYY-MM-DD"],
        ["4", "net_mass_kg", "-4 is negative; expected 0 or more"],
        ["5", "declaration_id", "duplicate key declaration_id \"1\", item_no 1: an earlier row of this load has it"],
        ["6", "", "expected 24 fields, found 2"],
        ["7", "item_no", "\"zero\" is not a whole number"],
        ["8", "importer_id", "is empty; a value is required"],
        ["9", "hs6", "\"12\" is not an HS code of 6 digits"],
        ["10", "item_price_krw", "inf is not a finite number"],
        ["11", "", "a quote is opened and never closed"],
    ];
    assert_eq!(rejects(&place), expected);
    let kept = place.ask("select load_id, table_name, file, raw_text from rejects where line_number = 6");
    assert_eq!(kept, [["1", "fact_item", file.to_str().unwrap(), "too,few"]]);

    let again = place.load("fact_item", &place.file("more.csv", items(&[item("9", &[])]))).unwrap();
    assert_eq!((again.accepted, again.rejected), (0, 1));
    let last = place.ask("select reason from rejects where load_id = 2");
    assert_eq!(last, [["duplicate key declaration_id \"9\", item_no 1: fact_item has it already"]]);
}

#[test]
fn the_same_content_twice_changes_nothing() {
    let place = Place::new();
    let file = place.file("items.csv", items(&[item("1", &[]), item("2", &[("net_mass_kg", "-1")])]));
    place.load("fact_item", &file).unwrap();
    let before = place.store.current().unwrap();
    let copy = place.file("copy.csv", std::fs::read(&file).unwrap());
    let done = place.load("fact_item", &copy).unwrap();
    assert_eq!((done.load_id, done.version, done.accepted, done.rejected), (None, 1, 0, 0));
    assert_eq!(done.skipped.iter().map(|s| (&s.file, s.load_id)).collect::<Vec<_>>(), [(&copy, 1)]);
    assert_eq!(**place.store.current().unwrap(), **before);
    // In one call as well.
    let place = Place::new();
    let done = ingest(&place.store, "customs", &Format::Table("fact_item".into()), &[file, copy], &mut |_| {}).unwrap();
    assert_eq!((done.accepted, done.rejected, done.skipped.len()), (1, 1, 1));
}

#[test]
fn parquet_files_of_our_own_and_batches_are_taken() {
    let place = Place::new();
    let id = |ids: [&str; 2]| Arc::new(StringArray::from_iter_values(ids)) as ArrayRef;
    let name = Arc::new(StringArray::from(vec![None, Some("Fast")])) as ArrayRef;
    let batch =
        RecordBatch::try_from_iter_with_nullable([("courier_id", id(["c2", "c1"]), false), ("name", name, true)])
            .unwrap();
    let load =
        |place: &Place| ingest_batches(&place.store, "customs", "dim_courier", "memory", [Ok(batch.clone())]).unwrap();
    assert_eq!(load(&place).accepted, 2);
    assert_eq!(load(&place).load_id, None);

    let path = place.store.root().join(&place.store.current().unwrap().files("customs", "dim_courier")[0].path);
    let other = Place::new();
    assert_eq!(other.load("dim_courier", &path).unwrap().accepted, 2);
    assert_eq!(other.ask("select * from dim_courier"), [["c1", "Fast"], ["c2", ""]]);
}

#[test]
fn files_that_cannot_be_used_say_why() {
    let place = Place::new();
    let message = |name: &str, content: &[u8]| refusal(&place, "fact_item", &place.file(name, content));

    let missing = refusal(&place, "fact_item", Path::new("/no/such/file.csv"));
    assert!(missing.starts_with("cannot open /no/such/file.csv: No such file"), "{missing}");
    let empty = message("empty.csv", b"");
    assert!(empty.contains("expected a CSV file with the 24 columns declaration_id, item_no"), "{empty}");
    assert!(empty.ends_with("found an empty file"), "{empty}");
    let excel = message("book.csv", b"PK\x03\x04\xff\xfe\x00\x00");
    assert!(excel.contains("found a ZIP archive or an Excel workbook (save the sheet as \"CSV UTF-8\")"), "{excel}");
    let utf16 = message("utf16.csv", b"\xff\xfed\x00e\x00");
    assert!(utf16.contains("found UTF-16"), "{utf16}");
    let korean = message("korean.csv", b"\xbd\xc5\xb0\xed,\xb9\xf8\xc8\xa3\n");
    assert!(korean.contains("perhaps CP949 (convert it, for example with iconv -f CP949 -t UTF-8)"), "{korean}");
    let damaged = message("cut.parquet", b"PAR1 and no more");
    assert!(damaged.contains("expected a Parquet file, found a damaged one"), "{damaged}");

    let narrow = message("narrow.csv", ITEM_HEADER.replace(",origin_mark", "").as_bytes());
    assert!(narrow.contains("found 23 columns, no column \"origin_mark\""), "{narrow}");
    let slip = message("slip.csv", ITEM_HEADER.replace("net_mass_kg", "net_mass").as_bytes());
    assert!(slip.contains("the unknown column \"net_mass\". Did you mean net_mass_kg?"), "{slip}");
}

#[test]
fn tables_and_schemas_that_do_not_exist_say_which_do() {
    let place = Place::new();
    let file = place.file("items.csv", items(&[item("1", &[])]));
    let message = refusal(&place, "fact_itm", &file);
    assert!(
        message.starts_with("there is no table \"fact_itm\" to load into; the tables are fact_item, "),
        "{message}"
    );
    let message = place.load_as("custom", &Format::Kcs, &file).unwrap_err().to_string();
    assert_eq!(message, "there is no schema \"custom\"; the schemas are customs, kcs");
}

#[test]
fn one_unusable_file_stops_the_whole_call() {
    let place = Place::new();
    let good = place.file("good.csv", items(&[item("1", &[])]));
    let bad = place.file("bad.csv", "x\n");
    let files: Vec<PathBuf> = vec![good, bad];
    assert!(ingest(&place.store, "customs", &Format::Table("fact_item".into()), &files, &mut |_| {}).is_err());
    assert_eq!(place.ask("select count(*) from fact_item"), [["0"]]);
}

/// A process that is just being started holds every open file of its parent until it executes.
#[test]
fn a_process_started_meanwhile_does_not_hold_a_lock() {
    let place = Place::new();
    place.load("fact_item", &place.file("items.csv", items(&[item("1", &[])]))).unwrap();
    let (reading, writing) = (place.store.current().unwrap(), place.store.begin().unwrap());
    let (mut parent, child) = UnixStream::pair().unwrap();
    let starting = std::thread::spawn(move || {
        let mut command = Command::new("true");
        // Between fork and exec: says that it is there, and stays until it is told to go on.
        let wait = move || {
            let mut byte = [0];
            (&child).write_all(&byte)?;
            (&child).read_exact(&mut byte)
        };
        // SAFETY: after the fork it only writes to and reads from a socket.
        unsafe { command.pre_exec(wait) };
        command.status().unwrap()
    });
    let mut byte = [0];
    parent.read_exact(&mut byte).unwrap();
    drop((reading, writing));
    place.load("fact_item", &place.file("more.csv", items(&[item("2", &[])]))).unwrap();
    let done = vacuum(&place.store, &Retention { versions: Some(1), before_ms: None }).unwrap();
    assert_eq!((done.versions, done.in_use), (vec![1], vec![]));
    parent.write_all(&byte).unwrap();
    assert!(starting.join().unwrap().success());
}
