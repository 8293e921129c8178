//! What a restricted user can reach, and what is told of what cannot be reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use futures::TryStreamExt;
use haetae_warehouse::query::policy::{Access, Column, Mask, MaskKey, PolicyFault, Rights, SystemTable, TableAccess};
use haetae_warehouse::query::{Engine, Snapshot};
use haetae_warehouse::{Error, SqlFault};

use crate::files::{Place, item, items};

/// A table, what its rows must be, and its columns.
type Seen<'a> = (&'a str, Option<&'a str>, &'a [(&'a str, Column)]);

fn access(id: &str, tables: &[Seen<'_>]) -> Access {
    let tables = tables.iter().map(|(name, filter, columns)| {
        let columns = columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
        let table = TableAccess { filter: filter.map(str::to_owned), columns };
        (("customs".to_owned(), (*name).to_owned()), table)
    });
    let attributes = BTreeMap::from([("office".to_owned(), "40".to_owned())]);
    let rights = Rights::Limited { tables: tables.collect(), attributes, key: MaskKey::new([1; 32]) };
    Access {
        id: id.to_owned(),
        rights,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    }
}

fn place() -> Place {
    let place = Place::new();
    let lines = [
        item("1", &[]),
        item("2", &[("office_id", "30"), ("hs6", "999999")]),
        item("3", &[("importer_id", "Hidden Ltd")]),
    ];
    place.load("fact_item", &place.file("items.csv", items(&lines))).unwrap();
    place
}

fn seen(engine: &Engine, access: Access) -> Snapshot {
    engine.current().unwrap().seen_by(&Arc::new(access)).unwrap()
}

fn ask(snapshot: &Snapshot, sql: &str) -> Result<Vec<Vec<String>>, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let batches: Vec<_> = snapshot.statement(sql).await?.execute(None).await?.try_collect().await?;
        Ok(crate::differential::cells(&batches))
    })
}

#[test]
fn what_is_hidden_does_not_exist() {
    let place = place();
    let columns = [("importer_id", Column::Mask(Mask::Hash)), ("hs10", Column::Hide)];
    let snapshot = seen(&place.engine(), access("a", &[("fact_item", Some("office_id = $office"), &columns)]));
    assert_eq!(ask(&snapshot, "select declaration_id from fact_item").unwrap(), [["1"], ["3"]]);
    assert_eq!(snapshot.schemas(), ["customs", "meta"]);
    let tables = snapshot.tables();
    assert_eq!(tables.iter().filter(|(schema, _, _)| schema != "meta").count(), 1);
    assert!(tables[0].2.field_with_name("hs10").is_err());
    assert!(tables[0].2.field_with_name("importer_id").unwrap().is_nullable());

    let refused = |sql: &str| ask(&snapshot, sql).unwrap_err().to_string();
    let message = refused("select * from dim_importer");
    assert_eq!(message, "there is no table \"dim_importer\" in the schema customs. The tables are fact_item.");
    assert_eq!(refused("select * from kcs.fact_item"), "there is no schema \"kcs\"; the schemas are customs, meta.");
    assert!(refused("select hs10 from fact_item").starts_with("there is no column \"hs10\""));
    assert_eq!(refused("select hs1 from fact_item"), "there is no column \"hs1\". Did you mean hs6?");
    let listed = "select table_name, column_name from information_schema.columns where column_name like 'hs%'";
    assert_eq!(ask(&snapshot, listed).unwrap(), [["fact_item", "hs6"]]);
    assert_eq!(ask(&snapshot, "describe fact_item").unwrap().len(), 23);
}

#[test]
fn only_queries_of_tables_are_allowed() {
    let place = place();
    let engine = place.engine();
    let snapshot = seen(&engine, access("a", &[("fact_item", None, &[])]));
    for sql in [
        "insert into fact_item select * from fact_item",
        "create table t as select 1 as x",
        "copy fact_item to '/tmp/haetae-policy.csv'",
        "set datafusion.explain.show_statistics = true",
        "explain analyze insert into fact_item select * from fact_item",
        "drop table fact_item",
    ] {
        let error = ask(&snapshot, sql).unwrap_err();
        assert!(matches!(&error, Error::Sql { fault: SqlFault::ReadOnly, .. }), "{sql}: {error}");
    }
    // Table functions are no tables; the owner has them.
    let sql = "select * from generate_series(1, 3)";
    let error = ask(&snapshot, sql).unwrap_err().to_string();
    assert!(error.contains("generate_series"), "{error}");
    assert_eq!(ask(&engine.current().unwrap(), sql).unwrap().len(), 3);
    let all = Access {
        id: "b".to_owned(),
        rights: Rights::All,
        system: Vec::new(),
        work: None,
        writes: Default::default(),
        clearance: Default::default(),
    };
    assert_eq!(ask(&seen(&engine, all), sql).unwrap().len(), 3);
    // Nobody can hash guesses with the key of the policy.
    assert!(ask(&snapshot, "select mask_hash('Hidden Ltd')").is_err());
}

