//! The catalogue, edited by SQL: what may be edited, by whom, what holds, and what becomes of policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::compute::concat_batches;
use futures::TryStreamExt;
use haetae_schema::Classification;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::query::policy::{Access, Clearance, Column, Mask, MaskKey, Rights, TableAccess};
use haetae_warehouse::query::{Engine, Snapshot};
use haetae_warehouse::{Error, Result};

use crate::files::{Place, ask_of, item, items, runtime};

fn place() -> Place {
    let place = Place::new();
    place.load("fact_item", &place.file("items.csv", items(&[item("a", &[]), item("b", &[])]))).unwrap();
    place
}

/// Plans a statement, and the changes that it makes, uncommitted; with them the number of rows that they are about.
pub fn prepared(place: &Place, snapshot: &Snapshot, sql: &str, by: &str) -> Result<(Changes, u64)> {
    runtime().block_on(async {
        let update = snapshot.update(sql).await?;
        assert!(update.is_edit());
        let rows = update.rows(None).await?;
        let columns = rows.schema();
        let batches: Vec<_> = rows.try_collect().await?;
        let rows = concat_batches(&columns, &batches).unwrap();
        let mut changes = Changes::begin(&place.store)?;
        changes.edit(update.edits(snapshot.manifest(), &rows, by)?);
        Ok((changes, rows.num_rows() as u64))
    })
}

fn edit_as(place: &Place, snapshot: &Snapshot, sql: &str, by: &str) -> Result<u64> {
    Ok(prepared(place, snapshot, sql, by)?.0.commit()?.version)
}

fn edit(place: &Place, sql: &str) -> Result<u64> {
    edit_as(place, &place.engine().current().unwrap(), sql, "owner")
}

fn refused(place: &Place, sql: &str) -> String {
    edit(place, sql).unwrap_err().to_string()
}

fn user(tables: &[(&str, &str)], writes: &[&str], clearance: Clearance) -> Arc<Access> {
    let shown = |(schema, table): &(&str, &str)| {
        // As the policy of a server masks identifiers of who is not cleared for them.
        let masks = [("importer_id", "fact_item")].into_iter().filter(|(_, of)| of == table);
        let masks = masks.map(|(name, _)| (name.to_owned(), Column::Mask(Mask::Hash)));
        let columns = match clearance.cleared.contains(&Classification::Identifier) {
            true => BTreeMap::new(),
            false => masks.collect(),
        };
        (((*schema).to_owned(), (*table).to_owned()), TableAccess { filter: None, columns })
    };
    let tables = tables.iter().map(shown).collect();
    let writes = writes.iter().filter_map(|name| name.split_once('.'));
    let writes = writes.map(|(schema, table)| (schema.to_owned(), table.to_owned())).collect();
    let rights = Rights::Limited { tables, attributes: BTreeMap::new(), key: MaskKey::new([0; 32]) };
    let id = format!("kim {clearance:?} {writes:?}");
    Arc::new(Access { id, rights, system: Vec::new(), work: None, writes, clearance })
}

fn seen(engine: &Engine, access: &Arc<Access>) -> Snapshot {
    engine.current().unwrap().seen_by(access).unwrap()
}

const ITEM: &str = "schema_name = 'customs' and table_name = 'fact_item'";

