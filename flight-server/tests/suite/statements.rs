//! SQL over the wire: answers, refusals, messages.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow_flight::sql::{CommandStatementQuery, CommandStatementSubstraitPlan, ProstMessageExt};
use arrow_flight::{Action, FlightDescriptor, Ticket};
use prost::Message;
use tonic::Code;

use crate::harness::{Running, ask, fetch, status};

#[tokio::test]
async fn rows_arrive_as_they_were_announced() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let rows = ask(&mut client, "select * from dim_courier order by courier_id").await.unwrap();
    assert_eq!(rows, [["C1", "Fast"], ["C2", ""], ["C3", "느린 택배"]]);
    assert_eq!(ask(&mut client, "select count(*) from kcs.fact_item").await.unwrap(), [["0"]]);
    assert_eq!(ask(&mut client, "select * from haetae.kcs.dim_courier").await.unwrap(), Vec::<Vec<String>>::new());
    let shown = ask(&mut client, "show tables").await.unwrap();
    assert!(shown.iter().any(|row| row[..3] == ["haetae", "customs", "fact_item"]), "{shown:?}");
}

#[tokio::test]
async fn a_large_result_comes_in_small_messages() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select value, repeat('x', 100) as text from generate_series(1, 200000)";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 200_000);
    assert!(batches.iter().all(|batch| batch.get_array_memory_size() < 4 << 20));
}

#[tokio::test]
async fn types_that_clients_cannot_read_are_made_plain() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select arrow_cast('x', 'Utf8View') as v, arrow_cast('y', 'Dictionary(Int32, Utf8)') as d, array_agg(name) as l from dim_courier";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let types: Vec<DataType> =
        info.clone().try_decode_schema().unwrap().fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(types[..2], [DataType::Utf8, DataType::Utf8]);
    assert!(matches!(&types[2], DataType::List(item) if *item.data_type() == DataType::Utf8), "{types:?}");
    fetch(&mut client, info).await.unwrap();
}

#[tokio::test]
async fn mistakes_have_their_codes_and_hints() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let cases = [
        (
            "select * from dim_couriers",
            Code::NotFound,
            "there is no table \"dim_couriers\" in the schema customs. Did you mean dim_courier or dim_country?",
        ),
        ("select nme from dim_courier", Code::InvalidArgument, "there is no column \"nme\". Did you mean name?"),
        ("selct 1", Code::InvalidArgument, "this is not valid SQL: "),
        (
            "insert into dim_courier values ('C4', '')",
            Code::PermissionDenied,
            "INSERT INTO is not allowed: the warehouse is read-only for SQL that asks for rows. Send it as an update",
        ),
        ("drop table dim_courier", Code::PermissionDenied, "read-only"),
        ("copy dim_courier to '/tmp/haetae-out.csv'", Code::PermissionDenied, "read-only"),
        ("set datafusion.execution.batch_size = 1", Code::PermissionDenied, "read-only"),
        ("select * from '/etc/passwd'", Code::NotFound, "there is no "),
    ];
    for (sql, code, part) in cases {
        let refused = status(ask(&mut client, sql)).await;
        assert_eq!(refused.code(), code, "{sql}: {refused}");
        assert!(refused.message().contains(part), "{sql}: {refused}");
        if !sql.starts_with("insert") {
            let update = status(client.execute_update(sql.to_owned(), None)).await;
            assert_eq!((update.code(), update.message()), (code, refused.message()), "{sql}");
        }
    }
    // An error in the middle of a result is the error of the result.
    let info = client.execute("select 1 / (value - 3) from generate_series(1, 5)".to_owned(), None).await.unwrap();
    let refused = status(fetch(&mut client, info)).await;
    assert!(refused.message().contains("Divide by zero"), "{refused}");
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);
}

#[tokio::test]
async fn a_ticket_sees_the_version_it_was_made_for() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.execute("select courier_id from dim_courier".to_owned(), None).await.unwrap();
    server.place.load("more.csv", "courier_id,name\nC9,Late\n");
    let rows: usize = fetch(&mut client, info).await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 3);
    assert_eq!(ask(&mut client, "select count(*) from dim_courier").await.unwrap(), [["4"]]);
}

#[tokio::test]
async fn the_schema_can_be_asked_for_alone() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let query = CommandStatementQuery { query: "select 1 as one, 'x' as two".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(query.as_any().encode_to_vec());
    let announced = client.execute(query.query.clone(), None).await.unwrap().try_decode_schema().unwrap();
    let mut request = tonic::Request::new(descriptor);
    let token = format!("Bearer {}", client.token().unwrap());
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    let answer = client.inner_mut().get_schema(request).await.unwrap().into_inner();
    assert_eq!(arrow::datatypes::Schema::try_from(&answer).unwrap(), announced);
}

#[tokio::test]
async fn what_is_not_supported_is_said_so() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let plan = CommandStatementSubstraitPlan::default().as_any().encode_to_vec();
    let refused = status(client.do_get(Ticket::new(plan))).await;
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Unimplemented, "this server does not support CommandStatementSubstraitPlan")
    );
    let junk = status(client.do_get(Ticket::new("select 1"))).await;
    assert_eq!(junk.code(), Code::InvalidArgument);
    assert!(junk.message().contains("expected a Flight SQL command, found something else"), "{junk}");
    let unknown = status(client.do_action(Action::new("Reboot", ""))).await;
    assert_eq!((unknown.code(), unknown.message()), (Code::Unimplemented, "this server has no action \"Reboot\""));
}
