//! Parquet folders: what is read of them, what is refused, and in which folders they may lie.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use haetae_warehouse::outside::{ALLOWED_FILE, PartitionType, Wanted};
use haetae_warehouse::store::OutsideKind;

use super::{Beside, cut, ids, monthly, months, names, write};
use crate::files::ask;

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

/// An old reader of 32-bit numbers is no reason to guess.
#[test]
fn numbers_of_another_width_are_another_type() {
    let beside = Beside::new();
    write(&beside.lake.join("w/a.parquet"), &[("id", ids(&[1]))]);
    write(&beside.lake.join("w/b.parquet"), &[("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]);
    let error = beside.refused(beside.wanted(OutsideKind::Parquet, "w"));
    assert!(error.contains("b.parquet") && error.contains("expected the column id as Int64, found Int32"), "{error}");
}
