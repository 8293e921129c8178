//! The client against a server in the same process: logins, results in parts, restarts, deaths.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fake;

use std::net::SocketAddr;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use fake::{Fake, PASSWORD};
use haetae_client::{AsyncClient, Client, ConnectOptions, Error, Param, QueryResult};
use tokio::runtime::Runtime;

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A port that no other test takes once its server is gone: the others listen at 127.0.0.1.
fn own_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], 0))
}

fn connect(fake: &Fake) -> Client {
    Client::connect(&ConnectOptions::new(&fake.url()).password(PASSWORD)).unwrap()
}

fn numbers(result: &QueryResult) -> Vec<i64> {
    result.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[test]
fn all_parts_are_fetched_in_order_and_dictionaries_decoded() {
    let fake = Fake::start(any_port(), "t");
    let client = connect(&fake);
    let result = client.query("numbers").unwrap();
    assert_eq!(numbers(&result), [1, 2, 3, 4, 5, 6]);
    assert_eq!(result.schema.field(1).data_type(), &DataType::Utf8);
    assert!(result.batches.iter().all(|batch| batch.schema() == result.schema));
    assert_eq!(result.batches[2].column(1).as_string::<i32>().value(1), "odd");

    let nothing = client.query("nothing").unwrap();
    assert_eq!((nothing.rows(), nothing.schema), (0, result.schema));

    let tables = client.tables().unwrap();
    let names: Vec<_> = tables.iter().map(|t| format!("{}.{}.{}", t.catalog, t.schema, t.name)).collect();
    assert_eq!(names, ["haetae.customs.fact_item", "haetae.kcs.rejects"]);
}

#[test]
fn rows_come_one_batch_after_the_other() {
    let fake = Fake::start(any_port(), "t");
    let runtime = Runtime::new().unwrap();
    let whole = connect(&fake).query("numbers").unwrap();
    runtime.block_on(async {
        let options = ConnectOptions::new(&fake.url()).password(PASSWORD);
        let client = AsyncClient::connect(&options).await.unwrap();
        let mut rows = client.stream("numbers").await.unwrap();
        assert_eq!(*rows.schema(), whole.schema);
        let mut batches = Vec::new();
        while let Some(batch) = rows.next().await.unwrap() {
            batches.push(batch);
        }
        assert_eq!(batches, whole.batches);

        let mut nothing = client.stream("nothing").await.unwrap();
        assert_eq!(*nothing.schema(), whole.schema);
        assert!(nothing.next().await.unwrap().is_none());
    });
}

#[test]
fn parameters_are_bound_and_counted() {
    let fake = Fake::start(any_port(), "t");
    let client = connect(&fake);
    let echoed = client.query_with("echo ? ?", &[7.into(), Param::Null]).unwrap();
    assert_eq!(numbers(&echoed), [7]);
    assert_eq!(echoed.schema.field(1).data_type(), &DataType::Null);
    assert_eq!(*fake.state.closed.lock().unwrap(), 1);

    let message = client.query_with("echo ?", &[1.into(), 2.into()]).unwrap_err().to_string();
    assert_eq!(message, "the statement has 1 parameters (? or $1, $2 …), but 2 values are given");
}

#[test]
fn the_servers_own_message_is_the_message() {
    let fake = Fake::start(any_port(), "t");
    let client = connect(&fake);
    let error = client.query("selct 1").unwrap_err();
    assert_eq!(error.to_string(), "cannot parse \"selct 1\"");
    assert!(matches!(error, Error::Server { code, .. } if code.contains("invalid argument")));
    assert!(client.query("silent").unwrap_err().to_string().contains("no message"));
}

#[test]
fn a_refused_login_names_user_and_file() {
    let fake = Fake::start(any_port(), "t");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.secret");
    std::fs::write(&path, "wrong\n").unwrap();
    let options = ConnectOptions::new(&fake.url()).secret_file(&path);
    let message = Client::connect(&options).unwrap_err().to_string();
    for part in [fake.url().as_str(), "\"haetae\"", "server.secret", "wrong user name or password"] {
        assert!(message.contains(part), "{message}");
    }
    // The file is read at each login.
    std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    assert_eq!(Client::connect(&options).unwrap().query("numbers").unwrap().rows(), 6);

    let without = Client::connect(&ConnectOptions::new(&fake.url())).unwrap();
    let message = without.query("numbers").unwrap_err().to_string();
    assert!(message.contains("wants a login") && message.contains("HAETAE_SECRET_FILE"), "{message}");
}

#[test]
fn a_dead_server_is_named() {
    let fake = Fake::start(own_port(), "t");
    let (url, client) = (fake.url(), connect(&fake));
    drop(fake);
    let late = client.query("numbers").unwrap_err();
    let never = Client::connect(&ConnectOptions::new(&url)).unwrap_err();
    for error in [late, never] {
        let message = error.to_string();
        assert!(matches!(error, Error::Unreachable { .. }), "{message}");
        assert!(message.contains(&url) && message.contains("make lab") && message.contains("refused"), "{message}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind(any_port()).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let options = ConnectOptions::new(&url).password(PASSWORD).connect_timeout(Duration::from_millis(50));
    let message = Client::connect(&options).unwrap_err().to_string();
    assert!(message.contains(&url) && message.contains("0.05 s"), "{message}");
}

#[test]
fn a_restarted_server_is_logged_in_to_once() {
    let first = Fake::start(own_port(), "first");
    let (address, client) = (first.address, connect(&first));
    assert_eq!(client.query("numbers").unwrap().rows(), 6);
    drop(first);
    let second = Fake::start(address, "second");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(client.query("numbers").unwrap().rows(), 6));
        }
    });
    assert_eq!(*second.state.logins.lock().unwrap(), 1);
    assert_eq!(client.query_with("echo ?", &[1.into()]).unwrap().rows(), 1);
    assert_eq!(*second.state.logins.lock().unwrap(), 1);
}

#[test]
fn a_dropped_query_ends_on_the_server() {
    let mut fake = Fake::start(any_port(), "t");
    let options = ConnectOptions::new(&fake.url()).password(PASSWORD);
    Runtime::new().unwrap().block_on(async {
        let client = AsyncClient::connect(&options).await.unwrap();
        tokio::select! {
            _ = client.query("endless") => panic!("it has no end"),
            begun = fake.running.wait_for(|running| *running == 1) => drop(begun.unwrap()),
        }
        let ended =
            tokio::time::timeout(Duration::from_secs(120), fake.running.wait_for(|running| *running == 0)).await;
        drop(ended.expect("the server goes on with a query that nobody waits for").unwrap());
        // The connection is still good.
        assert_eq!(client.query("numbers").await.unwrap().rows(), 6);
    });
}

#[test]
fn a_server_that_dies_while_rows_are_read_is_not_asked_again() {
    let mut fake = Fake::start(any_port(), "t");
    let client = connect(&fake);
    let (url, waiting) = (fake.url(), Runtime::new().unwrap());
    std::thread::scope(|scope| {
        let query = scope.spawn(|| client.query("endless"));
        drop(waiting.block_on(fake.running.wait_for(|running| *running == 1)).unwrap());
        drop(fake);
        let error = query.join().unwrap().unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert!(error.to_string().contains(&url), "{error}");
    });
}

#[test]
fn the_blocking_face_works_inside_of_a_runtime() {
    let fake = Fake::start(any_port(), "t");
    // A runtime with a single thread is the hardest case: nothing else moves while it is blocked.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = connect(&fake);
        assert_eq!(client.query("numbers").unwrap().rows(), 6);
        drop(client);
    });
}
