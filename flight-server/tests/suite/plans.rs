//! Plans of Substrait over the wire, written by another author: the package `substrait` 0.37.1 of the Python index
//! (Apache-2.0), which writes plans of Substrait 0.106.

use std::sync::LazyLock;

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
use arrow_flight::sql::{
    ActionCreatePreparedStatementResult, ActionCreatePreparedSubstraitPlanRequest, Any, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementSubstraitPlan, ProstMessageExt, SqlInfo, SubstraitPlan,
};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haetae_flight_server::policy::hash_password;
use prost::Message;
use tonic::{Code, Status};

use crate::harness::{Raw, Running, ask, cells, fetch, status};
use crate::protocol::{act, request};

const PASSWORD: &str = "a long password";

static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

/// `select name, courier_id from customs.dim_courier where courier_id <> 'C2' order by courier_id desc`
const ROWS: &str = "EhkaFxABGhFub3RfZXF1YWw6YW55X2FueSABGrUBErIBCp0BOpoBCgYSBAoCAgMSeip4EmgSZhJCCkAKAgoAEiIKCmNvdXJpZXJfaWQKBG5hbWUSDgoEYgIQAgoEYgIQARgCOhYKB2N1c3RvbXMKC2RpbV9jb3VyaWVyGiAaHggBGgQKAhACIgoaCBIGCgISACIAIggaBgoEYgJDMhoMCggSBgoCEgAiABAEGgoSCAoEEgIIASIAGggSBgoCEgAiABIEbmFtZRIKY291cmllcl9pZDICEGpCLwgBEitleHRlbnNpb246aW8uc3Vic3RyYWl0OmZ1bmN0aW9uc19jb21wYXJpc29u";
/// `select name, count(courier_id) as n from customs.dim_courier where courier_id <> 'C2' group by name`
const COUNTED: &str = "EhkaFxABGhFub3RfZXF1YWw6YW55X2FueSABEhEaDxACGgljb3VudDphbnkgAhqlARKiAQqWASKTARJoEmYSQgpACgIKABIiCgpjb3VyaWVyX2lkCgRuYW1lEg4KBGICEAIKBGICEAEYAjoWCgdjdXN0b21zCgtkaW1fY291cmllchogGh4IARoECgIQAiIKGggSBgoCEgAiACIIGgYKBGICQzIaAxIBACIWChQIAioEOgIQAjoKGggSBgoCEgAiACoKEggKBBICCAEiABIEbmFtZRIBbjICEGpCLwgBEitleHRlbnNpb246aW8uc3Vic3RyYWl0OmZ1bmN0aW9uc19jb21wYXJpc29uQjYIAhIyZXh0ZW5zaW9uOmlvLnN1YnN0cmFpdDpmdW5jdGlvbnNfYWdncmVnYXRlX2dlbmVyaWM=";
/// `select * from customs.dim_courier order by courier_id offset 1 limit 1`
const SECOND: &str = "GnoSeApkGmISVCpSEkIKQAoCCgASIgoKY291cmllcl9pZAoEbmFtZRIOCgRiAhACCgRiAhABGAI6FgoHY3VzdG9tcwoLZGltX2NvdXJpZXIaDAoIEgYKAhIAIgAQAioECgI4ATIECgI4ARIKY291cmllcl9pZBIEbmFtZTICEGo=";

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn command(plan: impl Into<Vec<u8>>, version: &str) -> FlightDescriptor {
    let plan = SubstraitPlan { plan: plan.into().into(), version: version.to_owned() };
    let command = CommandStatementSubstraitPlan { plan: Some(plan), transaction_id: None };
    FlightDescriptor::new_cmd(command.as_any().encode_to_vec())
}

async fn info(client: &Raw, descriptor: FlightDescriptor) -> Result<FlightInfo, Status> {
    client.inner().clone().get_flight_info(request(client, descriptor)).await.map(tonic::Response::into_inner)
}

async fn rows(client: &mut Raw, plan: &str) -> Vec<Vec<String>> {
    let info = info(client, command(decoded(plan), "0.106.0")).await.unwrap();
    cells(&fetch(client, info).await.unwrap())
}

async fn refused(client: &Raw, plan: impl Into<Vec<u8>>) -> Status {
    info(client, command(plan, "")).await.unwrap_err()
}

#[tokio::test]
async fn a_plan_of_another_author_is_answered() {
    let server = Running::start().await;
    let mut client = server.client().await;
    assert_eq!(rows(&mut client, ROWS).await, [["느린 택배", "C3"], ["Fast", "C1"]]);
    let mut counted = rows(&mut client, COUNTED).await;
    counted.sort();
    assert_eq!(counted, [["Fast", "1"], ["느린 택배", "1"]]);
    assert_eq!(rows(&mut client, SECOND).await, [["C2", ""]]);
    let plan = info(&client, command(decoded(COUNTED), "")).await.unwrap();
    let schema = plan.try_decode_schema().unwrap();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["name", "n"]);
    let asked = [SqlInfo::FlightSqlServerSubstrait, SqlInfo::FlightSqlServerSubstraitMinVersion];
    let told = client.get_sql_info(asked.to_vec()).await.unwrap();
    let batches = fetch(&mut client, told).await.unwrap();
    assert_eq!(batches[0].column(0).as_primitive::<UInt32Type>().values().to_vec(), [5, 6]);
    let values = batches[0].column(1).as_union();
    assert!(values.value(0).as_boolean().value(0));
    assert_eq!(values.value(1).as_string::<i32>().value(0), "0.32.0");
}

