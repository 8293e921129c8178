//! Delta Lake tables: their versions, what is refused of them, and what is kept of their logs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use arrow::array::{ArrayRef, RecordBatch};
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::outside::{Wanted, again};
use haetae_warehouse::store::OutsideKind;

use super::{Beside, cut, ids, names, write};
use crate::files::{ask, ask_of};

/// A Delta Lake table that is written by hand, commit by commit.
struct Delta {
    folder: PathBuf,
    commits: u64,
}

const SCHEMA: &str = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"office\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}MORE]}"#;

impl Delta {
    fn new(beside: &Beside, name: &str) -> Self {
        let folder = beside.lake.join(name);
        fs::create_dir_all(folder.join("_delta_log")).unwrap();
        Self { folder, commits: 0 }
    }

    fn commit(&mut self, actions: &[String]) {
        let path = self.folder.join(format!("_delta_log/{:020}.json", self.commits));
        fs::write(&path, actions.join("\n")).unwrap();
        // Nothing is kept of files that are younger than a few seconds.
        Self::at(&path, 1);
        self.commits += 1;
    }

    fn at(path: &Path, second: u64) {
        File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    }

    fn protocol() -> String {
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#.to_owned()
    }

    fn about(more: &str, configuration: &str) -> String {
        let schema = SCHEMA.replace("MORE", more);
        format!(
            r#"{{"metaData":{{"id":"t","format":{{"provider":"parquet","options":{{}}}},"schemaString":"{schema}","partitionColumns":["office"],"configuration":{{{configuration}}}}}}}"#
        )
    }

