//! Operations on tables: what each does, together and in competition.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int8Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Int8Type, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use haetae_warehouse::ingest::{Change, Changes, Format, Ingested, Source};
use haetae_warehouse::store::Kind;
use haetae_warehouse::{Error, Result};

use crate::files::{KCS_LINES, Place, item, items, kcs};

fn couriers(lines: &[&str]) -> String {
    format!("courier_id,name\n{}\n", lines.join("\n"))
}

fn table(name: &str) -> Format {
    Format::Table(name.to_owned())
}

fn change(place: &Place, change: Change, name: &str, sources: Vec<Source<'_>>) -> Result<Ingested> {
    let mut changes = Changes::begin(&place.store)?;
    changes.apply(change, "customs", &table(name), sources, &mut |_| {})?;
    changes.commit()
}

/// The file becomes the change of the couriers.
fn by(place: &Place, kind: Change, lines: &[&str]) -> Result<Ingested> {
    let version = place.store.current_version().unwrap();
    let file = place.file(&format!("{version}-{kind:?}.csv"), couriers(lines));
    change(place, kind, "dim_courier", vec![file.into()])
}

fn delete(place: &Place, ids: &[&str]) -> Result<Ingested> {
    let file = place.file("gone.csv", format!("courier_id\n{}\n", ids.join("\n")));
    change(place, Change::Delete, "dim_courier", vec![file.into()])
}

fn now(place: &Place) -> Vec<Vec<String>> {
    place.ask("select courier_id, name from dim_courier order by 1")
}

#[test]
fn each_operation_does_what_it_says() {
    let place = Place::new();
    by(&place, Change::Append, &["a,1", "b,1", "c,1"]).unwrap();
    by(&place, Change::Append, &["d,1", "e,1"]).unwrap();

    let done = by(&place, Change::Upsert, &["b,2", "f,2", "b,3", "e,2"]).unwrap();
    assert_eq!((done.accepted, done.removed, done.rejected), (3, 2, 1));
    assert_eq!(now(&place), [["a", "1"], ["b", "2"], ["c", "1"], ["d", "1"], ["e", "2"], ["f", "2"]]);
    let why = place.ask("select load_id, reason from rejects");
    assert_eq!(why, [["3", "duplicate key courier_id \"b\": an earlier row of this load has it"]]);

    let done = delete(&place, &["a", "f", "nobody", "a"]).unwrap();
    assert_eq!((done.accepted, done.removed, done.tables.as_slice()), (4, 2, [].as_slice()));
    assert_eq!(now(&place), [["b", "2"], ["c", "1"], ["d", "1"], ["e", "2"]]);

    let done = by(&place, Change::Replace, &["z,9"]).unwrap();
    assert_eq!((done.accepted, done.removed), (1, 4));
    assert_eq!(now(&place), [["z", "9"]]);
    assert_eq!(delete(&place, &["z"]).unwrap().removed, 1);
    assert!(place.store.current().unwrap().files("customs", "dim_courier").is_empty());
}

#[test]
fn what_was_deleted_can_be_loaded_again_and_the_same_change_twice_is_one() {
    let place = Place::new();
    let lines = ["a,1", "b,1"];
    by(&place, Change::Append, &lines).unwrap();
    assert_eq!(by(&place, Change::Append, &lines).unwrap().load_id, None);
    delete(&place, &["a"]).unwrap();
    assert_eq!(delete(&place, &["a"]).unwrap().load_id, None);
    // Row b is there still, and is refused; row a comes back.
    let done = by(&place, Change::Append, &lines).unwrap();
    assert_eq!((done.load_id, done.accepted, done.rejected), (Some(3), 1, 1));
    assert_eq!(now(&place), [["a", "1"], ["b", "1"]]);

    for kind in [Change::Replace, Change::Upsert] {
        assert!(by(&place, kind, &["a,2"]).unwrap().load_id.is_some());
        let version = place.store.current_version().unwrap();
        let again = by(&place, kind, &["a,2"]).unwrap();
        assert_eq!((again.load_id, again.version, again.skipped.len()), (None, version, 1));
    }
}

