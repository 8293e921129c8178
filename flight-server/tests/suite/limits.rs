//! What one query, one role and one client may take.

use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use futures::TryStreamExt;
use haetae_flight_server::policy::{Policy, hash_password};
use haetae_flight_server::{Bounds, Error, ServeOptions, Server};
use haetae_warehouse::query::EngineOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;

use crate::harness::{Place, Running, ask, connect, options, password, status};

const PASSWORD: &str = "a long password";

static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

/// kim analyses, lee audits, min sees everything.
pub fn policy(analyst: &str) -> String {
    format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{0}\"\n\
         [users.lee]\nrole = \"auditor\"\npassword = \"{0}\"\n\
         [users.min]\nrole = \"admin\"\npassword = \"{0}\"\n\
         [roles.auditor]\nauditor = true\n[roles.admin]\nadmin = true\n\
         [roles.analyst]\ntables = [\"customs.dim_courier\"]\n{analyst}",
        *HASH
    )
}

async fn with_memory(query_mib: usize, spill_mib: u64) -> Running {
    let engine = EngineOptions {
        query_memory_bytes: Some(query_mib << 20),
        spill_bytes: spill_mib << 20,
        partitions: Some(NonZero::<usize>::MIN),
        ..EngineOptions::default()
    };
    Running::serving(Place::new(), &ServeOptions { engine, ..options() }).await
}

#[tokio::test]
async fn one_query_has_a_limit_of_memory() {
    let server = with_memory(4, 1024).await;
    let mut client = server.client().await;
    // One side of the join has to be in memory.
    let join = "select count(*) from generate_series(1, 2000000) a join generate_series(1, 2000000) b using (value)";
    let refused = status(ask(&mut client, join)).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let expected = "the query needs more memory than one query may have (4 MiB); select fewer rows or columns, ";
    assert!(refused.message().starts_with(expected), "{refused}");
    assert!(refused.message().contains("--query-memory-mib"), "{refused}");
    let small = "select count(*) from generate_series(1, 1000) a join generate_series(1, 1000) b using (value)";
    assert_eq!(ask(&mut client, small).await.unwrap(), [["1000"]]);
    // What it had is told, and given back.
    let sql = "select outcome, memory_bytes > 0, memory_bytes <= 4 * 1024 * 1024 from system.queries where outcome is not null order by started limit 1";
    assert_eq!(ask(&mut client, sql).await.unwrap(), [["ResourceExhausted", "true", "true"]]);
}

#[tokio::test]
async fn temporary_files_have_a_limit() {
    // All rows are sorted before the first one is left out.
    let sort = "select length(t) from (select repeat('x', 900 + value % 100) as t, value from generate_series(1, 100000)) \
                order by t, value offset 99995";
    let server = with_memory(40, 1024).await;
    let rows = ask(&mut server.client().await, sort).await.unwrap();
    assert_eq!(rows, vec![["999"]; 5]);
    let server = with_memory(40, 1).await;
    let refused = status(ask(&mut server.client().await, sort)).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let expected = "the query needs more room for temporary files than there is; ask for less at a time";
    assert!(refused.message().starts_with(expected), "{refused}");
}

#[tokio::test]
async fn results_of_a_role_have_a_greatest_size() {
    let server = Running::under(&policy("max_rows = 2\nmax_mib = 1\n")).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    assert_eq!(ask(&mut kim, "select courier_id from dim_courier limit 2").await.unwrap().len(), 2);
    let refused =
        status(ask(&mut kim, "select courier_id from dim_courier where coalesce(name, '') <> 'SECRET'")).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(
        refused.message(),
        "the result is larger than the 2 rows that the role analyst may fetch at a time; count, group or filter in the query, \
         or ask whoever keeps the policy (max_rows)"
    );
    let refused = status(ask(&mut kim, "select repeat('x', 1000000) as a, repeat('y', 1000000) as b")).await;
    assert!(refused.message().contains("the 1 MiB that the role analyst"), "{refused}");
    assert!(refused.message().contains("(max_mib)"), "{refused}");
    let mut min = server.client_of("min", PASSWORD).await;
    assert_eq!(ask(&mut min, "select courier_id from dim_courier").await.unwrap().len(), 3);
    let mut lee = server.client_of("lee", PASSWORD).await;
    let audit = "select user_name, rows, outcome from system.audit where event = 'query' order by seq limit 3";
    let expected = [["kim", "2", "ok"], ["kim", "0", "ResourceExhausted"], ["kim", "0", "ResourceExhausted"]];
    assert_eq!(ask(&mut lee, audit).await.unwrap(), expected);
}

