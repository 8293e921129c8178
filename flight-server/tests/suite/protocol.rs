//! Cancelling, renewing, polling, time limits, options of a session, keys and types.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, Any, CommandGetCrossReference, CommandGetExportedKeys,
    CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetXdbcTypeInfo, CommandStatementQuery,
    CommandStatementSubstraitPlan, ProstMessageExt, SqlInfo, XdbcDataType,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightDescriptor, FlightEndpoint,
    FlightInfo, RenewFlightEndpointRequest,
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::{Code, IntoRequest, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{Raw, Running, ask, cells, fetch, status};

/// More rows than anybody waits for.
const ENDLESS: &str = "select b.value from generate_series(1, 1000) a, generate_series(1, 1000000000000) b";
/// A query that never comes to its first row.
const SILENT: &str = "select count(*) from generate_series(1, 1000) a, generate_series(1, 1000000000000) b where (a.value + b.value) % 7 = 3";

pub fn request<T>(client: &Raw, message: T) -> Request<T> {
    let mut request = message.into_request();
    let token = format!("Bearer {}", client.token().unwrap());
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    request
}

pub async fn act(client: &Raw, name: &str, body: impl Into<Bytes>) -> Result<Bytes, Status> {
    let action = Action { r#type: name.to_owned(), body: body.into() };
    let answers = client.inner().clone().do_action(request(client, action)).await?.into_inner();
    let answers: Vec<_> = answers.try_collect().await?;
    Ok(answers.into_iter().next().unwrap_or_default().body)
}

async fn cancel(client: &Raw, info: FlightInfo) -> Result<i32, Status> {
    let asked = CancelFlightInfoRequest { info: Some(info) };
    let answer = act(client, "CancelFlightInfo", asked.encode_to_vec()).await?;
    Ok(CancelFlightInfoResult::decode(answer).unwrap().status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_query_ends_and_its_ticket_is_refused() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let mut results = server.results.clone();
    for sql in [ENDLESS, SILENT] {
        let info = client.execute(sql.to_owned(), None).await.unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let mut rows = client.do_get(ticket.clone()).await.unwrap();
        if sql == ENDLESS {
            rows.next().await.unwrap().unwrap();
        }
        results.wait_for(|running| *running == 1).await.unwrap();
        assert_eq!(cancel(&client, info.clone()).await.unwrap(), CancelStatus::Cancelled as i32);
        let ended = status(async { rows.try_for_each(|_| async { Ok(()) }).await }).await;
        assert_eq!((ended.code(), ended.message()), (Code::Cancelled, "the query was cancelled"));
        let refused = client.do_get(ticket).await;
        assert_eq!(status(async { refused.map(drop) }).await.code(), Code::Cancelled);
        // Once more is no mistake.
        assert_eq!(cancel(&client, info).await.unwrap(), CancelStatus::Cancelled as i32);
        results.wait_for(|running| *running == 0).await.unwrap();
    }
    // The others go on.
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
}

#[tokio::test]
async fn older_clients_cancel_as_well() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.execute("select 1".to_owned(), None).await.unwrap();
    let asked = ActionCancelQueryRequest { info: info.encode_to_vec().into() };
    let answer = act(&client, "CancelQuery", asked.as_any().encode_to_vec()).await.unwrap();
    let answer: ActionCancelQueryResult = Any::decode(answer).unwrap().unpack().unwrap().unwrap();
    // CANCEL_RESULT_CANCELLED
    assert_eq!(answer.result, 1);
    assert_eq!(status(fetch(&mut client, info)).await.code(), Code::Cancelled);
}

#[tokio::test]
async fn what_cannot_be_cancelled() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let tables = client.get_table_types().await.unwrap();
    assert_eq!(cancel(&client, tables.clone()).await.unwrap(), CancelStatus::NotCancellable as i32);
    assert!(fetch(&mut client, tables).await.is_ok());
    assert_eq!(cancel(&client, FlightInfo::new()).await.unwrap(), CancelStatus::NotCancellable as i32);
    let mut forged = client.execute("select 1".to_owned(), None).await.unwrap();
    let ticket = forged.endpoint[0].ticket.as_mut().unwrap();
    let mut bytes = ticket.ticket.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    ticket.ticket = bytes.into();
    assert_eq!(cancel(&client, forged).await.unwrap_err().code(), Code::NotFound);
    for name in ["CancelFlightInfo", "CancelQuery", "RenewFlightEndpoint", "SetSessionOptions"] {
        assert_eq!(act(&client, name, "no message").await.unwrap_err().code(), Code::InvalidArgument, "{name}");
    }
}

#[tokio::test]
async fn a_ticket_says_when_it_ends_and_can_be_renewed() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.execute("select 6 * 7".to_owned(), None).await.unwrap();
    let first = info.endpoint[0].expiration_time.unwrap();
    let asked = RenewFlightEndpointRequest { endpoint: Some(info.endpoint[0].clone()) };
    let renewed = act(&client, "RenewFlightEndpoint", asked.encode_to_vec()).await.unwrap();
    let renewed = FlightEndpoint::decode(renewed).unwrap();
    let second = renewed.expiration_time.unwrap();
    assert!((second.seconds, second.nanos) >= (first.seconds, first.nanos));
    let again = FlightInfo { endpoint: vec![renewed], ..info.clone() };
    assert_eq!(cells(&fetch(&mut client, again.clone()).await.unwrap()), [["42"]]);
    // It is still the same query.
    cancel(&client, info).await.unwrap();
    assert_eq!(status(fetch(&mut client, again)).await.code(), Code::Cancelled);
    let tables = client.get_table_types().await.unwrap();
    assert!(tables.endpoint[0].expiration_time.is_none());
    let asked = RenewFlightEndpointRequest { endpoint: Some(tables.endpoint[0].clone()) };
    let refused = act(&client, "RenewFlightEndpoint", asked.encode_to_vec()).await.unwrap_err();
    assert!(refused.message().contains("nothing to renew"), "{refused}");
}