#[test]
fn an_edit_holds_until_it_is_taken_back_and_is_kept_for_ever() {
    let place = place();
    let entry = format!("select owner, steward, class from meta.datasets where {ITEM}");
    let before = place.ask(&entry);
    assert_eq!(before[0][2], "personal");
    let version = edit(&place, &format!("update meta.datasets set steward = 'Lee', owner = 'it''s us' where {ITEM}"));
    assert_eq!(version.unwrap(), 2);
    assert_eq!(place.ask(&entry), [["it's us", "Lee", "personal"]]);
    edit(&place, &format!("update meta.datasets set steward = 'Park' where {ITEM}")).unwrap();
    assert_eq!(place.ask(&entry), [["it's us", "Park", "personal"]]);
    // The other schema of the same table is another table.
    let kcs = place.ask("select steward from meta.datasets where schema_name = 'kcs' and table_name = 'fact_item'");
    assert_eq!(kcs, [[before[0][1].clone()]]);
    let sql = "delete from meta.edits where property = 'steward' and table_name = 'fact_item'";
    assert_eq!(edit(&place, sql).unwrap(), 4);
    assert_eq!(place.ask(&entry), [["it's us".to_owned(), before[0][1].clone(), "personal".to_owned()]]);
    let kept = "select edit_id, operation_id, edited_by, entry, property, value, takes_back, in_force from meta.edits order by edit_id";
    assert_eq!(
        place.ask(kept),
        [
            ["1", "2", "owner", "datasets", "owner", "it's us", "false", "true"],
            ["2", "2", "owner", "datasets", "steward", "Lee", "false", "false"],
            ["3", "3", "owner", "datasets", "steward", "Park", "false", "false"],
            ["4", "4", "owner", "datasets", "steward", "", "true", "false"],
        ]
    );
    let times = place.store.versions().unwrap();
    let expected: Vec<Vec<String>> =
        times[1..].iter().map(|v| vec![haetae_warehouse::store::time_text(v.commit.time_ms)]).collect();
    assert_eq!(place.ask("select distinct edited_at from meta.edits order by 1").last(), expected.last());
    let changes =
        "select kind, schema_name, table_name, accepted from meta.versions where version > 1 order by version";
    assert_eq!(place.ask(changes), vec![["upsert", "meta", "datasets", "1"]; 3]);
    // An older version says what was said then.
    let old = place.engine().at(2).unwrap().unwrap();
    assert_eq!(ask_of(&old, &entry).unwrap(), [["it's us", "Lee", "personal"]]);
}

#[test]
fn columns_and_terms_are_edited_too() {
    let place = place();
    let mass = format!("{ITEM} and column_name = 'net_mass_kg'");
    edit(&place, &format!("update meta.columns set description = 'Mass', unit = null where {mass}")).unwrap();
    let sql = format!("select description, unit, wco_alias is not null from meta.columns where {mass}");
    assert_eq!(place.ask(&sql), [["Mass", "", "true"]]);
    let snapshot = place.engine().current().unwrap();
    let tables = snapshot.tables();
    let (_, _, item) = tables.iter().find(|(s, t, _)| s == "customs" && t == "fact_item").unwrap();
    let field = item.field_with_name("net_mass_kg").unwrap();
    assert_eq!(field.metadata()["comment"], "Mass");
    assert!(!field.metadata().contains_key("unit"), "drivers are told the same");
    let count = || place.ask("select count(*) from meta.glossary")[0][0].parse::<usize>().unwrap();
    let before = count();
    edit(
        &place,
        "insert into meta.glossary values ('bonded area', '보세구역', 'таможенный склад', 'Where goods wait.')",
    )
    .unwrap();
    assert_eq!(count(), before + 1);
    edit(&place, "update meta.glossary set russian = 'зона' where term = 'bonded area'").unwrap();
    let term = "select term, korean, russian, meaning from meta.glossary where term = 'bonded area'";
    assert_eq!(place.ask(term), [["bonded area", "보세구역", "зона", "Where goods wait."]]);
    edit(&place, "delete from meta.glossary where term in ('bonded area', 'importer')").unwrap();
    assert_eq!(count(), before - 1);
    edit(&place, "delete from meta.edits where term = 'importer'").unwrap();
    assert_eq!(place.ask("select korean from meta.glossary where term = 'importer'"), [["수입자 (납세의무자)"]]);
}