#[test]
fn wrong_limits_of_a_role_are_named() {
    for (setting, said) in [
        ("max_rows = 0", "max_rows must be a whole number from 1 to 4294967295"),
        ("max_rows = \"2\"", "max_rows must be a whole number"),
        ("max_mib = -1", "max_mib must be a whole number from 1 to 1048576"),
        ("query_class = \"fast\"", "there is no class of queries \"fast\"; there are interactive, bulk"),
        ("query_class = 1", "query_class must be a text"),
    ] {
        let Err(Error::Policy { problems, .. }) = Policy::parse("policy.toml", &policy(setting)) else {
            panic!("{setting}");
        };
        let text = policy(setting);
        let line = text.lines().count();
        assert!(problems.iter().any(|problem| problem.line == line && problem.what.contains(said)), "{problems:?}");
    }
}

#[tokio::test]
async fn each_user_sees_their_own_statements() {
    let server = Running::under(&policy("query_class = \"bulk\"\n")).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut min = server.client_of("min", PASSWORD).await;
    let mut lee = server.client_of("lee", PASSWORD).await;
    ask(&mut kim, "select name from dim_courier where courier_id <> 'C0'").await.unwrap();
    ask(&mut min, "select count(*) from dim_courier").await.unwrap();
    let sql = "select user_name, role, class, statement, state, outcome, rows, bytes > 0 from system.queries";
    let own = ask(&mut kim, sql).await.unwrap();
    let shape = "select name from dim_courier where courier_id <> ?";
    // Whether it runs already, and what it has sent, is as it is when it looks.
    assert_eq!(own[0], ["kim", "analyst", "bulk", shape, "ended", "ok", "3", "true"]);
    assert_eq!(own[1][..6], ["kim", "analyst", "bulk", &sql.replace("> 0", "> ?"), "running", ""]);
    assert_eq!(own.len(), 2);
    for other in [&mut min, &mut lee] {
        let all = ask(other, "select user_name, class from system.queries order by started, id").await.unwrap();
        assert!(all.contains(&vec!["kim".to_owned(), "bulk".to_owned()]), "{all:?}");
        assert!(all.contains(&vec!["min".to_owned(), "interactive".to_owned()]), "{all:?}");
    }
    let refused = status(ask(&mut kim, "select * from system.audit")).await;
    assert_eq!(refused.code(), Code::NotFound);
    // The owner of a server without a policy sees all.
    let server = Running::start().await;
    let mut owner = server.client().await;
    let seen = ask(&mut owner, "select user_name, state from system.queries").await.unwrap();
    assert_eq!(seen, [["haetae", "running"]]);
    let refused = status(ask(&mut owner, "select * from system.audit")).await;
    assert!(refused.message().starts_with("there is no table \"audit\" in the schema system"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_loses_its_query() {
    let bounds = Bounds { unread: Duration::from_millis(500), ..Bounds::default() };
    let server = Running::serving(Place::new(), &ServeOptions { bounds, ..options() }).await;
    let mut client = server.client().await;
    let endless = "select value, repeat('x', 1000) as text from generate_series(1, 1000000000000)";
    let info = client.execute(endless.to_owned(), None).await.unwrap();
    let rows = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    let mut results = server.results.clone();
    results.wait_for(|running| *running == 0).await.unwrap();
    let ended = "select state, outcome from system.queries where statement like 'select value%'";
    assert_eq!(ask(&mut client, ended).await.unwrap(), [["ended", "DeadlineExceeded"]]);
    let cut = status(async { rows.try_for_each(|_| async { Ok(()) }).await }).await;
    assert_eq!(cut.code(), Code::DeadlineExceeded);
    assert!(cut.message().starts_with("the client has read nothing for 0.5 seconds"), "{cut}");
}

async fn http(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn metrics_are_told_in_the_format_of_prometheus() {
    let metrics = Some("127.0.0.1:0".parse().unwrap());
    let server = Running::serving(Place::new(), &ServeOptions { metrics, ..options() }).await;
    let mut client = server.client().await;
    ask(&mut client, "select * from dim_courier").await.unwrap();
    status(ask(&mut client, "select 1 / (value - 1) from generate_series(1, 2)")).await;
    status(ask(&mut client, "select * from nothing")).await;
    let text = http(server.metrics.unwrap(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"), "{text}");
    for line in [
        "haetae_statements_total{class=\"interactive\",outcome=\"InvalidArgument\"} 1",
        "haetae_statements_total{class=\"interactive\",outcome=\"ok\"} 1",
        "haetae_statement_seconds_bucket{class=\"interactive\",le=\"+Inf\"} 2",
        "haetae_statement_seconds_count{class=\"interactive\"} 2",
        "haetae_logins_total{outcome=\"ok\"} 1",
        "haetae_plans_refused_total{outcome=\"NotFound\"} 1",
        "haetae_rows_sent_total 3",
        "haetae_queries_running{class=\"interactive\"} 0",
        "haetae_queries_waiting{class=\"bulk\"} 0",
        "haetae_query_memory_bytes 0",
        "haetae_columns_bytes 0",
        "haetae_columns_read_total{from=\"memory\"} 0",
        "haetae_connections 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let mut kinds: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let families = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() == families && families > 10, "{text}");
    for (request, expected) in [
        ("GET /other HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "),
        ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
        ("", "HTTP/1.1 400 "),
    ] {
        let answer = http(server.metrics.unwrap(), request).await;
        assert!(answer.starts_with(expected), "{request}: {answer}");
    }
    let everywhere = Some("0.0.0.0:0".parse().unwrap());
    let refused = Server::bind(Place::new().root(), &ServeOptions { metrics: everywhere, ..options() }).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.starts_with("will not show metrics on 0.0.0.0:0: they need no login"), "{refused}");
}

#[tokio::test]
async fn the_program_logs_statements_and_refuses_wrong_limits() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_haetae-server"))
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-statements", "--warehouse"])
        .arg(place.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap().strip_prefix("listening on ").unwrap().parse().unwrap();
    let metrics = lines.next().unwrap().unwrap();
    let metrics = metrics.strip_prefix("metrics at http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    let mut client = connect(address).await;
    client.handshake("haetae", &password(&place.root())).await.unwrap();
    ask(&mut client, "select name from dim_courier where name <> 'SECRET' limit 2").await.unwrap();
    let text = http(metrics.parse().unwrap(), "GET /metrics HTTP/1.1\r\n\r\n").await;
    assert!(text.contains("\nhaetae_rows_sent_total 2\n"), "{text}");
    drop(client);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(child.wait().unwrap().success());
    let found: Vec<serde_json::Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["event"] == "statement")
        .collect();
    assert_eq!(found.len(), 1, "{log}");
    assert_eq!(found[0]["statement"], "select name from dim_courier where name <> ? limit ?");
    assert_eq!(
        (&found[0]["user"], &found[0]["outcome"], &found[0]["rows"]),
        (&"haetae".into(), &"ok".into(), &2.into())
    );
    assert!(!log.contains("SECRET"), "{log}");

    for (words, said) in [
        (["--queries", "0"], "--queries"),
        (["--bulk-queries", "many"], "--bulk-queries"),
        (["--query-memory-mib", "0"], "--query-memory-mib"),
        (["--unread-seconds", "0"], "--unread-seconds"),
        (["--metrics", "0.0.0.0:9464"], "will not show metrics on 0.0.0.0:9464"),
    ] {
        let mut server = Command::new(env!("CARGO_BIN_EXE_haetae-server"));
        let refused = server.args(["serve", "--warehouse"]).arg(place.root()).args(words).output().unwrap();
        assert!(!refused.status.success(), "{words:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains(said), "{words:?}: {told}");
    }
}