#[test]
fn a_policy_that_fails_on_hidden_rows_tells_nothing_of_them() {
    let place = place();
    let columns = [("hs6", Column::Mask(Mask::Sql("cast(1 / (cast(hs6 as bigint) - 999999) as varchar)".to_owned())))];
    let snapshot = seen(&place.engine(), access("a", &[("fact_item", None, &columns)]));
    let error = ask(&snapshot, "select hs6 from fact_item").unwrap_err().to_string();
    assert!(error.starts_with("reading customs.fact_item failed; what failed stays hidden"), "{error}");
    let failing = Some("cast(importer_id as bigint) > 0");
    let snapshot = seen(&place.engine(), access("b", &[("fact_item", failing, &[])]));
    let error = ask(&snapshot, "select count(*) from fact_item").unwrap_err().to_string();
    assert!(!error.contains("Hidden") && !error.contains("I1"), "{error}");
}

#[test]
fn what_is_wrong_with_a_policy_is_said_where_it_is() {
    let one = |filter: Option<&'static str>, columns: &[(&str, Column)]| access("x", &[("fact_item", filter, columns)]);
    let sql = |text: &str| Column::Mask(Mask::Sql(text.to_owned()));
    let cases: [(Access, Option<&str>, &str); 14] = [
        (one(Some("office = '40'"), &[]), None, "office"),
        (one(Some("net_mass_kg + 1"), &[]), None, "boolean"),
        (one(Some("office_id = $region"), &[]), None, "the user has no attribute for $region"),
        (one(Some("office_id in (select 'a')"), &[]), None, "no subquery"),
        (one(Some("count(*) > 1"), &[]), None, "no aggregates"),
        (one(Some("random() > 0.5"), &[]), None, "the same each time"),
        (one(Some("hs6 like '8!%' escape '!'"), &[]), None, "LIKE has no ESCAPE but \\"),
        (one(Some("hs6 similar to '8!.%' escape '!'"), &[]), None, "SIMILAR TO has no ESCAPE"),
        (
            one(None, &[("hs6", sql("case when hs6 ilike '8!_' escape '!' then hs6 end"))]),
            Some("hs6"),
            "leave ESCAPE out",
        ),
        (one(None, &[("hs7", Column::Hide)]), Some("hs7"), "there is no such column"),
        (one(None, &[("net_mass_kg", Column::Mask(Mask::Hash))]), Some("net_mass_kg"), "the mask hash is for Utf8"),
        (one(None, &[("hs6", Column::Mask(Mask::Year))]), Some("hs6"), "the mask year is for Date32"),
        (one(None, &[("hs6", sql("1"))]), Some("hs6"), "the mask gives Int64, but the column is Utf8; cast it"),
        (
            one(None, &[("item_no", Column::Mask(Mask::Constant("many".to_owned())))]),
            Some("item_no"),
            "the constant \"many\" is no Int32",
        ),
    ];
    for (access, column, part) in cases {
        let faults = access.check();
        let [PolicyFault { schema, table, column: found, reason }] = faults.as_slice() else {
            panic!("{part}: {faults:?}")
        };
        assert_eq!((schema.as_str(), table.as_str(), found.as_deref()), ("customs", "fact_item", column), "{reason}");
        assert!(reason.to_lowercase().contains(part) || reason.contains(part), "{part}: {reason}");
    }
    assert_eq!(access("x", &[("fact_items", None, &[])]).check()[0].reason, "there is no such table");
}

