//! What the warehouse knows of tables outside: their entries, edits of these, and changes that it refuses.

use haetae_warehouse::Error;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::outside::{again, look};
use haetae_warehouse::store::{About, Kind, NewEdit};

use super::{Beside, monthly, months};

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
