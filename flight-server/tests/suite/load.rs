//! Many clients: who runs, who waits, and what is left when they have gone.

use std::num::NonZero;
use std::time::Duration;

use arrow_flight::sql::CommandGetTables;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{CancelFlightInfoRequest, FlightInfo};
use futures::StreamExt;
use haetae_flight_server::{Bounds, ServeOptions};
use prost::Message;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{Place, Raw, Running, TO_COME_BACK_TO, ask, connect, fetch, options, status};
use crate::limits::policy;
use crate::protocol::act;

/// A result that has no end and costs little.
const ENDLESS: &str = "select value, repeat('x', 1000) as text from generate_series(1, 1000000000000)";

async fn begin(client: &mut Raw) -> arrow_flight::decode::FlightRecordBatchStream {
    let info = client.execute(ENDLESS.to_owned(), None).await.unwrap();
    client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap()
}

/// Waits until so many queries wait for their turn; asks as a query of the other class.
async fn wait_for_waiting(client: &Raw, expected: usize) {
    let mut other = client.clone();
    other.set_header("x-haetae-class", "bulk");
    let sql = "select count(*) from system.queries where state = 'queued' and class = 'interactive'";
    while ask(&mut other, sql).await.unwrap() != [[expected.to_string()]] {}
}

/// A query whose rows are fetched beside, and what it was announced as.
async fn later(client: &Raw, sql: &str) -> (FlightInfo, JoinHandle<Result<usize, Status>>) {
    let mut client = client.clone();
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let asked = info.clone();
    let task = tokio::spawn(async move {
        match fetch(&mut client, asked).await {
            Ok(batches) => Ok(batches.iter().map(|batch| batch.num_rows()).sum()),
            Err(arrow_flight::error::FlightError::Tonic(status)) => Err(*status),
            Err(other) => panic!("{other}"),
        }
    });
    (info, task)
}