#[test]
fn what_is_no_edit_is_refused_with_the_reason() {
    let place = place();
    let version = place.store.current_version().unwrap();
    for (sql, expected) in [
        (format!("update meta.datasets set row_count = 1 where {ITEM}"), "the warehouse itself knows it"),
        (format!("update meta.datasets set table_name = 'x' where {ITEM}"), "part of the key"),
        (format!("update meta.datasets set class = 'open' where {ITEM}"), "one of public, internal, personal, secret"),
        (format!("update meta.datasets set steward = ' ' where {ITEM}"), "1 to 2000 letters"),
        (format!("update meta.datasets set steward = null where {ITEM}"), "DELETE FROM meta.edits"),
        (format!("update meta.columns set classification = 'public' where {ITEM}"), "one of open, identifier"),
        (format!("update meta.columns set is_key = true where {ITEM}"), "the warehouse itself knows it"),
        (format!("delete from meta.datasets where {ITEM}"), "takes edits of it back"),
        ("insert into meta.codes values ('a', 'b', 'c')".to_owned(), "your role may not write it"),
        ("update meta.edits set value = 'x'".to_owned(), "edits are made by UPDATE"),
        ("insert into meta.glossary values ('', 'a', 'b', 'c')".to_owned(), "1 to 2000 letters"),
        ("insert into meta.glossary (term, korean) values ('a', 'b')".to_owned(), "expected a text"),
    ] {
        let found = refused(&place, &sql);
        assert!(found.contains(expected), "{sql}: {found}");
    }
    assert_eq!(place.store.current_version().unwrap(), version, "nothing was changed");
}

#[test]
fn a_role_edits_what_its_policy_lets_it() {
    let place = place();
    let engine = place.engine();
    let steward = format!("update meta.datasets set steward = 'Kim' where {ITEM}");
    let tables = [("customs", "fact_item")];
    let nobody = seen(&engine, &user(&tables, &[], Clearance::default()));
    let error = edit_as(&place, &nobody, &steward, "kim").unwrap_err();
    assert!(error.to_string().contains("changing meta.datasets is not allowed: your role may not write it"), "{error}");
    let access = user(&tables, &["meta.datasets"], Clearance::default());
    let kim = seen(&engine, &access);
    edit_as(&place, &kim, &steward, "kim").unwrap();
    assert_eq!(ask_of(&seen(&engine, &access), "select edited_by, value from meta.edits").unwrap(), [["kim", "Kim"]]);
    // What they do not see they do not edit, and the edits of it they do not see.
    let other = "update meta.datasets set steward = 'Kim' where table_name = 'dim_hs'";
    let kim = seen(&engine, &access);
    edit_as(&place, &kim, other, "kim").unwrap();
    assert_eq!(place.ask("select count(*) from meta.edits where table_name = 'dim_hs'"), [["0"]]);
    edit(&place, "update meta.columns set description = 'x' where table_name = 'dim_hs' and column_name = 'hs4'")
        .unwrap();
    assert_eq!(ask_of(&seen(&engine, &access), "select count(*) from meta.edits").unwrap(), [["1"]]);
    let columns = format!("update meta.columns set description = 'x' where {ITEM}");
    assert!(edit_as(&place, &seen(&engine, &access), &columns, "kim").is_err());
    // Who may write columns may still not say who sees them.
    let access = user(&tables, &["meta.columns"], Clearance::default());
    let lower = format!("update meta.columns set classification = 'open' where {ITEM} and column_name = 'importer_id'");
    let error = edit_as(&place, &seen(&engine, &access), &lower, "kim").unwrap_err();
    assert!(error.to_string().contains("only an admin sets it"), "{error}");
    edit(&place, &lower).unwrap();
    let back = "delete from meta.edits where property = 'classification'";
    let error = edit_as(&place, &seen(&engine, &access), back, "kim").unwrap_err();
    assert!(error.to_string().contains("only an admin sets it"), "{error}");
    let error = edit_as(&place, &seen(&engine, &access), "delete from meta.edits where property = 'steward'", "kim");
    assert!(error.unwrap_err().to_string().contains("taking edits of meta.datasets back is not allowed"));
}

