//! What happens when clients go away, and when the server is told to.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tonic::Code;

use crate::harness::{Raw, Running, ask, connect, status};

/// More rows than anybody waits for.
const ENDLESS: &str = "select b.value from generate_series(1, 1000) a, generate_series(1, 1000000000000) b";
/// A query that never comes to its first row.
const SILENT: &str = "select count(*) from generate_series(1, 1000) a, generate_series(1, 1000000000000) b where (a.value + b.value) % 7 = 3";

async fn begin(client: &mut Raw, sql: &str) -> arrow_flight::decode::FlightRecordBatchStream {
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_query() {
    let server = Running::start().await;
    for sql in [ENDLESS, SILENT] {
        let mut client = server.client().await;
        let mut results = server.results.clone();
        let mut rows = begin(&mut client, sql).await;
        if sql == ENDLESS {
            assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
        }
        results.wait_for(|running| *running == 1).await.unwrap();
        drop(rows);
        // The stream of the engine is dropped with it, and the engine's tasks with that.
        tokio::time::timeout(Duration::from_secs(60), results.wait_for(|running| *running == 0))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_under_way_is_finished_first() {
    let mut server = Running::start().await;
    let mut client = server.client().await;
    let mut rows = begin(&mut client, "select value, repeat('x', 200) from generate_series(1, 200000)").await;
    let first = rows.next().await.unwrap().unwrap().num_rows();
    server.end();
    let rest: Vec<_> = rows.try_collect().await.unwrap();
    assert_eq!(first + rest.iter().map(|batch| batch.num_rows()).sum::<usize>(), 200_000);
    drop(client);
    server.ended().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_without_end_is_cut_with_a_reason() {
    let mut server = Running::start_with(Duration::ZERO).await;
    let mut client = server.client().await;
    let mut rows = begin(&mut client, ENDLESS).await;
    rows.next().await.unwrap().unwrap();
    server.end();
    let cut = status(async { rows.try_for_each(|_| async { Ok(()) }).await }).await;
    assert_eq!(
        (cut.code(), cut.message()),
        (Code::Unavailable, "the server is shutting down; run the query again later")
    );
    let address = server.address;
    drop(client);
    server.ended().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_does_not_hold_the_server() {
    let mut server = Running::start_with(Duration::ZERO).await;
    let mut client = server.client().await;
    let rows = begin(&mut client, ENDLESS).await;
    server.end();
    server.ended().await.unwrap();
    drop((rows, client));
}

#[tokio::test]
async fn many_clients_are_answered_at_once() {
    let server = Running::start().await;
    let token = server.client().await.token().unwrap().clone();
    let calls = (0..50).map(|n| {
        let (address, token) = (server.address, token.clone());
        tokio::spawn(async move {
            let mut client = connect(address).await;
            client.set_token(token);
            ask(&mut client, &format!("select {n}, count(*) from dim_courier")).await.unwrap()
        })
    });
    for (n, call) in calls.enumerate() {
        assert_eq!(call.await.unwrap(), [[n.to_string(), "3".to_owned()]]);
    }
}