#[tokio::test]
async fn a_poll_is_complete_at_once() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let command = CommandStatementQuery { query: "select 6 * 7".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let poll = client.inner().clone().poll_flight_info(request(&client, descriptor)).await.unwrap().into_inner();
    assert_eq!((poll.flight_descriptor, poll.progress), (None, Some(1.0)));
    assert!(poll.expiration_time.is_some());
    assert_eq!(cells(&fetch(&mut client, poll.info.unwrap()).await.unwrap()), [["42"]]);
}

/// The options of the session, or those to set, as they are on the wire: names, and values of one kind.
#[derive(Clone, PartialEq, Message)]
struct Options {
    #[prost(btree_map = "string, message", tag = "1")]
    options: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(sfixed64, optional, tag = "3")]
    number: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Errors {
    #[prost(btree_map = "string, message", tag = "1")]
    errors: BTreeMap<String, SetError>,
}

#[derive(Clone, PartialEq, Message)]
struct SetError {
    #[prost(int32, tag = "1")]
    value: i32,
}

async fn set(client: &Raw, name: &str, value: Value) -> BTreeMap<String, SetError> {
    let asked = Options { options: [(name.to_owned(), value)].into() };
    Errors::decode(act(client, "SetSessionOptions", asked.encode_to_vec()).await.unwrap()).unwrap().errors
}

pub async fn set_text(client: &Raw, name: &str, value: &str) {
    let errors = set(client, name, Value { text: Some(value.to_owned()), number: None }).await;
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn a_session_has_options_and_an_end() {
    let server = Running::start().await;
    let client = server.client().await;
    let known =
        async |client: &Raw| Options::decode(act(client, "GetSessionOptions", "").await.unwrap()).unwrap().options;
    assert_eq!(known(&client).await["schema"].text.as_deref(), Some("customs"));
    assert!(set(&client, "query_seconds", Value { text: None, number: Some(3600) }).await.is_empty());
    assert_eq!(known(&client).await["query_seconds"].number, Some(3600));
    // INVALID_NAME and INVALID_VALUE
    assert_eq!(set(&client, "colour", Value::default()).await["colour"].value, 1);
    let kcs = Value { text: Some("kcs".to_owned()), number: None };
    assert_eq!(set(&client, "schema", kcs).await["schema"].value, 2);
    // Another login has its own.
    let other = server.client().await;
    assert!(!known(&other).await.contains_key("query_seconds"));
    // CLOSED
    assert_eq!(act(&client, "CloseSession", "").await.unwrap().as_ref(), [8, 1]);
    assert_eq!(act(&client, "GetSessionOptions", "").await.unwrap_err().code(), Code::Unauthenticated);
    assert!(act(&other, "GetSessionOptions", "").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_its_time_is_over() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.execute(SILENT.to_owned(), None).await.unwrap();
    // What the client says, in a header of gRPC.
    let mut asked = request(&client, info.endpoint[0].ticket.clone().unwrap());
    asked.metadata_mut().insert("grpc-timeout", "50m".parse().unwrap());
    let rows = client.inner().clone().do_get(asked).await;
    let ended = match rows {
        Ok(rows) => rows.into_inner().try_collect::<Vec<_>>().await.unwrap_err(),
        Err(ended) => ended,
    };
    assert!(matches!(ended.code(), Code::DeadlineExceeded | Code::Cancelled), "{ended}");
    // What the session says.
    assert!(set(&client, "query_seconds", Value { text: None, number: Some(1) }).await.is_empty());
    let ended = status(fetch(&mut client, info)).await;
    assert_eq!(ended.code(), Code::DeadlineExceeded);
    assert!(ended.message().contains("1 seconds"), "{ended}");
    let mut results = server.results.clone();
    let none = results.wait_for(|running| *running == 0);
    tokio::time::timeout(Duration::from_secs(60), none).await.unwrap().unwrap();
}

#[tokio::test]
async fn keys_are_those_of_the_star() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let schema = Some("customs".to_owned());
    let asked = CommandGetPrimaryKeys { catalog: None, db_schema: schema.clone(), table: "fact_item".to_owned() };
    let info = client.get_primary_keys(asked).await.unwrap();
    let rows = cells(&fetch(&mut client, info).await.unwrap());
    let key = |column, n| ["haetae", "customs", "fact_item", column, "fact_item_pkey", n];
    assert_eq!(rows, [key("declaration_id", "1"), key("item_no", "2")]);

    let asked =
        CommandGetImportedKeys { db_schema: schema.clone(), table: "fact_inspection".to_owned(), catalog: None };
    let info = client.get_imported_keys(asked).await.unwrap();
    let rows = cells(&fetch(&mut client, info).await.unwrap());
    let name = "fact_inspection_declaration_id_item_no_fkey";
    let pairs: Vec<_> =
        rows.iter().map(|row| [&row[2], &row[3], &row[6], &row[7], &row[8], &row[9], &row[11]]).collect();
    assert_eq!(
        pairs,
        [
            ["fact_item", "declaration_id", "fact_inspection", "declaration_id", "1", name, "3"],
            ["fact_item", "item_no", "fact_inspection", "item_no", "2", name, "3"],
        ]
    );

    // Two columns that refer to the same table are two keys; in every schema where nobody asks for one.
    let asked = CommandGetCrossReference {
        pk_table: "dim_country".to_owned(),
        fk_table: "fact_item".to_owned(),
        ..CommandGetCrossReference::default()
    };
    let info = client.get_cross_reference(asked).await.unwrap();
    let rows = cells(&fetch(&mut client, info).await.unwrap());
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row[3] == "country_code" && row[8] == "1" && row[1] == row[5]));

    let asked = CommandGetExportedKeys { db_schema: schema, table: "dim_country".to_owned(), catalog: None };
    let info = client.get_exported_keys(asked).await.unwrap();
    let tables: Vec<_> =
        cells(&fetch(&mut client, info).await.unwrap()).into_iter().map(|row| row[6].clone()).collect();
    assert!(tables.is_sorted() && tables.contains(&"dim_seller".to_owned()), "{tables:?}");

    let asked = CommandGetPrimaryKeys { table: "nothing".to_owned(), ..CommandGetPrimaryKeys::default() };
    let info = client.get_primary_keys(asked).await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()).len(), 0);
}

