//! Tables outside of the warehouse: Parquet folders, Delta Lake logs, what is refused, and who sees what. Tables that
//! another program has written are read in `flight-server/tests/test_outside.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use haetae_schema::Classification;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::outside::{ALLOWED_FILE, PartitionType, Wanted, again, look};
use haetae_warehouse::query::Engine;
use haetae_warehouse::query::policy::{Access, Clearance, Column, MaskKey, Rights, TableAccess};
use haetae_warehouse::store::{About, Kind, NewEdit, OutsideEntry, OutsideKind};
use haetae_warehouse::{Error, Result};
use parquet::arrow::ArrowWriter;

use crate::files::{Place, ask, ask_of};

/// A warehouse, and a folder beside it in which tables may lie.
struct Beside {
    place: Place,
    lake: PathBuf,
}

impl Beside {
    fn new() -> Self {
        let place = Place::new();
        let lake = place.folder.path().canonicalize().unwrap().join("lake");
        fs::create_dir(&lake).unwrap();
        let beside = Self { place, lake };
        beside.allow(&[&beside.lake]);
        beside
    }

    fn allow(&self, folders: &[&Path]) {
        let folders: Vec<String> = folders.iter().map(|folder| format!("{:?}", folder.to_str().unwrap())).collect();
        let text = format!("folders = [{}]\n", folders.join(", "));
        let file = self.place.store.root().join(ALLOWED_FILE);
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn wanted(&self, kind: OutsideKind, folder: &str) -> Wanted {
        let entry = OutsideEntry {
            title: "Trade".to_owned(),
            description: "One month of trade.".to_owned(),
            owner: "Statistics".to_owned(),
            steward: "Kim".to_owned(),
            class: "secret".to_owned(),
            classification: "raw_text".to_owned(),
        };
        Wanted { kind, folder: self.lake.join(folder), version: None, partitions: Vec::new(), entry }
    }

    fn register(&self, name: &str, wanted: Wanted) -> Result<u64> {
        let mut changes = Changes::begin(&self.place.store)?;
        changes.register(name, look(self.place.store.root(), wanted)?);
        Ok(changes.commit()?.version)
    }

    fn refused(&self, wanted: Wanted) -> String {
        look(self.place.store.root(), wanted).unwrap_err().to_string()
    }
}

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn names(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Writes a Parquet file and returns its size.
fn write(path: &Path, columns: &[(&str, ArrayRef)]) -> u64 {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, values)| (*name, values.clone()))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    fs::metadata(path).unwrap().len()
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

/// A Parquet folder in two folders of months.
fn months(beside: &Beside) {
    let trade = beside.lake.join("trade");
    write(&trade.join("month=2026-01-01/a.parquet"), &[("id", ids(&[1, 2])), ("name", names(&["a", "b"]))]);
    write(&trade.join("month=2026-02-01/b.parquet"), &[("id", ids(&[3])), ("name", names(&["c"]))]);
    write(&trade.join("month=__HIVE_DEFAULT_PARTITION__/c.parquet"), &[("id", ids(&[4])), ("name", names(&["d"]))]);
    fs::write(trade.join("_SUCCESS"), "").unwrap();
    fs::write(trade.join("_read.me"), "no table").unwrap();
}

fn monthly(beside: &Beside) -> Wanted {
    let partitions = vec![("month".to_owned(), PartitionType::Date)];
    Wanted { partitions, ..beside.wanted(OutsideKind::Parquet, "trade") }
}

#[test]
fn a_folder_of_parquet_files_is_read_beside_the_tables() {
    let beside = Beside::new();
    months(&beside);
    assert_eq!(beside.register("trade", monthly(&beside)).unwrap(), 1);
    let all = beside.place.ask("select id, name, month from outside.trade order by id");
    let expected = [["1", "a", "2026-01-01"], ["2", "b", "2026-01-01"], ["3", "c", "2026-02-01"], ["4", "d", ""]];
    assert_eq!(all, expected);
    let sql = "select month, count(*) from outside.trade where month >= date '2026-02-01' group by month";
    assert_eq!(beside.place.ask(sql), [["2026-02-01", "1"]]);
    assert_eq!(beside.place.ask("select count(*) from outside.trade where month is null"), [["1"]]);
    let plan = beside.place.ask("explain select id from outside.trade where month = date '2026-02-01'");
    let plan = format!("{plan:?}");
    assert!(plan.contains("b.parquet") && !plan.contains("a.parquet"), "other months are not opened: {plan}");
    let versions = beside.place.ask("select kind, schema_name, table_name from meta.versions");
    assert_eq!(versions, [["register", "outside", "trade"]]);
    // A file that comes later is read; nothing has to be made known again.
    write(&beside.lake.join("trade/month=2026-03-01/d.parquet"), &[("id", ids(&[9])), ("name", names(&["z"]))]);
    let engine = beside.place.engine();
    assert_eq!(ask(&engine, "select max(id) from outside.trade").unwrap(), [["9"]]);
    assert_eq!(
        ask(&engine, "select t.name from outside.trade t join customs.dim_courier c on c.courier_id = t.name").unwrap(),
        Vec::<Vec<String>>::new()
    );
}

#[test]
fn what_is_registered_has_an_entry_and_is_listed() {
    let beside = Beside::new();
    months(&beside);
    beside.register("trade", monthly(&beside)).unwrap();
    let sql =
        "select title, description, owner, steward, class, row_count from meta.datasets where schema_name = 'outside'";
    assert_eq!(beside.place.ask(sql), [["Trade", "One month of trade.", "Statistics", "Kim", "secret", ""]]);
    let sql = "select column_name, data_type, classification, class from meta.columns where schema_name = 'outside' order by position";
    let secret = |name: &str, kind: &str| [name, kind, "raw_text", "secret"].map(str::to_owned);
    assert_eq!(beside.place.ask(sql), [secret("id", "Int64"), secret("name", "Utf8"), secret("month", "Date32")]);
    let snapshot = beside.place.engine().current().unwrap();
    assert!(snapshot.tables().iter().any(|(schema, table, _)| schema == "outside" && table == "trade"));
    assert!(snapshot.schemas().contains(&"outside".to_owned()));
    let sql = "select table_name from information_schema.tables where table_schema = 'outside'";
    assert_eq!(beside.place.ask(sql), [["trade"]]);
    let mut changes = Changes::begin(&beside.place.store).unwrap();
    changes.unregister("trade");
    changes.commit().unwrap();
    let gone = beside.place.refused("select * from outside.trade");
    assert!(gone.contains("there is no table \"trade\" in the schema outside"), "{gone}");
    assert!(beside.lake.join("trade/month=2026-01-01/a.parquet").exists());
    let versions = beside.place.ask("select kind from meta.versions order by version");
    assert_eq!(versions, [["register"], ["unregister"]]);
    let current = beside.place.store.current().unwrap();
    let kinds: Vec<Kind> = current.commits.iter().map(|commit| commit.operations[0].kind).collect();
    assert_eq!(kinds, [Kind::Register, Kind::Unregister]);
}

#[test]
fn files_that_do_not_fit_are_errors_that_name_them_and_take_nothing_else_along() {
    let beside = Beside::new();
    months(&beside);
    beside.place.load("dim_courier", &beside.place.file("c.csv", "courier_id,name\nC1,Fast\n")).unwrap();
    beside.register("trade", monthly(&beside)).unwrap();
    write(&beside.lake.join("good/x.parquet"), &[("id", ids(&[5]))]);
    beside.register("good", beside.wanted(OutsideKind::Parquet, "good")).unwrap();
    let engine = beside.place.engine();
    let sql = "select * from outside.trade";
    let bad = beside.lake.join("trade/month=2026-02-01/b.parquet");
    for (columns, expected) in [
        (vec![("id", names(&["3"])), ("name", names(&["c"]))], "expected the column id as Int64, found Utf8"),
        (vec![("id", ids(&[3]))], "expected the column name as Utf8, found none; it has id"),
    ] {
        write(&bad, &columns);
        let error = ask(&engine, sql).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("b.parquet"), "{error}");
    }
    cut(&bad);
    let error = ask(&engine, sql).unwrap_err().to_string();
    assert!(error.contains("b.parquet") && error.contains("cut off"), "{error}");
    // What does not read the file does not meet it.
    assert_eq!(ask(&engine, "select id from outside.trade where month is null").unwrap(), [["4"]]);
    assert_eq!(ask(&engine, "select * from outside.good").unwrap(), [["5"]]);
    assert_eq!(ask(&engine, "select courier_id from customs.dim_courier").unwrap(), [["C1"]]);
    fs::write(beside.lake.join("trade/stray.parquet"), "").unwrap();
    let error = ask(&engine, sql).unwrap_err().to_string();
    assert!(error.contains("stray.parquet") && error.contains("month="), "{error}");
    fs::remove_file(beside.lake.join("trade/stray.parquet")).unwrap();
    write(&bad, &[("id", ids(&[7])), ("name", names(&["c"]))]);
    assert_eq!(ask(&engine, "select max(id) from outside.trade").unwrap(), [["7"]], "mended is mended");
    fs::rename(bad.parent().unwrap(), beside.lake.join("trade/month=soon")).unwrap();
    let error = ask(&engine, sql).unwrap_err().to_string();
    assert!(error.contains("expected Date32, found soon"), "{error}");
}

