//! What SQL may ask, what it may not, and what it is told when it is wrong.

use std::num::NonZero;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use haetae_warehouse::query::{Engine, EngineOptions};
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
fn a_limit_takes_the_same_rows_each_time() {
    let place = place();
    for n in 0..40 {
        place.load("fact_item", &place.file("more.csv", items(&[item(&format!("c{n}"), &[])]))).unwrap();
    }
    // Partitions are read side by side: with one of them rows have one order. The first file has two rows, the others one.
    let options = EngineOptions { partitions: Some(NonZero::<usize>::MIN), ..EngineOptions::default() };
    for _ in 0..20 {
        // It reads the footers of the files anew.
        let engine = Engine::new(place.store.clone(), &options).unwrap();
        let found = ask(&engine, "select declaration_id from fact_item limit 3").unwrap();
        assert_eq!(found, [["a"], ["b"], ["c0"]]);
    }
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
            "there is no schema \"custom\"; the schemas are customs, kcs, meta, quality, risk, course, outside, work. Did you mean customs?",
        ),
        ("select importer from fact_item", "there is no column \"importer\". Did you mean importer_id?"),
        ("select f.price from fact_item f", "there is no column \"price\" in f. Did you mean item_price_krw?"),
        ("selct 1", "this is not valid SQL: Expected"),
        ("select 1; select 2", "one statement"),
        ("", "one statement"),
        ("select cont(*) from fact_item", "there is no function \"cont\". Did you mean cot or count or contains?"),
        ("select taxpayer_grad(1)", "there is no function \"taxpayer_grad\". Did you mean taxpayer_grade"),
        ("select timestamp '5000-01-01'", "the time 5000-01-01 00:00:00 is no TIMESTAMP"),
        ("select to_timestamp('5000-01-01')", "is no TIMESTAMP, which counts nanoseconds"),
        ("select date '5000-01-01' < timestamp '2024-01-01'", " is no TIMESTAMP"),
        ("select d < timestamp '2024-01-01' from (values (date '5000-01-01')) as t(d)", " is no TIMESTAMP"),
        (
            "select arrow_cast(d, 'Dictionary(Int32, Date32)')::timestamp from (values (date '5000-01-01')) as t(d)",
            " is no TIMESTAMP",
        ),
        // No day, but the same product as of one.
        (
            "select arrow_cast(200000, 'Decimal64(6, 0)') * arrow_cast(86400000000000, 'Decimal64(14, 0)')",
            "200000 * 86400000000000",
        ),
        // The same words where no time is meant.
        ("select cast(99999999999999999999999999999999 as decimal(38, 0)) * 86400000000000", "Overflow happened on: "),
        ("select cast(' * 86400000000000' as int)", "Cannot cast string ' * 86400000000000' to value of Int32 type"),
        ("select \" * 86400000000000\" from fact_item", "there is no column \" * 86400000000000\""),
        (
            "select cast('that can be represented as nanoseconds' as timestamp)",
            "Error parsing timestamp from 'that can be represented as nanoseconds'",
        ),
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

        let types = async |sql: &str| {
            let statement = snapshot.statement(sql).await.unwrap();
            statement.parameters().fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
        };
        let cast =
            "select cast(? as bigint), ?::date, try_cast(? as varchar), arrow_cast(?, 'Int8') where ?::int in (?)";
        let wanted =
            [DataType::Int64, DataType::Date32, DataType::Utf8, DataType::Null, DataType::Int32, DataType::Int32];
        assert_eq!(types(cast).await, wanted);
        // What a column asks for goes before casts, wherever it stands; between two of these nothing is chosen.
        let of_column =
            "select cast($1 as bigint) as a, cast($1 as date) as b from fact_item where origin_country = $1";
        assert_eq!(types(of_column).await, [DataType::Utf8]);
        let outside = "select 1 from (select *, cast($1 as bigint) as a from fact_item) where origin_country = $1";
        assert_eq!(types(outside).await, [DataType::Utf8]);
        assert_eq!(types("select cast($1 as bigint) as a, cast($1 as date) as b").await, [DataType::Null]);
        assert_eq!(types("select $1 as a, cast($1 as bigint) as b").await, [DataType::Int64]);

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