#[tokio::test]
async fn types_and_abilities() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
    let rows = cells(&fetch(&mut client, info).await.unwrap());
    assert_eq!(rows.len(), 12);
    // The SQL of each type is what the server reads as well.
    for row in &rows {
        let name = &row[0];
        ask(&mut client, &format!("select cast(null as {name})")).await.unwrap();
    }
    let date = CommandGetXdbcTypeInfo { data_type: Some(XdbcDataType::XdbcDate as i32) };
    let info = client.get_xdbc_type_info(date).await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap())[0][0], "DATE");

    let info =
        client.get_sql_info(vec![SqlInfo::FlightSqlServerCancel, SqlInfo::SqlSavepointsSupported]).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches[0].column(0).as_primitive::<UInt32Type>().values().to_vec(), [9, 573]);
    let values = batches[0].column(1).as_union();
    assert!(values.value(0).as_boolean().value(0) && values.value(1).as_boolean().value(0));
}

#[tokio::test]
async fn what_is_not_supported_is_refused() {
    let server = Running::start().await;
    let mut client = server.client().await;
    for sql in ["drop table dim_courier", "create table t as select 1", "copy dim_courier to '/tmp/haetae-out.csv'"] {
        let refused = status(client.execute_update(sql.to_owned(), None)).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "{sql}: {refused}");
    }
    let mut prepared = client.prepare("select 1".to_owned(), None).await.unwrap();
    assert_eq!(status(prepared.execute_update()).await.code(), Code::InvalidArgument);
    let plan = CommandStatementSubstraitPlan::default();
    let descriptor = FlightDescriptor::new_cmd(plan.as_any().encode_to_vec());
    let refused = client.inner().clone().get_flight_info(request(&client, descriptor)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "the command has no Substrait plan"));
    assert_eq!(ask(&mut client, "select count(*) from dim_courier").await.unwrap(), [["3"]]);
}

#[tokio::test]
async fn whoever_watches_over_it_needs_no_login() {
    let mut server = Running::start().await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let asked = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in ["", "arrow.flight.protocol.FlightService"] {
        let found = health.check(asked(service)).await.unwrap().into_inner();
        assert_eq!(found.status(), ServingStatus::Serving, "{service}");
    }
    assert_eq!(health.check(asked("other")).await.unwrap_err().code(), Code::NotFound);
    // It says so when it ends.
    let mut watched = health.watch(asked("")).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.end();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn every_action_is_listed() {
    let server = Running::start().await;
    let client = server.client().await;
    let actions = client.inner().clone().list_actions(request(&client, arrow_flight::Empty {})).await.unwrap();
    let actions: Vec<_> = actions.into_inner().try_collect().await.unwrap();
    assert_eq!(actions.len(), 14);
    for action in actions {
        // A login of its own: some of them end it.
        let client = server.client().await;
        if let Err(refused) = act(&client, &action.r#type, "x").await {
            assert_ne!(refused.code(), Code::Unimplemented, "{}", action.r#type);
        }
    }
}