#[tokio::test]
async fn a_plan_is_prepared_once() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let plan = Some(SubstraitPlan { plan: decoded(ROWS).into(), version: String::new() });
    let asked = ActionCreatePreparedSubstraitPlanRequest { plan, transaction_id: None };
    let body = act(&client, "CreatePreparedSubstraitPlan", asked.as_any().encode_to_vec()).await.unwrap();
    let prepared: ActionCreatePreparedStatementResult = Any::decode(body.as_ref()).unwrap().unpack().unwrap().unwrap();
    assert!(!prepared.dataset_schema.is_empty());
    let handle = prepared.prepared_statement_handle;
    let query = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    let query = FlightDescriptor::new_cmd(query.as_any().encode_to_vec());
    let first = info(&client, query.clone()).await.unwrap();
    assert_eq!(cells(&fetch(&mut client, first).await.unwrap()).len(), 2);
    // Planned with what the warehouse has then.
    server.place.load("late.csv", "courier_id,name\nC4,Late\n");
    let second = info(&client, query).await.unwrap();
    assert_eq!(cells(&fetch(&mut client, second).await.unwrap())[0], ["Late", "C4"]);
    // It is a query, and no update.
    let update = CommandPreparedStatementUpdate { prepared_statement_handle: handle };
    let updates = [FlightDescriptor::new_cmd(update.as_any().encode_to_vec()), command(decoded(ROWS), "")];
    for descriptor in updates {
        let message = FlightData::new().with_descriptor(descriptor);
        let call = request(&client, futures::stream::iter([message]));
        let refused = client.inner().clone().do_put(call).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("is a query and changes no rows"), "{refused}");
    }
}

#[tokio::test]
async fn a_plan_shows_what_the_role_shows() {
    let policy = format!(
        "[users.kim]\nrole = \"analyst\"\npassword = \"{0}\"\n[users.lee]\nrole = \"auditor\"\npassword = \"{0}\"\n\
         [users.ann]\nrole = \"other\"\npassword = \"{0}\"\n\
         [roles.auditor]\nauditor = true\n[roles.other]\ntables = [\"customs.fact_item\"]\n\
         [roles.analyst]\ntables = [\"customs.dim_courier\"]\nclear = [\"identifier\"]\n\
         rows.\"customs.dim_courier\" = \"courier_id <> 'C1'\"\n",
        *HASH
    );
    let server = Running::under(&policy).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    assert_eq!(rows(&mut kim, ROWS).await, [["느**", "C3"]]);
    assert_eq!(rows(&mut kim, COUNTED).await, [["느**", "1"]]);
    let ann = server.client_of("ann", PASSWORD).await;
    let unseen = refused(&ann, decoded(ROWS)).await;
    assert_eq!(unseen.code(), Code::NotFound);
    assert_eq!(unseen.message(), "there is no table \"dim_courier\" in the schema customs. The tables are fact_item.");
    // A ticket is of its user, as any other.
    let mine = info(&kim, command(decoded(ROWS), "")).await.unwrap();
    let mut thief = server.client_of("ann", PASSWORD).await;
    let stolen = status(thief.do_get(mine.endpoint[0].ticket.clone().unwrap())).await;
    assert_eq!(stolen.code(), Code::PermissionDenied);
    let mut lee = server.client_of("lee", PASSWORD).await;
    let sql = "select event, user_name, statement, tables, columns, outcome from system.audit \
         where event in ('query', 'plan') and user_name <> 'lee' order by seq";
    let shape = "Substrait: project(sort(filter(read(customs.dim_courier))))";
    let columns = "customs.dim_courier.courier_id,customs.dim_courier.name";
    let found = ask(&mut lee, sql).await.unwrap();
    assert_eq!(found[0], ["query", "kim", shape, "customs.dim_courier", columns, "ok"]);
    assert_eq!(found[2], ["plan", "ann", shape, "", "", "NotFound"]);
}

#[tokio::test]
async fn what_is_no_plan_leaves_the_server_well() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let empty = refused(&client, Vec::new()).await;
    assert_eq!(empty.code(), Code::InvalidArgument, "{empty}");
    let text = refused(&client, b"select 1\0".to_vec()).await;
    assert_eq!(text.code(), Code::InvalidArgument);
    assert!(text.message().contains("this is no Substrait plan"), "{text}");
    let large = refused(&client, [decoded(ROWS), vec![0; 2 << 20]].concat()).await;
    assert_eq!(large.code(), Code::ResourceExhausted);
    assert!(large.message().contains("a Substrait plan can have 1048576 bytes"), "{large}");
    // More than a message may have.
    refused(&client, vec![0; 64 << 20]).await;
    for version in ["0.31.0", "1.0.0", "new"] {
        let refused = info(&client, command(decoded(ROWS), version)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{version}: {refused}");
    }
    // A filter over a filter, ten thousand times: both the filter in its relation and its input are the field 2.
    let within = |tag: u8, inner: Vec<u8>| {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    };
    let nested = (0..20_000).fold(Vec::new(), |inner, _| within(0x12, inner));
    let deep = within(0x1a, within(0x0a, nested));
    assert_eq!(refused(&client, deep).await.code(), Code::InvalidArgument);
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
}
