//! What the warehouse says of its own tables, and to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt;
use haetae_warehouse::query::Snapshot;
use haetae_warehouse::query::policy::{Access, Column, MaskKey, Rights, TableAccess};

use crate::files::{Place, item, items};

fn place() -> Place {
    let place = Place::new();
    place.load("fact_item", &place.file("items.csv", items(&[item("a", &[]), item("b", &[])]))).unwrap();
    place.load("dim_courier", &place.file("couriers.csv", "courier_id,name\nC1,Fast\n")).unwrap();
    place
}

/// The cells of an answer as text; null is an empty text.
fn ask(snapshot: &Snapshot, sql: &str) -> Vec<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let statement = snapshot.statement(sql).await.unwrap();
        let batches: Vec<_> = statement.execute(None).await.unwrap().try_collect().await.unwrap();
        let cells = crate::differential::cells(&batches).into_iter();
        cells
            .map(|row| row.into_iter().map(|cell| if cell == "null" { String::new() } else { cell }).collect())
            .collect()
    })
}

/// A user who sees the items of office 40 without `hs10`, and nothing else.
fn limited(place: &Place) -> Snapshot {
    let columns = BTreeMap::from([("hs10".to_owned(), Column::Hide)]);
    let item = TableAccess { filter: Some("office_id = '40'".to_owned()), columns };
    let rights = Rights::Limited {
        tables: BTreeMap::from([(("customs".to_owned(), "fact_item".to_owned()), item)]),
        attributes: BTreeMap::new(),
        key: MaskKey::new([0; 32]),
    };
    let access = Arc::new(Access {
        id: "kim".to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    });
    place.engine().current().unwrap().seen_by(&access).unwrap()
}

#[test]
fn nothing_is_served_without_an_entry() {
    let place = place();
    let snapshot = place.engine().current().unwrap();
    let served: BTreeSet<Vec<String>> = snapshot
        .tables()
        .into_iter()
        .flat_map(|(schema, table, columns)| {
            let names: Vec<String> = columns.fields().iter().map(|field| field.name().clone()).collect();
            names.into_iter().map(move |column| vec![schema.clone(), table.clone(), column])
        })
        .collect();
    // SQL's own list, which does not come from the catalogue file.
    let sql = "select table_schema, table_name, column_name from information_schema.columns \
               where table_schema <> 'information_schema'";
    assert_eq!(ask(&snapshot, sql).into_iter().collect::<BTreeSet<_>>(), served);
    let columns = ask(&snapshot, "select schema_name, table_name, column_name from meta.columns");
    assert_eq!(columns.into_iter().collect::<BTreeSet<_>>(), served);
    let tables: BTreeSet<Vec<String>> = served.iter().map(|place| place[..2].to_vec()).collect();
    let listed = ask(&snapshot, "select schema_name, table_name from meta.datasets");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), tables);
    let blank = "select table_name from meta.datasets where '' in (trim(title), trim(description), trim(owner), \
                 trim(steward), trim(updated)) or class not in ('public', 'internal', 'personal', 'secret')";
    assert!(ask(&snapshot, blank).is_empty());
    assert!(ask(&snapshot, "select column_name from meta.columns where trim(description) = ''").is_empty());
}

