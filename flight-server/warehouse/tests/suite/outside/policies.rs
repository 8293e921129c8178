//! What a user sees of tables outside of the warehouse, now and in older versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haetae_schema::Classification;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::query::policy::{Access, Clearance, Column, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{Engine, Snapshot};
use haetae_warehouse::store::OutsideKind;

use super::{Beside, cut, ids, monthly, months, write};
use crate::files::ask_of;

/// A user who sees `outside.trade` so, and nothing else.
fn seen(engine: &Engine, shown: TableAccess, clearance: Clearance) -> Snapshot {
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