#[test]
fn an_attribute_in_a_pattern_means_its_own_letters() {
    let place = place();
    let engine = place.engine();
    let with = |id: &str, attribute: &str, filter: &str| {
        let mut access = access(id, &[("fact_item", Some(filter), &[])]);
        if let Rights::Limited { attributes, .. } = &mut access.rights {
            attributes.insert("office".to_owned(), attribute.to_owned());
        }
        access
    };
    // Whether the filter holds, which is the same for all rows.
    let cases = [
        ("%", r"'CORPx' like 'CORP' || $office", false),
        ("%", r"'CORP%' like 'CORP' || $office", true),
        ("%", r"'CORP\x' like 'CORP\\' || $office", false),
        ("%", r"'CORP\%' like 'CORP\\' || $office", true),
        ("%", r"'CORP\%' like ('CORP\' || '\') || ('' || $office)", true),
        ("%", r"'ab' like $office || $office", false),
        ("%", r"'%%' like $office || '' || $office", true),
        (r"\", r"'\x' like $office || $office", false),
        (r"\", r"'\\' like $office || $office", true),
        (r"\%", r"'\%\%' like $office || $office", true),
        (r"a\b", r"'a\b' not like $office", false),
        (r"a\b", r"'a\b' not like $office escape '\'", false),
        ("%", r"'Ax' ilike 'a' || $office", false),
        ("%", r"hs6 || 'x%' like hs6 || 'x' || $office", true),
    ];
    for (number, (attribute, filter, holds)) in cases.into_iter().enumerate() {
        let access = with(&number.to_string(), attribute, filter);
        let faults = access.check();
        assert!(faults.is_empty(), "{filter}: {faults:?}");
        let rows = if holds { "3" } else { "0" };
        assert_eq!(ask(&seen(&engine, access), "select count(*) from fact_item").unwrap(), [[rows]], "{filter}");
    }
    let refused = [
        (r"importer_id like 'CORP\' || $office", "must not end in a \\"),
        (r"importer_id not like 'CORP\\\' || ($office || '%')", "must not end in a \\"),
        (r"importer_id like 'CORP\' || ('\\' || $office)", "must not end in a \\"),
        (r"importer_id ilike $office || '\' || $office", "must not end in a \\"),
        ("importer_id like hs6 || $office", "starts_with(column, other || $name)"),
        ("importer_id like hs6 || '' || $office", "starts_with(column, other || $name)"),
        (r"importer_id like hs6 || '\\' || $office", "starts_with(column, other || $name)"),
        ("importer_id like lower(hs6) || $office", "starts_with(column, other || $name)"),
        ("importer_id like null || $office", "starts_with(column, other || $name)"),
        ("importer_id not like $office escape '!'", "leave ESCAPE out"),
        ("importer_id like '!%' || $office escape '!'", "leave ESCAPE out"),
    ];
    for (filter, part) in refused {
        let faults = with("x", "%", filter).check();
        assert!(matches!(faults.as_slice(), [fault] if fault.reason.contains(part)), "{filter}: {faults:?}");
    }
}

#[test]
fn a_statement_says_what_it_reads() {
    let place = place();
    let engine = place.engine();
    let snapshot = seen(&engine, access("a", &[("fact_item", Some("office_id = '40'"), &[])]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reads = |snapshot: &Snapshot, sql: &str| {
        let rows = runtime.block_on(async { snapshot.statement(sql).await.unwrap().execute(None).await.unwrap() });
        format!("{:?}", rows.reads())
    };
    let sql = "select hs6 from fact_item where declaration_id = '1' and net_mass_kg + 1 > 2";
    let expected = r#"{"customs.fact_item": {"declaration_id", "hs6", "net_mass_kg"}}"#;
    assert_eq!(reads(&snapshot, sql), expected);
    assert_eq!(reads(&engine.current().unwrap(), sql), expected);
    assert_eq!(reads(&snapshot, "select 1"), "{}");
    // The name and the columns of a recursive part are the user's words, and no table.
    let recursive = "with recursive \"customs.secret\" as (select 1 as words union all \
                     select words + 1 from \"customs.secret\" where words < 3) select max(words) from \"customs.secret\"";
    assert_eq!(reads(&snapshot, recursive), "{}");
}

#[test]
fn the_servers_own_tables_are_seen_by_those_who_may() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![3, 5]));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let columns = batch.schema();
    let table = SystemTable { name: "numbers".to_owned(), columns, rows: Arc::new(move || Ok(vec![batch.clone()])) };
    let place = place();
    let mut access = access("a", &[]);
    let without = seen(&place.engine(), access.clone());
    assert!(ask(&without, "select * from system.numbers").is_err());
    access.system.push(table);
    let with = seen(&place.engine(), Access { id: "b".to_owned(), ..access });
    assert_eq!(ask(&with, "select sum(n) from system.numbers where n > 3").unwrap(), [["5"]]);
    assert_eq!(with.schemas(), ["meta", "system"]);
}

#[test]
fn a_recursive_query_reads_a_table_more_than_once() {
    let place = place();
    let snapshot = seen(&place.engine(), access("a", &[("fact_item", Some("office_id = '40'"), &[])]));
    let sql = "with recursive r(n) as (select 1 union all select r.n + 1 from r join fact_item on r.n < 4 and \
               declaration_id = '1') select count(*), max(n) from r";
    assert_eq!(ask(&snapshot, sql).unwrap(), [["4", "4"]]);
}

#[test]
fn a_bound_value_is_no_way_around() {
    let place = place();
    let engine = place.engine();
    let restricted = seen(&engine, access("a", &[("fact_item", Some("office_id = '40'"), &[])]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![999_999, 999_999]));
    let id: ArrayRef = Arc::new(StringArray::from(vec!["9", "1"]));
    let values = RecordBatch::try_from_iter([("a", number), ("b", id)]).unwrap();
    let sql = "select declaration_id from fact_item where 1 / (cast(hs6 as bigint) - ?) < 2 and declaration_id <> ?";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let run = |snapshot: &Snapshot| {
        runtime.block_on(async {
            let statement = snapshot.statement(sql).await.unwrap();
            let batches: Vec<_> = statement.execute(Some(&values)).await?.try_collect().await?;
            Ok::<_, Error>(crate::differential::cells(&batches))
        })
    };
    // The second office's line has this number: who sees it divides by zero, the others do not notice.
    assert!(run(&engine.current().unwrap()).unwrap_err().to_string().contains("Divide by zero"));
    assert_eq!(run(&restricted).unwrap(), [["1"], ["3"], ["3"]]);
}