    fn add(&self, name: &str, office: &str, columns: &[(&str, ArrayRef)], bounds: (i64, i64)) -> String {
        let size = write(&self.folder.join(name), columns);
        let (least, most) = bounds;
        let stats = format!(r#"{{\"numRecords\":1,\"minValues\":{{\"id\":{least}}},\"maxValues\":{{\"id\":{most}}}}}"#);
        let path = name.replace(' ', "%20");
        format!(
            r#"{{"add":{{"path":"{path}","partitionValues":{{"office":{office}}},"size":{size},"modificationTime":1,"dataChange":true,"stats":"{stats}"}}}}"#
        )
    }

    fn remove(name: &str) -> String {
        format!(r#"{{"remove":{{"path":"{name}","deletionTimestamp":1,"dataChange":true}}}}"#)
    }
}

const EXTRA: &str = r#",{\"name\":\"extra\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}"#;

/// Three versions: two files, one of them removed, a column added.
fn offices(beside: &Beside) -> Delta {
    let mut delta = Delta::new(beside, "offices");
    let first = delta.add("a b.parquet", "\"40\"", &[("id", ids(&[1, 2]))], (1, 2));
    let second = delta.add("c.parquet", "\"\"", &[("id", ids(&[3]))], (3, 3));
    delta.commit(&[Delta::protocol(), Delta::about("", ""), first, second]);
    delta.commit(&[r#"{"commitInfo":{"operation":"DELETE"}}"#.to_owned(), Delta::remove("c.parquet")]);
    let third = delta.add("d.parquet", "\"50\"", &[("id", ids(&[9])), ("extra", names(&["x"]))], (9, 9));
    delta.commit(&[Delta::about(EXTRA, ""), third]);
    delta
}

#[test]
fn a_delta_lake_table_is_read_at_its_newest_and_at_older_versions() {
    let beside = Beside::new();
    offices(&beside);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let engine = beside.place.engine();
    let asked = |table: &str| ask(&engine, &format!("select id, office, extra from {table} order by id")).unwrap();
    assert_eq!(asked("outside.offices"), [["1", "40", ""], ["2", "40", ""], ["9", "50", "x"]]);
    assert_eq!(asked("outside.\"offices@1\""), [["1", "40", ""], ["2", "40", ""]]);
    assert_eq!(asked("outside.\"offices@0\""), [["1", "40", ""], ["2", "40", ""], ["3", "", ""]]);
    let error = ask(&engine, "select * from outside.\"offices@7\"").unwrap_err().to_string();
    assert!(error.contains("expected version 7, found versions up to 2"), "{error}");
    let plan = format!("{:?}", ask(&engine, "explain select id from outside.offices where id > 5").unwrap());
    assert!(plan.contains("d.parquet") && !plan.contains("a b.parquet") && !plan.contains("a%20b"), "{plan}");
    assert_eq!(ask(&engine, "select id from outside.offices where office = 50").unwrap(), [["9"]]);
    let fixed = Wanted { version: Some(0), ..beside.wanted(OutsideKind::Delta, "offices") };
    beside.register("first", fixed).unwrap();
    assert_eq!(beside.place.ask("select count(*), count(office) from outside.first"), [["3", "2"]]);
}

#[test]
fn a_query_reads_one_version_and_the_next_query_the_next() {
    let beside = Beside::new();
    let mut delta = offices(&beside);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let engine = beside.place.engine();
    let snapshot = engine.current().unwrap();
    let runtime = crate::files::runtime();
    let sql = "select count(*) from outside.offices a cross join outside.offices b";
    let planned = runtime.block_on(async {
        let statement = snapshot.statement(sql).await.unwrap();
        // The columns make a plan, which finds the state.
        statement.schema(None).await.unwrap();
        statement
    });
    let more = delta.add("e.parquet", "\"60\"", &[("id", ids(&[10])), ("extra", names(&["y"]))], (10, 10));
    delta.commit(&[more]);
    let rows = runtime.block_on(async {
        let batches: Vec<RecordBatch> =
            futures::TryStreamExt::try_collect(planned.execute(None).await.unwrap()).await.unwrap();
        batches
    });
    assert_eq!(crate::differential::cells(&rows), [["9"]], "three rows by three");
    assert_eq!(ask_of(&snapshot, sql).unwrap(), [["16"]], "four by four");
}

#[test]
fn what_is_kept_of_a_log_is_never_an_older_version() {
    let beside = Beside::new();
    let mut delta = offices(&beside);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let engine = beside.place.engine();
    let most = |table: &str| ask(&engine, &format!("select max(id) from {table}")).unwrap();
    for (version, id) in [(3, 10), (4, 11)] {
        let before = most("outside.offices");
        assert_eq!(most("outside.offices"), before);
        let file = format!("{id}.parquet");
        let more = delta.add(&file, "\"60\"", &[("id", ids(&[id])), ("extra", names(&["y"]))], (id, id));
        delta.commit(&[more]);
        assert_eq!(most("outside.offices"), [[id.to_string()]]);
        assert_eq!(most(&format!("outside.\"offices@{}\"", version - 1)), before);
        assert_eq!(most(&format!("outside.\"offices@{version}\"")), [[id.to_string()]]);
    }
    delta.commit(&[Delta::remove("11.parquet")]);
    assert_eq!(most("outside.offices"), [["10"]]);
}

#[test]
fn a_table_that_was_made_anew_with_the_same_version_is_another_one() {
    let beside = Beside::new();
    let made = |name: &str, id: i64| {
        let mut delta = Delta::new(&beside, "offices");
        let add = delta.add(name, "\"40\"", &[("id", ids(&[id]))], (id, id));
        delta.commit(&[Delta::protocol(), Delta::about("", ""), add]);
        delta.folder.join("_delta_log/00000000000000000000.json")
    };
    let first = made("a.parquet", 1);
    let bytes = fs::metadata(&first).unwrap().len();
    // A time of its own, however coarse the clock of the file system is.
    Delta::at(&first, 2);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let engine = beside.place.engine();
    assert_eq!(ask(&engine, "select id from outside.offices").unwrap(), [["1"]]);
    fs::remove_dir_all(beside.lake.join("offices")).unwrap();
    let second = made("b.parquet", 2);
    assert_eq!(fs::metadata(second).unwrap().len(), bytes, "its size does not tell it from the first");
    assert_eq!(ask(&engine, "select id from outside.offices").unwrap(), [["2"]]);
}

#[test]
fn what_a_delta_lake_table_asks_too_much_is_refused_by_name() {
    let beside = Beside::new();
    let refused = |name: &str, commits: &[Vec<String>]| {
        let mut delta = Delta::new(&beside, name);
        commits.iter().for_each(|actions| delta.commit(actions));
        beside.refused(beside.wanted(OutsideKind::Delta, name))
    };
    let vectors = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","timestampNtz"],"writerFeatures":[]}}"#;
    let error = refused("vectors", &[vec![vectors.to_owned(), Delta::about("", "")]]);
    assert!(error.contains("deletionVectors, timestampNtz"), "{error}");
    let mapped = Delta::about("", r#""delta.columnMapping.mode":"name""#);
    let error = refused("mapped", &[vec![Delta::protocol(), mapped]]);
    assert!(error.contains("column mapping by name"), "{error}");
    let nested = r#",{\"name\":\"list\",\"type\":{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true},\"nullable\":true,\"metadata\":{}}"#;
    let error = refused("nested", &[vec![Delta::protocol(), Delta::about(nested, "")]]);
    assert!(error.contains("column list") && error.contains("array"), "{error}");
    let add = |path: &str, more: &str| {
        format!(
            r#"{{"add":{{"path":"{path}","partitionValues":{{"office":null}},"size":1,"modificationTime":1,"dataChange":true{more}}}}}"#
        )
    };
    let start = || vec![Delta::protocol(), Delta::about("", "")];
    let vector = add(
        "a.parquet",
        r#","deletionVector":{"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}"#,
    );
    assert!(refused("vector", &[start(), vec![vector]]).contains("deletion vector of a.parquet"));
    for (name, path) in [("up", "../trade/a.parquet"), ("far", "file:///etc/hosts"), ("root", "/etc/hosts")] {
        let error = refused(name, &[start(), vec![add(path, "")]]);
        assert!(error.contains("paths below the folder"), "{error}");
    }
    assert!(refused("missing", &[start(), vec![add("gone.parquet", "")]]).contains("VACUUM"));
    assert!(refused("words", &[start(), vec!["{\"add\":".to_owned()]]).contains("line 1"));
    assert!(refused("new", &[start(), vec![r#"{"stream":{}}"#.to_owned()]]).contains("an action stream"));
    assert!(refused("none", &[]).contains("no Delta Lake table"));
}

#[test]
fn a_log_that_is_not_whole_and_a_file_of_another_size_are_errors() {
    let beside = Beside::new();
    let delta = offices(&beside);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let engine = beside.place.engine();
    let sql = "select * from outside.offices";
    cut(&delta.folder.join("d.parquet"));
    let error = ask(&engine, sql).unwrap_err().to_string();
    assert!(error.contains("d.parquet") && error.contains("bytes, as the log says"), "{error}");
    assert_eq!(ask(&engine, "select count(*) from outside.\"offices@1\"").unwrap(), [["2"]]);
    fs::remove_file(delta.folder.join("_delta_log/00000000000000000001.json")).unwrap();
    let error = ask(&engine, sql).unwrap_err().to_string();
    assert!(error.contains("00000000000000000001.json"), "{error}");
}

#[test]
fn a_table_that_has_changed_is_looked_at_again() {
    let beside = Beside::new();
    let mut delta = Delta::new(&beside, "offices");
    let first = delta.add("a.parquet", "\"40\"", &[("id", ids(&[1]))], (1, 1));
    delta.commit(&[Delta::protocol(), Delta::about("", ""), first]);
    beside.register("offices", beside.wanted(OutsideKind::Delta, "offices")).unwrap();
    let second = delta.add("b.parquet", "\"50\"", &[("id", ids(&[2])), ("extra", names(&["x"]))], (2, 2));
    delta.commit(&[Delta::about(EXTRA, ""), second]);
    assert_eq!(beside.place.ask("select * from outside.offices order by id"), [["1", "40"], ["2", "50"]]);
    let store = &beside.place.store;
    let mut changes = Changes::begin(store).unwrap();
    let known = changes.outside("offices").unwrap().clone();
    changes.register("offices", again(store.root(), known).unwrap());
    changes.commit().unwrap();
    let all = beside.place.ask("select * from outside.offices order by id");
    assert_eq!(all, [["1", "40", ""], ["2", "50", "x"]]);
    let text = SCHEMA.replace("MORE", "").replace("long", "string");
    let other = Delta::about("", "").replace(&SCHEMA.replace("MORE", ""), &text);
    delta.commit(&[other]);
    let error = beside.place.refused("select * from outside.offices");
    assert!(error.contains("the column id as Int64, found Utf8; register the table again"), "{error}");
}
