//! Prepared statements: parameters, handles, what does not fit.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use tonic::Code;

use crate::harness::{Running, cells, fetch, status};

fn values<const N: usize>(columns: [ArrayRef; N]) -> RecordBatch {
    RecordBatch::try_from_iter(columns.into_iter().enumerate().map(|(n, column)| (format!("p{n}"), column))).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

#[tokio::test]
async fn a_prepared_statement_runs_with_what_is_bound() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select courier_id, name from dim_courier where courier_id = ?";
    let mut prepared = client.prepare(sql.to_owned(), None).await.unwrap();
    assert_eq!(prepared.parameter_schema().unwrap().field(0).data_type(), &DataType::Utf8);
    assert_eq!(prepared.dataset_schema().unwrap().field(1).name(), "name");
    for (id, name) in [("C1", "Fast"), ("C3", "느린 택배")] {
        prepared.set_parameters(values([texts(&[id])])).unwrap();
        let info = prepared.execute().await.unwrap();
        assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [[id, name]]);
    }
    // One row of values after another.
    prepared.set_parameters(values([texts(&["C3", "none", "C1"])])).unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["C3", "느린 택배"], ["C1", "Fast"]]);
    prepared.close().await.unwrap();
}

#[tokio::test]
async fn a_prepared_statement_sees_the_newest_version() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut prepared = client.prepare("select count(*) from dim_courier".to_owned(), None).await.unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["3"]]);
    server.place.load("more.csv", "courier_id,name\nC9,Late\n");
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["4"]]);
}

#[tokio::test]
async fn a_text_in_a_value_is_no_sql() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut prepared = client.prepare("select ? as given".to_owned(), None).await.unwrap();
    let evil = "'; drop table dim_courier; --";
    prepared.set_parameters(values([texts(&[evil])])).unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [[evil]]);
}

#[tokio::test]
async fn values_that_do_not_fit_are_refused() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut prepared = client.prepare("select ? + 1".to_owned(), None).await.unwrap();
    let missing = status(prepared.execute()).await;
    assert_eq!(
        (missing.code(), missing.message()),
        (Code::InvalidArgument, "the statement has 1 parameters, but 0 values are bound")
    );
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    prepared.set_parameters(values([number.clone(), number.clone()])).unwrap();
    assert!(status(prepared.execute()).await.message().contains("has 1 parameters, but 2 values are bound"));
    prepared.set_parameters(values([texts(&["many"])])).unwrap();
    assert_eq!(status(prepared.execute()).await.code(), Code::InvalidArgument);
    let large = "x".repeat(3 << 20);
    prepared.set_parameters(values([texts(&[&large])])).unwrap();
    let refused = status(prepared.execute()).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("bind fewer rows at a time"), "{refused}");
    prepared.set_parameters(values([number])).unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["2"]]);

    let changes = client.prepare("drop table dim_courier".to_owned(), None).await.unwrap_err().to_string();
    assert!(changes.contains("read-only"), "{changes}");
}