async fn one_at_a_time(waiting: usize, patience: Duration) -> Running {
    let bounds = Bounds { interactive: NonZero::<usize>::MIN, waiting, patience, ..Bounds::default() };
    Running::serving(Place::new(), &ServeOptions { bounds, ..options() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_wait_for_their_turn() {
    let server = one_at_a_time(2, Duration::from_secs(600)).await;
    let client = server.client().await;
    let running = begin(&mut client.clone()).await;
    let (_, first) = later(&client, "select * from dim_courier").await;
    wait_for_waiting(&client, 1).await;
    let (second_info, second) = later(&client, "select 2").await;
    wait_for_waiting(&client, 2).await;
    let refused = status(ask(&mut client.clone(), "select 3")).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().starts_with("too many interactive queries: 1 run, 2 wait"), "{refused}");

    // Who asks for no rows does not wait.
    let info = client.clone().get_tables(CommandGetTables::default()).await.unwrap();
    assert!(!fetch(&mut client.clone(), info).await.unwrap().is_empty());
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();

    // One that waits is cancelled like one that runs, and leaves the queue.
    let asked = CancelFlightInfoRequest { info: Some(second_info) };
    act(&client, "CancelFlightInfo", asked.encode_to_vec()).await.unwrap();
    assert_eq!(second.await.unwrap().unwrap_err().code(), Code::Cancelled);
    wait_for_waiting(&client, 1).await;
    assert!(!first.is_finished());
    drop(running);
    assert_eq!(first.await.unwrap().unwrap(), 3);
    assert_eq!(ask(&mut client.clone(), "select 4").await.unwrap(), [["4"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_and_the_end_of_the_server_are_told() {
    let server = one_at_a_time(2, Duration::from_millis(1)).await;
    let mut client = server.client().await;
    let running = begin(&mut client).await;
    let late = status(ask(&mut client, "select 1")).await;
    assert_eq!(late.code(), Code::ResourceExhausted);
    let expected = "the query has waited 0.001 seconds for its turn: 1 interactive queries run at a time";
    assert!(late.message().starts_with(expected), "{late}");
    drop(running);

    let bounds = Bounds { interactive: NonZero::<usize>::MIN, patience: Duration::from_secs(600), ..Bounds::default() };
    let options = ServeOptions { bounds, drain: Duration::ZERO, ..options() };
    let mut server = Running::serving(Place::new(), &options).await;
    let client = server.client().await;
    let running = begin(&mut client.clone()).await;
    let (_, waiting) = later(&client, "select 1").await;
    wait_for_waiting(&client, 1).await;
    server.end();
    assert_eq!(waiting.await.unwrap().unwrap_err().code(), Code::Unavailable);
    drop((running, client));
    server.ended().await.unwrap();
}

#[tokio::test]
async fn a_class_that_does_not_exist_is_refused() {
    let server = Running::start().await;
    let mut client = server.client().await;
    client.set_header("x-haetae-class", "fast");
    let refused = status(ask(&mut client, "select 1")).await;
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "the header x-haetae-class must be one of interactive, bulk");
    let mut client = server.client().await;
    crate::protocol::set_text(&client, "query_class", "bulk").await;
    assert_eq!(ask(&mut client, "select class from system.queries where state = 'running'").await.unwrap(), [["bulk"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_leave_nothing() {
    let bounds = Bounds { interactive: NonZero::new(64).unwrap(), waiting: 1_000, ..Bounds::default() };
    let server = Running::serving(Place::new(), &ServeOptions { bounds, ..options() }).await;
    let token = server.client().await.token().unwrap().clone();
    let tasks = (0..20).map(|lane| {
        let (address, token) = (server.address, token.clone());
        tokio::spawn(async move {
            for number in 0..50 {
                // Some say nothing, some ask for the health, some log in, some go away in the middle of a result.
                match (lane + number) % 4 {
                    0 => drop(tokio::net::TcpStream::connect(address).await.unwrap()),
                    1 => {
                        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await;
                        HealthClient::new(channel.unwrap()).check(HealthCheckRequest::default()).await.unwrap();
                    }
                    2 => {
                        let mut client: FlightSqlServiceClient<Channel> = connect(address).await;
                        client.set_token(token.clone());
                        assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
                    }
                    _ => {
                        let mut client = connect(address).await;
                        client.set_token(token.clone());
                        let mut rows = begin(&mut client).await;
                        rows.next().await.unwrap().unwrap();
                    }
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (mut connections, mut results) = (server.connections.clone(), server.results.clone());
    let gone = async {
        connections.wait_for(|open| *open == 0).await.unwrap();
        results.wait_for(|running| *running == 0).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(120), gone).await.unwrap();
    let mut client = server.client().await;
    let open = "select count(*) from system.queries where state <> 'ended'";
    assert_eq!(ask(&mut client, open).await.unwrap(), [["1"]]);
    let seen = "select count(*) > 0 from system.queries where outcome = 'abandoned'";
    assert_eq!(ask(&mut client, seen).await.unwrap(), [["true"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_outlive_a_restart() {
    let place = Place::new();
    place.write_policy(&policy(""));
    let listen = TO_COME_BACK_TO.parse().unwrap();
    let mut server = Running::serving(place, &ServeOptions { listen, ..options() }).await;
    let address = server.address;
    let mut kim = server.client_of("kim", "a long password").await;
    assert_eq!(ask(&mut kim, "select count(*) from dim_courier").await.unwrap(), [["3"]]);
    server.end();
    let place = std::mem::replace(&mut server.place, Place::empty());
    server.ended().await.unwrap();
    let again = Running::serving(place, &ServeOptions { listen: address, ..options() }).await;
    // The connection was closed; the one that the client opens then goes on with the same login.
    let mut answer = ask(&mut kim, "select count(*) from dim_courier").await;
    for _ in 0..10 {
        if answer.is_ok() {
            break;
        }
        answer = ask(&mut kim, "select count(*) from dim_courier").await;
    }
    assert_eq!(answer.unwrap(), [["3"]]);
    drop((kim, again));
}
