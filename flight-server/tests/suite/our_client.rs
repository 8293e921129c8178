//! The project's own client against the real server.

use arrow::array::AsArray;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use haetae_client::{AsyncClient, Client, ConnectOptions, Error, Param, Target};
use haetae_flight_server::SECRET_FILE;
use std::sync::Arc;

use crate::harness::{Place, Running, TO_COME_BACK_TO, cells};
use crate::program::serve;

fn options(server: &Running) -> ConnectOptions {
    ConnectOptions::new(&format!("http://{}", server.address)).secret_file(server.place.root().join(SECRET_FILE))
}

#[tokio::test]
async fn it_logs_in_queries_and_binds() {
    let server = Running::start().await;
    let client = AsyncClient::connect(&options(&server)).await.unwrap();
    let all = client.query("select * from dim_courier order by courier_id").await.unwrap();
    assert_eq!(cells(&all.batches), [["C1", "Fast"], ["C2", ""], ["C3", "느린 택배"]]);
    assert_eq!(*all.schema, *haetae_schema::table("dim_courier").unwrap().arrow_schema());

    let sql = "select courier_id from dim_courier where name = ? or courier_id = ?";
    let one = client.query_with(sql, &["Fast".into(), Param::Null]).await.unwrap();
    assert_eq!(cells(&one.batches), [["C1"]]);
    let sql = "select count(*) from fact_item where declaration_date >= ? and item_price_krw > ? and item_no = ?";
    let none = client.query_with(sql, &["2026-01-01".into(), 1.5.into(), 1.into()]).await.unwrap();
    assert_eq!(cells(&none.batches), [["0"]]);
    let day = client.query_with("select ? as day", &[Param::Date(1)]).await.unwrap();
    assert_eq!(day.batches[0].column(0).as_primitive::<arrow::datatypes::Date32Type>().value(0), 1);
    assert_eq!(client.query_with("select 1", &[]).await.unwrap().rows(), 1);
    let empty = client.query("select * from kcs.fact_item").await.unwrap();
    assert_eq!((empty.rows(), empty.schema.fields().len()), (0, 24));
}

#[tokio::test]
async fn it_writes_rows_that_become_visible_together() {
    let server = Running::start().await;
    let client = AsyncClient::connect(&options(&server)).await.unwrap();
    let rows = |ids: &[&str], scores: &[f64]| {
        let ids: ArrayRef = Arc::new(StringArray::from(ids.to_vec()));
        let scores: ArrayRef = Arc::new(Float64Array::from(scores.to_vec()));
        RecordBatch::try_from_iter([("id", ids), ("score", scores)]).unwrap()
    };
    let (a, b) = (rows(&["A", "B"], &[0.5, 0.25]), rows(&["C"], &[0.75]));
    let append = Target::append("work.scores");
    assert_eq!(client.write(&append, &a.schema(), &[a.clone(), b.clone()]).await.unwrap(), 3);
    assert_eq!(client.write(&append, &b.schema(), std::slice::from_ref(&b)).await.unwrap(), 1);
    let all = client.query("select id, score from work.scores order by id, score").await.unwrap();
    assert_eq!(cells(&all.batches), [["A", "0.5"], ["B", "0.25"], ["C", "0.75"], ["C", "0.75"]]);
    let replace = Target::replace("work.scores");
    assert_eq!(client.write(&replace, &b.schema(), std::slice::from_ref(&b)).await.unwrap(), 1);
    let all = client.query("select count(*) from work.scores").await.unwrap();
    assert_eq!(cells(&all.batches), [["1"]]);
    // A column that the table does not have, and a schema that is nobody's.
    let other = RecordBatch::try_from_iter([("other", a.column(0).clone())]).unwrap();
    let refused = client.write(&append, &other.schema(), std::slice::from_ref(&other)).await.unwrap_err();
    assert!(matches!(refused, Error::Server { .. }), "{refused}");
    let nowhere = client.write(&Target::append("nowhere.t"), &b.schema(), std::slice::from_ref(&b)).await.unwrap_err();
    assert!(matches!(nowhere, Error::Server { .. }), "{nowhere}");
}

#[tokio::test]
async fn it_lists_the_tables() {
    let server = Running::start().await;
    let client = AsyncClient::connect(&options(&server)).await.unwrap();
    let tables = client.tables().await.unwrap();
    let own = haetae_schema::meta_tables().len()
        + haetae_schema::quality_tables().len()
        + haetae_schema::risk_tables().len()
        + haetae_schema::course_tables().len();
    // `system.queries` is the server's own.
    assert_eq!(tables.len(), 2 * (haetae_schema::tables().len() + 1) + own + 1);
    let named = |schema: &str, name: &str| {
        tables.iter().any(|t| (t.catalog.as_str(), t.schema.as_str(), t.name.as_str()) == ("haetae", schema, name))
    };
    assert!(named("customs", "fact_item") && named("kcs", "rejects"), "{tables:?}");
}

#[tokio::test]
async fn it_passes_on_what_the_server_says() {
    let server = Running::start().await;
    let client = AsyncClient::connect(&options(&server)).await.unwrap();
    let message = client.query("select * from dim_couriers").await.unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no table \"dim_couriers\" in the schema customs. Did you mean dim_courier or dim_country?"
    );
    let refused = AsyncClient::connect(&options(&server).password("wrong")).await.unwrap_err();
    assert!(matches!(refused, Error::Login { .. }), "{refused}");
    assert!(refused.to_string().contains("wrong user name or password"), "{refused}");
    let guest = AsyncClient::connect(&ConnectOptions::new(options(&server).url())).await.unwrap();
    assert!(matches!(guest.query("select 1").await, Err(Error::NotLoggedIn { .. })));
}

#[test]
fn a_killed_server_is_named_and_a_new_one_is_found() {
    let place = Place::new();
    let (mut child, address) = serve(&place, TO_COME_BACK_TO);
    let options = ConnectOptions::new(&format!("http://{address}")).secret_file(place.root().join(SECRET_FILE));
    let client = Client::connect(&options).unwrap();
    assert_eq!(cells(&client.query("select count(*) from dim_courier").unwrap().batches), [["3"]]);
    child.kill().unwrap();
    child.wait().unwrap();
    let message = client.query("select 1").unwrap_err().to_string();
    assert!(message.contains(&address.to_string()) && message.contains("make lab"), "{message}");

    // A new server on the same port: the client logs in again by itself.
    let (mut child, _) = serve(&place, &address.to_string());
    assert_eq!(cells(&client.query("select count(*) from dim_courier").unwrap().batches), [["3"]]);
    child.kill().unwrap();
    child.wait().unwrap();
}