#[test]
fn nothing_is_read_outside_of_the_allowed_folders() {
    let beside = Beside::new();
    months(&beside);
    let hidden = beside.place.folder.path().canonicalize().unwrap().join("hidden");
    write(&hidden.join("x.parquet"), &[("id", ids(&[1]))]);
    let wanted = |folder: &Path| Wanted { folder: folder.to_owned(), ..beside.wanted(OutsideKind::Parquet, "") };
    let error = beside.refused(wanted(&hidden));
    assert!(error.contains("outside.toml allows") && error.contains("in none of them"), "{error}");
    assert!(beside.refused(wanted(&beside.lake.join("../hidden"))).contains("in none of them"));
    std::os::unix::fs::symlink(&hidden, beside.lake.join("link")).unwrap();
    assert!(beside.refused(wanted(&beside.lake.join("link"))).contains("in none of them"));
    std::os::unix::fs::symlink(hidden.join("x.parquet"), beside.lake.join("trade/month=2026-01-01/y.parquet")).unwrap();
    let error = beside.refused(monthly(&beside));
    assert!(error.contains("y.parquet") && error.contains("symbolic link"), "{error}");
    fs::remove_file(beside.lake.join("trade/month=2026-01-01/y.parquet")).unwrap();
    std::os::unix::fs::symlink(&hidden, beside.lake.join("trade/month=2026-05-01")).unwrap();
    assert!(beside.refused(monthly(&beside)).contains("symbolic link"));
    fs::remove_file(beside.lake.join("trade/month=2026-05-01")).unwrap();
    beside.allow(&[&hidden, beside.place.store.root()]);
    let inside = beside.refused(wanted(&beside.place.store.root().join("data")));
    assert!(inside.contains("cannot find") || inside.contains("outside of the warehouse"), "{inside}");
    beside.allow(&[&beside.lake]);
    beside.register("trade", monthly(&beside)).unwrap();
    // A folder that is allowed no longer is read no longer.
    beside.allow(&[&hidden]);
    assert!(beside.place.refused("select * from outside.trade").contains("in none of them"));
    let list = beside.place.store.root().join(ALLOWED_FILE);
    fs::set_permissions(&list, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(beside.place.refused("select * from outside.trade").contains("chmod go-w"));
    fs::remove_file(list).unwrap();
    assert!(beside.place.refused("select * from outside.trade").contains("no such file"));
    assert_eq!(beside.place.ask("select count(*) from customs.fact_item"), [["0"]]);
}

#[test]
fn a_folder_is_refused_whose_columns_cannot_be_told() {
    let beside = Beside::new();
    fs::create_dir(beside.lake.join("empty")).unwrap();
    assert!(beside.refused(beside.wanted(OutsideKind::Parquet, "empty")).contains("at least one file"));
    write(&beside.lake.join("both/id=1/a.parquet"), &[("id", ids(&[1]))]);
    assert!(beside.refused(beside.wanted(OutsideKind::Parquet, "both")).contains("no column id"));
    months(&beside);
    let other = vec![("day".to_owned(), PartitionType::Date)];
    let error = beside.refused(Wanted { partitions: other, ..beside.wanted(OutsideKind::Parquet, "trade") });
    assert!(error.contains("day=") && error.contains("month"), "{error}");
    assert!(beside.refused(beside.wanted(OutsideKind::Delta, "trade")).contains("_delta_log"));
}

#[test]
fn what_is_no_parquet_file_is_refused_when_a_folder_is_registered() {
    let beside = Beside::new();
    months(&beside);
    let old = beside.lake.join("trade/month=2026-01-01/old.parq");
    fs::write(&old, "").unwrap();
    let error = beside.refused(monthly(&beside));
    assert!(error.contains("old.parq") && error.contains("rename it or move it away"), "{error}");
    fs::remove_file(&old).unwrap();
    beside.register("trade", monthly(&beside)).unwrap();
    // One that is being written is no reason to fail a query.
    fs::write(&old, "").unwrap();
    assert_eq!(beside.place.ask("select count(*) from outside.trade"), [["4"]]);
}

/// Edits a property of the columns of `outside.trade`.
fn edited(changes: &mut Changes, property: &str, value: &str) {
    let place = ["outside", "trade", "id"].map(str::to_owned).to_vec();
    let (by, property, value) = ("owner".to_owned(), property.to_owned(), Some(value.to_owned()));
    changes.edit(vec![NewEdit { by, about: About::Columns, place, property, value, takes_back: false }]);
}

#[test]
fn edits_of_a_table_go_with_it() {
    let beside = Beside::new();
    months(&beside);
    let store = &beside.place.store;
    beside.register("trade", monthly(&beside)).unwrap();
    assert_eq!(store.current().unwrap().format, 3, "a release that knows no such tables refuses the warehouse");
    let mut changes = Changes::begin(store).unwrap();
    edited(&mut changes, "classification", "open");
    changes.commit().unwrap();
    let class = "select classification from meta.columns where schema_name = 'outside' and column_name = 'id'";
    assert_eq!(beside.place.ask(class), [["open"]]);
    // Looked at again it is the same table.
    let mut changes = Changes::begin(store).unwrap();
    let known = changes.outside("trade").unwrap().clone();
    changes.register("trade", again(store.root(), known).unwrap());
    changes.commit().unwrap();
    assert_eq!(beside.place.ask(class), [["open"]]);
    // An edit that was prepared meanwhile is about a table that is there no longer.
    let mut late = Changes::begin(store).unwrap();
    edited(&mut late, "description", "Number");
    let mut changes = Changes::begin(store).unwrap();
    changes.unregister("trade");
    let gone = changes.commit().unwrap().version;
    assert!(matches!(late.commit(), Err(Error::Conflict { .. })));
    let last = store.current().unwrap().edits.last().cloned().unwrap();
    assert!(last.takes_back && last.property == "classification", "{last:?}");
    assert_eq!(store.current().unwrap().version, gone, "in the same commit");
    beside.register("trade", monthly(&beside)).unwrap();
    assert_eq!(beside.place.ask(class), [["raw_text"]]);
}

#[test]
fn an_edit_that_changes_nothing_is_not_kept() {
    let beside = Beside::new();
    months(&beside);
    beside.register("trade", monthly(&beside)).unwrap();
    for (value, kept) in [("Number", 1), ("Number", 1), ("Another", 2)] {
        let mut changes = Changes::begin(&beside.place.store).unwrap();
        edited(&mut changes, "description", value);
        changes.commit().unwrap();
        assert_eq!(beside.place.store.current().unwrap().edits.len(), kept, "{value}");
    }
}

#[test]
fn an_older_version_shows_no_table_that_the_newest_does_not_have() {
    let beside = Beside::new();
    months(&beside);
    let open = |class: &str| {
        let mut wanted = monthly(&beside);
        wanted.entry.classification = class.to_owned();
        wanted
    };
    let before = beside.register("trade", open("open")).unwrap();
    let engine = beside.place.engine();
    let access = access(TableAccess::default(), Clearance::default());
    let sql = "select id from outside.trade where id = 1";
    let at = |version: u64| ask_of(&engine.at(version).unwrap().unwrap().seen_by(&access).unwrap(), sql);
    assert_eq!(at(before).unwrap(), [["1"]]);
    // The same folder, as secret as can be: that holds for the older version too.
    beside.register("trade", open("raw_text")).unwrap();
    assert_eq!(at(before).unwrap(), Vec::<Vec<String>>::new());
    let mut changes = Changes::begin(&beside.place.store).unwrap();
    changes.unregister("trade");
    changes.commit().unwrap();
    assert!(at(before).unwrap_err().to_string().contains("there is no"), "it is forgotten");
    write(&beside.lake.join("more/x.parquet"), &[("id", ids(&[1]))]);
    let mut other = beside.wanted(OutsideKind::Parquet, "more");
    other.entry.classification = "open".to_owned();
    beside.register("trade", other).unwrap();
    assert!(at(before).unwrap_err().to_string().contains("there is no"), "the name is another table's");
}

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
        fs::write(path, actions.join("\n")).unwrap();
        self.commits += 1;
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

#[test]
fn two_who_register_one_name_meet() {
    let beside = Beside::new();
    months(&beside);
    let table = look(beside.place.store.root(), monthly(&beside)).unwrap();
    let mut first = Changes::begin(&beside.place.store).unwrap();
    let mut second = Changes::begin(&beside.place.store).unwrap();
    let mut third = Changes::begin(&beside.place.store).unwrap();
    first.register("trade", table.clone());
    second.register("trade", table.clone());
    third.register("other", table);
    first.commit().unwrap();
    assert!(matches!(second.commit(), Err(Error::Conflict { table, .. }) if table == "trade"));
    assert_eq!(third.commit().unwrap().version, 2);
}

/// A user who sees `outside.trade` so, and nothing else.
fn seen(engine: &Engine, shown: TableAccess, clearance: Clearance) -> haetae_warehouse::query::Snapshot {
    engine.current().unwrap().seen_by(&access(shown, clearance)).unwrap()
}

fn access(shown: TableAccess, clearance: Clearance) -> Arc<Access> {
    let tables = BTreeMap::from([(("outside".to_owned(), "trade".to_owned()), shown)]);
    let attributes = BTreeMap::from([("most".to_owned(), "c".to_owned())]);
    let rights = Rights::Limited { tables, attributes, key: MaskKey::new([0; 32]) };
    let (system, writes) = (Vec::new(), BTreeSet::new());
    let id = format!("{clearance:?}");
    Arc::new(Access { id, rights, system, work: None, writes, clearance })
}

#[test]
fn policies_hold_for_them_as_for_any_table() {
    let beside = Beside::new();
    months(&beside);
    beside.register("trade", monthly(&beside)).unwrap();
    write(&beside.lake.join("more/x.parquet"), &[("id", ids(&[5]))]);
    beside.register("more", beside.wanted(OutsideKind::Parquet, "more")).unwrap();
    let engine = beside.place.engine();
    let sql = "select id, name, month from outside.trade order by id";
    // Named by the policy and nothing more: there are rows, and nothing in them.
    let named = seen(&engine, TableAccess::default(), Clearance::default());
    assert_eq!(ask_of(&named, sql).unwrap(), vec![vec![""; 3]; 4]);
    let schema = ask_of(&named, "select table_name from meta.datasets where schema_name = 'outside'").unwrap();
    assert_eq!(schema, [["trade"]]);
    let hidden = ask_of(&named, "select * from outside.more").unwrap_err().to_string();
    assert!(hidden.contains("there is no table \"more\""), "{hidden}");
    let cleared = BTreeSet::from([Classification::RawText]);
    let cleared = Clearance { cleared, ..Clearance::default() };
    let filter = Some("name <> $most and month is not null".to_owned());
    let columns = BTreeMap::from([("month".to_owned(), Column::Hide)]);
    let some = seen(&engine, TableAccess { filter, columns }, cleared);
    assert_eq!(ask_of(&some, "select * from outside.trade order by id").unwrap(), [["1", "a"], ["2", "b"]]);
    let plan = format!("{:?}", ask_of(&some, "explain select * from outside.trade").unwrap());
    assert!(plan.contains("PolicyScan: outside.trade") && !plan.contains(".parquet"), "{plan}");
    assert_eq!(ask_of(&some, "select count(*) from outside.trade where id > 1").unwrap(), [["1"]]);
    // What is wrong with a file may be about rows that are hidden.
    cut(&beside.lake.join("trade/month=2026-02-01/b.parquet"));
    let error = ask_of(&some, "select * from outside.trade").unwrap_err().to_string();
    assert!(error.contains("reading outside.trade failed") && !error.contains("b.parquet"), "{error}");
}

#[test]
fn a_policy_that_does_not_fit_closes_the_table_alone() {
    let beside = Beside::new();
    months(&beside);
    beside.register("trade", monthly(&beside)).unwrap();
    let filter = Some("secret_column = 'x'".to_owned());
    let columns = BTreeMap::from([("name".to_owned(), Column::Hide)]);
    let broken = seen(&beside.place.engine(), TableAccess { filter, columns }, Clearance::default());
    let shown = "select column_name from information_schema.columns where table_schema = 'outside' order by 1";
    assert!(!format!("{:?}", ask_of(&broken, shown).unwrap()).contains("\"name\""), "what is hidden has no name");
    let error = ask_of(&broken, "select * from outside.trade").unwrap_err().to_string();
    assert!(error.contains("reading outside.trade failed") && !error.contains("secret_column"), "{error}");
    assert_eq!(ask_of(&broken, "select count(*) from meta.glossary").unwrap().len(), 1);
}

#[test]
fn they_are_only_read() {
    let beside = Beside::new();
    months(&beside);
    beside.register("trade", monthly(&beside)).unwrap();
    let snapshot = beside.place.engine().current().unwrap();
    let runtime = crate::files::runtime();
    for sql in [
        "insert into outside.trade values (1, 'a', null)",
        "delete from outside.trade where id = 1",
        "update outside.trade set name = 'x'",
    ] {
        let error = runtime.block_on(snapshot.update(sql)).unwrap_err().to_string();
        assert!(error.contains("lies outside of the warehouse and is only read"), "{error}");
    }
}

/// An old reader of 32-bit numbers is no reason to guess.
#[test]
fn numbers_of_another_width_are_another_type() {
    let beside = Beside::new();
    write(&beside.lake.join("w/a.parquet"), &[("id", ids(&[1]))]);
    write(&beside.lake.join("w/b.parquet"), &[("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]);
    let error = beside.refused(beside.wanted(OutsideKind::Parquet, "w"));
    assert!(error.contains("b.parquet") && error.contains("expected the column id as Int64, found Int32"), "{error}");
}