#[test]
fn columns_say_what_the_schema_says_of_them() {
    let snapshot = place().engine().current().unwrap();
    let sql = "select column_name, data_type, unit, classification, class, code_list, is_key, refers_to, wco_alias \
               from meta.columns where schema_name = 'customs' and table_name in ('fact_item', 'dim_courier', 'dim_hs') \
               and column_name in ('declaration_id', 'importer_id', 'net_mass_kg', 'transport_mode', 'name', 'hs4') order by 1";
    let expected = [
        ["declaration_id", "Utf8", "", "open", "internal", "", "true", "", "Declaration/ID"],
        ["hs4", "Utf8", "", "open", "public", "", "false", "", ""],
        ["importer_id", "Utf8", "", "identifier", "personal", "", "false", "dim_importer.importer_id", "Importer/ID"],
        ["name", "Utf8", "", "name", "personal", "", "false", "", "Carrier/Name"],
        ["net_mass_kg", "Float64", "kg", "open", "internal", "", "false", "", "GoodsMeasure/NetNetWeightMeasure"],
        [
            "transport_mode",
            "Utf8",
            "",
            "open",
            "internal",
            "transport_mode",
            "false",
            "",
            "BorderTransportMeans/ModeCode",
        ],
    ];
    assert_eq!(ask(&snapshot, sql), expected);
    let sql = "select schema_name, table_name, classification, class from meta.columns where column_name in ('raw_text', 'fraud') \
               and schema_name = 'customs' order by 2";
    let expected = [
        ["customs", "fact_audit_line", "criminal_history", "secret"],
        ["customs", "fact_inspection", "criminal_history", "secret"],
        ["customs", "rejects", "raw_text", "secret"],
    ];
    assert_eq!(ask(&snapshot, sql), expected);
    let codes = "select c.description from meta.codes c join meta.columns m on m.code_list = c.code_list \
                 where m.column_name = 'transport_mode' and m.schema_name = 'customs' and m.table_name = 'fact_item' \
                 and c.code = '40'";
    assert_eq!(ask(&snapshot, codes), [["Air"]]);
}

#[test]
fn freshness_and_versions_come_from_the_store() {
    let place = place();
    let snapshot = place.engine().current().unwrap();
    let sql = "select table_name, class, key_columns, row_count, changed_version, changed_at is not null from meta.datasets \
               where schema_name = 'customs' and table_name in ('fact_item', 'dim_courier', 'dim_hs') order by 1";
    let expected = [
        ["dim_courier", "personal", "courier_id", "1", "2", "true"],
        ["dim_hs", "public", "hs6", "0", "", "false"],
        ["fact_item", "personal", "declaration_id, item_no", "2", "1", "true"],
    ];
    assert_eq!(ask(&snapshot, sql), expected);
    let versions = ask(
        &snapshot,
        "select version, operation_id, kind, table_name, accepted, rejected, removed from meta.versions",
    );
    assert_eq!(
        versions,
        [["1", "1", "append", "fact_item", "2", "0", "0"], ["2", "2", "append", "dim_courier", "1", "0", "0"]]
    );
    let times = place.store.versions().unwrap();
    let expected: Vec<Vec<String>> =
        times.iter().map(|v| vec![haetae_warehouse::store::time_text(v.commit.time_ms)]).collect();
    assert_eq!(ask(&snapshot, "select committed_at from meta.versions order by version"), expected);
}

#[test]
fn the_glossary_has_three_languages() {
    let snapshot = place().engine().current().unwrap();
    let fraud = ask(&snapshot, "select korean, russian from meta.glossary where term = 'importer'");
    assert_eq!(fraud, [["수입자 (납세의무자)", "импортёр"]]);
    let page = include_str!("../../../../docs/glossary.md");
    let rows = page.lines().filter(|line| line.starts_with("| ")).count() - 1;
    assert_eq!(
        ask(&snapshot, "select count(*), count(distinct term) from meta.glossary"),
        [[rows.to_string(), rows.to_string()]]
    );
}

#[test]
fn nobody_is_told_of_what_they_may_not_see() {
    let place = place();
    let kim = limited(&place);
    let tables = ask(&kim, "select schema_name, table_name, row_count from meta.datasets where schema_name <> 'meta'");
    assert_eq!(tables, [["customs", "fact_item", ""]], "the number of rows would tell of hidden ones");
    assert!(ask(&kim, "select * from meta.columns where column_name = 'hs10'").is_empty());
    let columns = ask(&kim, "select count(*) from meta.columns where schema_name = 'customs'");
    assert_eq!(columns, [["23"]]);
    assert!(ask(&kim, "select * from meta.columns where refers_to is not null and schema_name = 'customs'").is_empty());
    let versions = ask(&kim, "select table_name, accepted, rejected, removed from meta.versions");
    assert_eq!(versions, [["fact_item", "", "", ""]]);
    assert!(kim.tables().iter().all(|(schema, table, _)| schema == "meta" || table == "fact_item"));
}