#[test]
fn a_change_by_another_format_lies_between_too() {
    let place = Place::new();
    let apply = |changes: &mut Changes, kind: Change, format: &Format, file: &PathBuf| {
        changes.apply(kind, "kcs", format, vec![file.clone().into()], &mut |_| {}).unwrap();
    };
    let done = |kind: Change, format: &Format, file: &PathBuf| {
        let mut changes = Changes::begin(&place.store).unwrap();
        apply(&mut changes, kind, format, file);
        changes.commit().unwrap().load_id.is_some()
    };
    let seller = || place.ask("select seller_id from kcs.fact_item");
    let fraud = || place.ask("select fraud from kcs.fact_inspection");
    let (fact, found) = (table("fact_item"), table("fact_inspection"));
    // The same line, with the sellers S1 and 0VKY2BR, and a finding about it.
    let line = place.file("line.csv", items(&[item("97061800", &[])]));
    let kcs_file = place.file("kcs.csv", kcs(&KCS_LINES[..1]));
    let columns = "declaration_id,item_no,inspection_date,fraud,fraud_class,additional_duty_krw";
    let finding = place.file("finding.csv", format!("{columns}\n97061800,1,2020-01-02,true,1,5\n"));
    for kind in [Change::Upsert, Change::Replace] {
        assert!(done(kind, &fact, &line));
        assert!(done(kind, &Format::Kcs, &kcs_file));
        assert!(done(kind, &fact, &line), "{kind:?}: the file of declarations has replaced the line");
        assert_eq!(seller(), [["S1"]]);
        assert!(!done(kind, &fact, &line));

        // A KCS file changes the findings also.
        assert!(done(kind, &found, &finding));
        assert!(done(kind, &Format::Kcs, &kcs_file));
        assert_eq!(fraud(), [["false"]]);
        assert!(done(kind, &found, &finding));
        assert_eq!(fraud(), [["true"]]);
        assert!(done(kind, &Format::Kcs, &kcs_file));
        assert_eq!(fraud(), [["false"]]);
        assert!(!done(kind, &Format::Kcs, &kcs_file));

        // In one commit as well.
        let mut changes = Changes::begin(&place.store).unwrap();
        for (format, file) in [(&fact, &line), (&Format::Kcs, &kcs_file), (&fact, &line)] {
            apply(&mut changes, kind, format, file);
        }
        assert_eq!(changes.commit().unwrap().accepted, 3);
        assert_eq!(seller(), [["S1"]]);
    }
    // What a KCS file appends is compared with the lines: corrected findings do not make it new.
    let place = Place::new();
    place.load_as("kcs", &Format::Kcs, &kcs_file).unwrap();
    let mut changes = Changes::begin(&place.store).unwrap();
    apply(&mut changes, Change::Upsert, &found, &finding);
    changes.commit().unwrap();
    assert_eq!(place.load_as("kcs", &Format::Kcs, &kcs_file).unwrap().skipped.len(), 1);
}

#[test]
fn the_same_statement_twice_is_done_twice() {
    let place = Place::new();
    let state = |kind: Change, id: &str| {
        let cell = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let row = RecordBatch::try_from_iter([("courier_id", cell(id)), ("name", cell("x"))]).unwrap();
        let mut changes = Changes::begin(&place.store)?;
        let source = Source::Batches { name: "a statement".into(), batches: Box::new([Ok(row)].into_iter()) };
        changes.apply_all(kind, "customs", "dim_courier", source)?;
        changes.commit()
    };
    for _ in 0..2 {
        let done = state(Change::Upsert, "a").unwrap();
        assert_eq!((done.accepted, done.skipped.len()), (1, 0));
    }
    assert_eq!(state(Change::Append, "b").unwrap().accepted, 1);
    let error = state(Change::Append, "b").unwrap_err();
    assert!(matches!(&error, Error::Refused { rows: 1, reason, .. } if reason.contains("duplicate key")), "{error}");
    assert_eq!(now(&place), [["a", "x"], ["b", "x"]]);
}