#[test]
fn a_classification_holds_at_once_and_for_older_versions() {
    let place = place();
    let engine = place.engine();
    let tables = [("customs", "fact_item")];
    let clerk = user(&tables, &["customs.fact_item"], Clearance::default());
    let inspector = user(
        &tables,
        &["customs.fact_item"],
        Clearance { cleared: BTreeSet::from([Classification::Identifier]), ..Clearance::default() },
    );
    let sql = "select distinct office_id, net_mass_kg from fact_item";
    assert_eq!(ask_of(&seen(&engine, &clerk), sql).unwrap(), [["40", "12.5"]]);
    let before = place.store.current_version().unwrap();
    let raise = |column: &str, class: &str| {
        let sql =
            format!("update meta.columns set classification = '{class}' where {ITEM} and column_name = '{column}'");
        edit(&place, &sql).unwrap()
    };
    raise("office_id", "identifier");
    raise("net_mass_kg", "identifier");
    let masked = ask_of(&seen(&engine, &clerk), sql).unwrap();
    assert!(masked[0][0].len() == 32 && masked[0][1].is_empty(), "hashed, and null where it is no text: {masked:?}");
    assert_eq!(ask_of(&seen(&engine, &inspector), sql).unwrap(), [["40", "12.5"]]);
    // Of who saw it all, and does no longer, nothing is written any more.
    let write = "delete from fact_item where declaration_id = 'a'";
    assert!(runtime().block_on(seen(&engine, &clerk).update(write)).is_err());
    assert!(runtime().block_on(seen(&engine, &inspector).update(write)).is_ok());
    let old = engine.at(before).unwrap().unwrap();
    assert_eq!(ask_of(&old.seen_by(&clerk).unwrap(), sql).unwrap(), masked, "an older version shows no more");
    assert_eq!(ask_of(&old, sql).unwrap(), [["40", "12.5"]], "who sees everything sees everything");
    let said = format!("select classification, class from meta.columns where {ITEM} and column_name = 'office_id'");
    assert_eq!(ask_of(&seen(&engine, &clerk), &said).unwrap(), [["identifier", "personal"]]);
    raise("importer_id", "open");
    assert_eq!(ask_of(&seen(&engine, &clerk), "select distinct importer_id from fact_item").unwrap(), [["I1"]]);
    edit(&place, "delete from meta.edits where property = 'classification'").unwrap();
    assert_eq!(ask_of(&seen(&engine, &clerk), sql).unwrap(), [["40", "12.5"]]);
    // What a policy says of a column itself stays.
    let stated = BTreeSet::from([("customs".to_owned(), "fact_item".to_owned(), "office_id".to_owned())]);
    let stated = user(&tables, &[], Clearance { stated, ..Clearance::default() });
    raise("office_id", "raw_text");
    assert_eq!(ask_of(&seen(&engine, &stated), sql).unwrap(), [["40", "12.5"]]);
    assert_eq!(ask_of(&seen(&engine, &clerk), sql).unwrap(), [["", "12.5"]]);
}

#[test]
fn of_two_edits_at_a_time_one_is_made_again() {
    let place = place();
    let snapshot = place.engine().current().unwrap();
    let sql = |name: &str| format!("update meta.datasets set steward = '{name}' where {ITEM}");
    let (first, _) = prepared(&place, &snapshot, &sql("Kim"), "kim").unwrap();
    let (second, _) = prepared(&place, &snapshot, &sql("Lee"), "lee").unwrap();
    first.commit().unwrap();
    let error = second.commit().unwrap_err();
    assert!(matches!(&error, Error::Conflict { schema, .. } if schema == "meta"), "{error}");
    assert_eq!(place.ask(&format!("select steward from meta.datasets where {ITEM}")), [["Kim"]]);
}
