//! What SQL may ask, what it may not, and what it is told when it is wrong.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use haetae_warehouse::{Error, SqlFault};

use crate::files::{Place, ask, item, items};

fn place() -> Place {
    let place = Place::new();
    let lines = [item("a", &[]), item("b", &[("origin_country", "DE"), ("item_price_krw", "100")])];
    place.load("fact_item", &place.file("items.csv", items(&lines))).unwrap();
    place
}

#[test]
fn a_running_engine_sees_the_next_load() {
    let place = place();
    let engine = place.engine();
    let count = || ask(&engine, "select count(*) from fact_item").unwrap();
    assert_eq!(count(), [["2"]]);
    let before = engine.current().unwrap();
    place.load("fact_item", &place.file("more.csv", items(&[item("c", &[])]))).unwrap();
    assert_eq!(count(), [["3"]]);
    assert_eq!((before.version(), engine.current().unwrap().version()), (1, 2));
    assert_eq!(engine.at(1).unwrap().unwrap().version(), 1);
    assert!(engine.at(7).unwrap().is_none());
}

#[test]
fn nothing_can_be_changed_or_read_from_elsewhere() {
    let place = place();
    let secret = place.file("secret.csv", "a,b\n1,2\n");
    let secret = secret.to_str().unwrap();
    let changes = [
        "insert into fact_item select * from fact_item",
        "update fact_item set item_price_krw = 0",
        "delete from fact_item",
        "create table t as select 1 as x",
        "create view v as select 1 as x",
        "drop table fact_item",
        "truncate table fact_item",
        "create schema s",
        "set datafusion.execution.batch_size = 1",
        "prepare p as select 1",
        &format!("copy fact_item to '{secret}'"),
        &format!("explain analyze copy fact_item to '{secret}.parquet'"),
        &format!("create external table t stored as csv location '{secret}'"),
    ];
    for sql in changes {
        let error = ask(&place.engine(), sql).unwrap_err();
        let refused = matches!(&error, Error::Sql { fault: SqlFault::ReadOnly, .. });
        assert!(refused, "{sql}: {error}");
        assert!(error.to_string().contains("the warehouse is read-only for SQL"), "{sql}: {error}");
    }
    for sql in [
        &format!("select * from '{secret}'"),
        &format!("select * from \"file://{secret}\""),
        &format!("select * from read_csv('{secret}')"),
    ] {
        let message = place.refused(sql);
        assert!(!message.contains("read-only") && !message.contains("1,2"), "{message}");
    }
    assert_eq!(std::fs::read(secret).unwrap(), b"a,b\n1,2\n");
    assert_eq!(place.ask("select count(*) from fact_item"), [["2"]]);
}

#[test]
fn slips_are_answered_with_what_exists() {
    let place = place();
    let cases = [
        ("select * from fact_itm", "there is no table \"fact_itm\" in the schema customs. Did you mean fact_item?"),
        ("select * from kcs.items", "there is no table \"items\" in the schema kcs. The tables are fact_item, "),
        (
            "select * from custom.fact_item",
            "there is no schema \"custom\"; the schemas are customs, kcs, meta, quality, risk, course, work. Did you mean customs?",
        ),
        ("select importer from fact_item", "there is no column \"importer\". Did you mean importer_id?"),
        ("select f.price from fact_item f", "there is no column \"price\" in f. Did you mean item_price_krw?"),
        ("selct 1", "this is not valid SQL: Expected"),
        ("select 1; select 2", "one statement"),
        ("", "one statement"),
        ("select no_such_function(1)", "Invalid function 'no_such_function'"),
        (
            "select * from fact_item where declaration_date = 'soon'",
            "Cannot cast string 'soon' to value of Date32 type",
        ),
        ("begin", "the statement BEGIN is not supported; the warehouse answers queries"),
        ("select 1 / 0", "Divide by zero"),
    ];
    for (sql, part) in cases {
        let message = place.refused(sql);
        assert!(message.contains(part), "{sql}: {message}");
        assert!(!message.contains("DataFusion") && !message.contains("planning:"), "{sql}: {message}");
    }
}

#[test]
fn parameters_are_bound_by_position_and_row() {
    let place = place();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let snapshot = place.engine().current().unwrap();
        let sql = "select declaration_id from fact_item where origin_country = ? and item_price_krw >= ?";
        let statement = snapshot.statement(sql).await.unwrap();
        let types: Vec<_> =
            statement.parameters().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
        assert_eq!(types, [("$1".to_owned(), DataType::Utf8), ("$2".to_owned(), DataType::Float64)]);

        let country: ArrayRef = Arc::new(StringArray::from(vec!["DE", "CN", "XX"]));
        let price: ArrayRef = Arc::new(Int64Array::from(vec![100, 1, 1]));
        let values = RecordBatch::try_from_iter([("a", country), ("b", price)]).unwrap();
        let schema = statement.schema(Some(&values)).await.unwrap();
        let batches: Vec<_> = statement.execute(Some(&values)).await.unwrap().try_collect().await.unwrap();
        let ids: Vec<String> = batches
            .iter()
            .flat_map(|b| {
                assert_eq!(b.schema(), schema);
                let ids = b.column(0).as_any().downcast_ref::<StringArray>().unwrap();
                ids.iter().map(|id| id.unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(ids, ["b", "a"]);

        let message = statement.schema(None).await.unwrap_err().to_string();
        assert_eq!(message, "the statement has 2 parameters, but 0 values are bound");
        let message = statement.schema(Some(&values.slice(0, 0))).await.unwrap_err().to_string();
        assert_eq!(message, "no row of parameter values is bound");
        let named = snapshot.statement("select $name").await.unwrap_err().to_string();
        assert_eq!(named, "the parameter $name has a name; write ? or $1, $2 and so on");
        let gap = snapshot.statement("select $1, $3").await.unwrap_err().to_string();
        assert!(gap.starts_with("the parameters must be numbered from $1 without gaps"), "{gap}");
    });
}

#[test]
fn results_have_no_views_and_no_dictionaries() {
    let place = place();
    let sql = "select declaration_id, arrow_cast('x', 'Utf8View') as v, arrow_cast('y', 'Dictionary(Int32, Utf8)') as d, \
         array_agg(arrow_cast('z', 'Utf8View')) as l, named_struct('s', arrow_cast('w', 'Utf8View')) as n \
         from fact_item group by declaration_id limit 1";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let statement = place.engine().current().unwrap().statement(sql).await.unwrap();
        let schema = statement.schema(None).await.unwrap();
        let text = schema.fields().iter().map(|f| f.data_type().to_string()).collect::<Vec<_>>().join("; ");
        assert!(!text.contains("View") && !text.contains("Dictionary"), "{text}");
        let batches: Vec<_> = statement.execute(None).await.unwrap().try_collect().await.unwrap();
        assert_eq!(batches[0].schema(), schema);
        assert_eq!(batches[0].num_rows(), 1);
    });
}