#[test]
fn a_null_in_the_values_of_a_dictionary_is_a_null() {
    let place = Place::new();
    let days = StringArray::from(vec![Some("2026-03-02"), None, Some("soon")]);
    let days: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::new(Int8Array::from(vec![0, 1, 2]), Arc::new(days)));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let none = || new_null_array(&DataType::Utf8, 3);
    let columns =
        [("importer_id", ids), ("name", none()), ("region", none()), ("industry", none()), ("registered_on", days)];
    let columns = columns.map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let source = Source::Batches { name: "memory".into(), batches: Box::new([Ok(batch)].into_iter()) };
    let done = change(&place, Change::Append, "dim_importer", vec![source]).unwrap();
    assert_eq!((done.accepted, done.rejected), (2, 1));
    let expected = [["3", "\"soon\" is not a date; expected YYYY-MM-DD"]];
    assert_eq!(place.ask("select line_number, reason from rejects"), expected);
}

#[test]
fn rows_with_a_column_twice_do_not_fit_an_own_table() {
    let place = Place::new();
    let fields = |names: [&str; 2]| names.map(|name| Field::new(name, DataType::Int64, true)).to_vec();
    let mut changes = Changes::begin(&place.store).unwrap();
    changes.make("work", "notes", &Schema::new(fields(["n", "m"]))).unwrap();
    let numbers = |number: i64| Arc::new(Int64Array::from(vec![number])) as ArrayRef;
    let mut fill = |names: [&str; 2]| {
        let columns = vec![numbers(1), numbers(2)];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields(names))), columns).unwrap();
        changes.fill(Kind::Append, ("work", "notes"), "memory", std::iter::once(Ok(batch)), 0)
    };
    assert_eq!(fill(["m", "n"]).unwrap(), 1);
    let error = fill(["n", "n"]).unwrap_err();
    assert_eq!(error.to_string(), "the rows do not fit notes: the column \"n\": it is there twice");
}

#[test]
fn arrow_files_streams_and_batches_are_sources() {
    let place = Place::new();
    let batch = |from: usize| {
        let ids: Vec<String> = (from..from + 70_000).map(|n| format!("c{n:06}")).collect();
        let ids: ArrayRef = Arc::new(StringArray::from(ids));
        let names: ArrayRef = Arc::new(StringArray::from_iter((0..70_000).map(|n| (n % 3 > 0).then_some("x"))));
        RecordBatch::try_from_iter_with_nullable([("courier_id", ids, false), ("name", names, true)]).unwrap()
    };
    let (one, two, three) = (batch(0), batch(70_000), batch(140_000));
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let path = place.file("a.arrow", "");
    let mut file =
        FileWriter::try_new_with_options(std::fs::File::create(&path).unwrap(), &one.schema(), options).unwrap();
    file.write(&one).unwrap();
    file.finish().unwrap();
    let done = change(&place, Change::Append, "dim_courier", vec![path.clone().into()]).unwrap();
    assert_eq!((done.accepted, done.rejected), (70_000, 0));

    let mut stream = StreamWriter::try_new(Vec::new(), &two.schema()).unwrap();
    stream.write(&two).unwrap();
    stream.write(&two.slice(0, 1)).unwrap();
    let path = place.file("b.arrows", stream.into_inner().unwrap());
    let done = change(&place, Change::Append, "dim_courier", vec![path.into()]).unwrap();
    assert_eq!((done.accepted, done.rejected), (70_000, 1));
    assert_eq!(place.ask("select line_number, raw_text from rejects"), [["70001", "c070000,"]]);

    let batches = Source::Batches { name: "memory".into(), batches: Box::new([Ok(three.clone())].into_iter()) };
    assert_eq!(change(&place, Change::Append, "dim_courier", vec![batches]).unwrap().accepted, 70_000);
    let keys = three.project(&[0]).unwrap();
    let batches = Source::Batches { name: "memory".into(), batches: Box::new([Ok(keys)].into_iter()) };
    assert_eq!(change(&place, Change::Delete, "dim_courier", vec![batches]).unwrap().removed, 70_000);
    assert_eq!(place.ask("select count(*), count(distinct courier_id) from dim_courier"), [["140000"; 2]]);

    let cut = place.file("cut.arrow", std::fs::read(place.file("c.arrow", b"ARROW1\0\0 and so on")).unwrap());
    let message = change(&place, Change::Append, "dim_courier", vec![cut.into()]).unwrap_err().to_string();
    assert!(message.contains("expected an Arrow IPC file, found a damaged one"), "{message}");
    let failing =
        Source::Batches { name: "failing".into(), batches: Box::new([Ok(one), Err(Error::DeleteByKcs)].into_iter()) };
    assert!(change(&place, Change::Replace, "dim_courier", vec![failing]).is_err());
    assert_eq!(place.ask("select count(*) from dim_courier"), [["140000"]]);
}