/// The definition, over every pair. Pairs of numbers that both equal the median are ordered by their places.
fn medcouple_by_definition(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let middle = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
    let low: Vec<f64> = sorted.iter().copied().filter(|x| *x <= middle).collect();
    let high: Vec<f64> = sorted.iter().copied().filter(|x| *x >= middle).collect();
    let ties = sorted.iter().filter(|x| **x == middle).count() as i64;
    let mut kernels = Vec::new();
    for (i, a) in high.iter().enumerate() {
        for (j, b) in low.iter().rev().enumerate() {
            let tied = (ties - 1 - i as i64 - j as i64).signum() as f64;
            kernels.push(if a == b { tied } else { (a + b - 2.0 * middle) / (a - b) });
        }
    }
    kernels.sort_by(f64::total_cmp);
    let n = kernels.len();
    (kernels[(n - 1) / 2] + kernels[n / 2]) / 2.0
}

#[test]
fn the_medcouple_is_what_its_definition_says() {
    use haetae_warehouse::query::medcouple;
    let (mut state, mut cases) = (7u64, vec![vec![1.0, 2.0, 9.0], vec![3.0; 9], vec![1.0, 1.0, 1.0, 5.0]]);
    for n in 3..90 {
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1u32 << 31)
        };
        cases.push((0..n).map(|_| (3.0 * draw()).exp()).collect());
        // With many that are alike.
        cases.push((0..n).map(|_| (6.0 * draw() * draw()).floor()).collect());
    }
    for case in cases {
        let (ours, expected) = (medcouple(&mut case.clone()).unwrap(), medcouple_by_definition(&case));
        assert!((ours - expected).abs() < 1e-12, "{ours}, not {expected}: {case:?}");
        let mirrored: Vec<f64> = case.iter().map(|x| -x).collect();
        assert!((medcouple(&mut mirrored.clone()).unwrap() + expected).abs() < 1e-12, "{case:?}");
    }
    assert_eq!(medcouple(&mut [1.0, 2.0]), None);
}

#[test]
fn the_medcouple_is_an_aggregate_in_sql() {
    let sql = "select g, medcouple(x) from (values ('a', 1), ('a', 2), ('a', 9), ('a', null), ('b', 1), ('b', 2), ('c', null)) \
               v(g, x) group by g order by g";
    // (9 + 1 - 4) / (9 - 1), (9 - 2) / (9 - 2), (1 - 2) / (2 - 1), and 0 for 2 and 2: the middle of -1, 0, 0.75, 1.
    assert_eq!(ask(&place().engine(), sql).unwrap(), [["a", "0.375"], ["b", ""], ["c", ""]]);
}

#[test]
fn a_table_of_many_files_is_planned_from_the_manifest() {
    let place = place();
    let root = place.store.root();
    let path = root.join("manifest-1.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let files = manifest["tables"]["customs"]["fact_item"]["files"].as_array_mut().unwrap();
    let one = files[0].clone();
    let bounds = serde_json::json!([
        {"column": "declaration_date", "nulls": 0, "between": [20_514, 20_514]},
        {"column": "office_id", "nulls": 0, "between": ["40", "40"]},
        {"column": "hs6", "nulls": 0, "between": ["010129", "010129"]},
    ]);
    assert_eq!(one["bounds"], bounds);
    files.clear();
    for n in 0..300 {
        let path = format!("data/customs/fact_item/{n:08}-777.parquet");
        // Of the right size, and nothing else is right: who opens it fails.
        std::fs::write(root.join(&path), vec![0; one["bytes"].as_u64().unwrap() as usize]).unwrap();
        let mut file = one.clone();
        file["path"] = path.into();
        files.push(file);
    }
    std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    let engine = place.engine();
    let sql = "select count(*), min(declaration_date), max(hs6) from fact_item";
    assert_eq!(ask(&engine, sql).unwrap(), [["600", "2026-03-02", "010129"]]);
    assert!(ask(&engine, "select sum(item_price_krw) from fact_item").is_err(), "rows are read from files");
}