#[test]
fn several_tables_are_changed_together_or_not_at_all() {
    let place = Place::new();
    let kcs_file = place.file("kcs.csv", kcs(&KCS_LINES));
    let goods = place.file("items.csv", items(&[item("1", &[]), item("2", &[])]));
    let gone = place.file("gone.csv", "declaration_id,item_no\n2,1\n");
    let mut changes = Changes::begin(&place.store).unwrap();
    changes.apply(Change::Append, "kcs", &Format::Kcs, vec![kcs_file.clone().into()], &mut |_| {}).unwrap();
    changes.apply(Change::Append, "customs", &table("fact_item"), vec![goods.into()], &mut |_| {}).unwrap();
    // Sees what the operation before has left.
    changes.apply(Change::Delete, "customs", &table("fact_item"), vec![gone.into()], &mut |_| {}).unwrap();
    assert_eq!(place.store.current_version().unwrap(), 0);
    let done = changes.commit().unwrap();
    assert_eq!((done.version, done.load_id, done.accepted, done.removed), (1, Some(1), 6, 1));
    assert_eq!(place.ask("select (select count(*) from kcs.fact_item) as k, count(*) from fact_item"), [["3", "1"]]);
    let commit = &place.store.versions().unwrap()[0].commit;
    let said: Vec<String> =
        commit.operations.iter().map(|o| format!("{} {} {}.{}", o.id, o.kind, o.schema, o.table)).collect();
    assert_eq!(said, ["1 append kcs.fact_item", "2 append customs.fact_item", "3 delete customs.fact_item"]);

    let mut changes = Changes::begin(&place.store).unwrap();
    let more = place.file("more.csv", items(&[item("3", &[])]));
    changes.apply(Change::Append, "customs", &table("fact_item"), vec![more.into()], &mut |_| {}).unwrap();
    let bad: PathBuf = place.file("bad.csv", "x\n");
    assert!(changes.apply(Change::Append, "customs", &table("dim_hs"), vec![bad.into()], &mut |_| {}).is_err());
    drop(changes);
    assert_eq!(place.store.current_version().unwrap(), 1);

    // Corrected declarations take the place of the old ones in both tables.
    let corrected = place.file("kcs2.csv", kcs(&[&KCS_LINES[1].replace(",1,1", ",0,0").replace("8WDKMC6", "NEW")]));
    let mut changes = Changes::begin(&place.store).unwrap();
    changes.apply(Change::Upsert, "kcs", &Format::Kcs, vec![corrected.into()], &mut |_| {}).unwrap();
    assert_eq!(changes.commit().unwrap().removed, 1);
    let sql = "select count(*), sum(fraud_class), (select count(*) from kcs.fact_item) as items, \
         (select count(*) from kcs.dim_seller where seller_id = 'NEW') as sellers from kcs.fact_inspection";
    assert_eq!(place.ask(sql), [["3", "2", "3", "1"]]);
    let mut changes = Changes::begin(&place.store).unwrap();
    let error = changes.apply(Change::Delete, "kcs", &Format::Kcs, vec![kcs_file.into()], &mut |_| {}).unwrap_err();
    assert!(error.to_string().starts_with("a KCS file cannot say what to delete"), "{error}");
}

#[test]
fn a_key_makes_a_repeated_commit_one() {
    let place = Place::new();
    let file = place.file("a.csv", couriers(&["a,1"]));
    let commit = |file: &PathBuf, kind: Change, key: &str| {
        let mut changes = Changes::begin(&place.store)?.with_key(key)?;
        changes.apply(kind, "customs", &table("dim_courier"), vec![file.clone().into()], &mut |_| {})?;
        changes.commit()
    };
    assert_eq!(commit(&file, Change::Replace, "monday").unwrap().version, 1);
    by(&place, Change::Replace, &["b,1"]).unwrap();
    let again = commit(&file, Change::Replace, "monday").unwrap();
    assert_eq!((again.version, again.repeated, again.load_id), (1, true, None));
    assert_eq!(now(&place), [["b", "1"]]);
    let copy = place.file("copy.csv", couriers(&["a,1"]));
    assert!(commit(&copy, Change::Replace, "monday").unwrap().repeated, "the content counts, not the name");

    let other = place.file("other.csv", couriers(&["a,2"]));
    for (file, kind) in [(&other, Change::Replace), (&file, Change::Upsert)] {
        let error = commit(file, kind, "monday").unwrap_err();
        assert!(matches!(&error, Error::KeyReused { key, version: 1 } if key == "monday"), "{error}");
    }
    for wrong in ["", "two\nlines", &"long".repeat(51)] {
        assert!(matches!(commit(&file, Change::Append, wrong), Err(Error::BadKey { .. })), "{wrong}");
    }
    // Two at once: who comes second finds that it is done.
    let begin = || {
        let mut changes = Changes::begin(&place.store).unwrap().with_key("tuesday").unwrap();
        changes
            .apply(Change::Upsert, "customs", &table("dim_courier"), vec![other.clone().into()], &mut |_| {})
            .unwrap();
        changes
    };
    let (first, second) = (begin(), begin());
    assert_eq!(first.commit().unwrap().version, 3);
    assert_eq!(second.commit().map(|done| (done.version, done.repeated)).unwrap(), (3, true));
}

#[test]
fn of_two_writers_of_a_table_one_wins_and_the_other_can_try_again() {
    let place = Place::new();
    by(&place, Change::Append, &["a,1"]).unwrap();
    let begin = |name: &str, content: String| {
        let file = place.file(&format!("{name}.csv"), content);
        let mut changes = Changes::begin(&place.store).unwrap();
        changes.apply(Change::Append, "customs", &table(name), vec![file.into()], &mut |_| {}).unwrap();
        changes
    };
    let first = begin("dim_courier", couriers(&["b,1", "a,9"]));
    let second = begin("dim_courier", couriers(&["b,2"]));
    let elsewhere = begin("fact_item", items(&[item("1", &[]), item("2", &[("item_no", "0")])]));
    assert_eq!(first.commit().unwrap().version, 2);
    let error = second.commit().unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(
        error.to_string(),
        "another commit has changed customs.dim_courier while this one was being prepared (version 1 has become 2); \
         nothing was changed, try again"
    );
    // Another table is no conflict, and rejects have the number that the commit got.
    assert_eq!(elsewhere.commit().unwrap().load_id, Some(3));
    assert_eq!(
        place.ask("select load_id, table_name from rejects order by 1"),
        [["2", "dim_courier"], ["3", "fact_item"]]
    );
    let again = begin("dim_courier", couriers(&["b,2"])).commit().unwrap();
    assert_eq!((again.accepted, again.rejected), (0, 1));
    assert_eq!(now(&place), [["a", "1"], ["b", "1"]]);
}

#[test]
fn many_writers_lose_and_double_nothing() {
    let place = Place::new();
    let conflicts: u32 = std::thread::scope(|scope| {
        let writer = |number: usize| {
            let place = &place;
            move || {
                let mut conflicts = 0;
                for round in 0..5 {
                    let file =
                        place.file(&format!("{number}-{round}.csv"), couriers(&[&format!("{number}-{round},x")]));
                    while let Err(error) = change(place, Change::Append, "dim_courier", vec![file.clone().into()]) {
                        assert!(error.is_conflict(), "{error}");
                        conflicts += 1;
                    }
                }
                conflicts
            }
        };
        let threads: Vec<_> = (0..4).map(|number| scope.spawn(writer(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    eprintln!("20 commits of 4 writers, {conflicts} conflicts");
    assert_eq!(place.ask("select count(*), count(distinct courier_id) from dim_courier"), [["20", "20"]]);
    assert_eq!(place.store.current_version().unwrap(), 20);
}

#[test]
fn data_files_do_not_depend_on_the_time() {
    let bytes = || {
        let place = Place::new();
        by(&place, Change::Append, &["a,1", "b,1", "c,1"]).unwrap();
        by(&place, Change::Upsert, &["b,2"]).unwrap();
        delete(&place, &["c"]).unwrap();
        let manifest = place.store.current().unwrap();
        manifest.all_files().map(|file| std::fs::read(place.store.root().join(&file.path)).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bytes(), bytes());
}
