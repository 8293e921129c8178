//! DoExchange, compression, dictionaries, several endpoints.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{CommandStatementQuery, ProstMessageExt};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use futures::{TryStreamExt, stream};
use haetae_flight_server::{Bounds, ServeOptions};
use prost::Message;
use tonic::{Code, Request, Status};

use crate::harness::{Place, Raw, Running, cells, options};

fn request<T>(client: &Raw, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {}", client.token().unwrap());
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    request
}

fn numbers(values: &[i64]) -> RecordBatch {
    RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(values.to_vec())) as ArrayRef)]).unwrap()
}

async fn exchange(client: &Raw, sql: &str, values: Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Status> {
    let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let schema = numbers(&[]).schema();
    let values = stream::iter(values.into_iter().map(Ok));
    let data =
        FlightDataEncoderBuilder::new().with_schema(schema).with_flight_descriptor(Some(descriptor)).build(values);
    let data: Vec<FlightData> = data.try_collect().await.unwrap();
    let answer = client.inner().clone().do_exchange(request(client, stream::iter(data))).await?.into_inner();
    let rows =
        FlightRecordBatchStream::new_from_flight_data(answer.map_err(|status| FlightError::Tonic(Box::new(status))));
    rows.try_collect().await.map_err(|error| match error {
        FlightError::Tonic(status) => *status,
        other => panic!("{other}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn values_go_in_and_rows_come_out() {
    let server = Running::start().await;
    let client = server.client().await;
    let sql = "select b.value * cast($1 as bigint) as x from generate_series(1, 2) b order by x";
    let rows = exchange(&client, sql, vec![numbers(&[1, 10]), numbers(&[100])]).await.unwrap();
    assert_eq!(cells(&rows), [["1"], ["2"], ["10"], ["20"], ["100"], ["200"]]);
    let rows = exchange(&client, "select count(*) from dim_courier", Vec::new()).await.unwrap();
    assert_eq!(cells(&rows), [["3"]]);
    for (sql, code) in [
        ("selct 1", Code::InvalidArgument),
        ("select * from nothing", Code::NotFound),
        ("delete from dim_courier", Code::PermissionDenied),
        ("select 1 + $1", Code::InvalidArgument),
    ] {
        assert_eq!(exchange(&client, sql, Vec::new()).await.unwrap_err().code(), code, "{sql}");
    }
    let call = request(&client, stream::iter([FlightData::default()]));
    let refused = client.inner().clone().do_exchange(call).await.map(drop).unwrap_err();
    assert!(refused.message().contains("names no command"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_says_where_it_ends() {
    let server = Running::start().await;
    let client = server.client().await;
    let query = "select courier_id, name from dim_courier where courier_id = $1".to_owned();
    let command = CommandStatementQuery { query, transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let ids = |id: &str| {
        let ids: ArrayRef = Arc::new(StringArray::from_iter_values([id]));
        RecordBatch::try_from_iter([("id", ids)]).unwrap()
    };
    let values = stream::iter(["C1", "C9", "C3", "C2"].map(|id| Ok(ids(id))));
    let data = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor)).build(values);
    let mut data = data.try_collect::<Vec<FlightData>>().await.unwrap().into_iter();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    // The columns, and the first values.
    data.by_ref().take(2).for_each(|message| sender.unbounded_send(message).unwrap());
    let mut answer = client.inner().clone().do_exchange(request(&client, receiver)).await.unwrap().into_inner();
    let schema = answer.message().await.unwrap().unwrap();
    let expected = [vec![["C1", "Fast"]], vec![], vec![["C3", "느린 택배"]], vec![["C2", ""]]];
    for (number, expected) in expected.into_iter().enumerate() {
        // The next values are not sent before the answer is here.
        let mut messages = vec![schema.clone()];
        while messages.last().unwrap().app_metadata.is_empty() {
            messages.push(answer.message().await.unwrap().unwrap());
        }
        assert_eq!(messages.last().unwrap().app_metadata, number.to_string());
        let rows = FlightRecordBatchStream::new_from_flight_data(stream::iter(messages.into_iter().map(Ok)));
        assert_eq!(cells(&rows.try_collect::<Vec<_>>().await.unwrap()), expected);
        match data.next() {
            Some(next) => sender.unbounded_send(next).unwrap(),
            None => sender.close_channel(),
        }
    }
    assert!(answer.message().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_ends_with_its_session() {
    let server = Running::under(&crate::writes::policy()).await;
    let client = server.client_of("min", crate::writes::PASSWORD).await;
    let command = CommandStatementQuery { query: "select cast($1 as bigint) as n".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let values = stream::iter([1, 2, 3].map(|n| Ok(numbers(&[n]))));
    let data = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor)).build(values);
    let mut data = data.try_collect::<Vec<FlightData>>().await.unwrap().into_iter();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    data.by_ref().take(2).for_each(|message| sender.unbounded_send(message).unwrap());
    let mut answer = client.inner().clone().do_exchange(request(&client, receiver)).await.unwrap().into_inner();
    for at in 0..3 {
        let message = answer.message().await.unwrap().unwrap();
        // The first message is the schema.
        match at {
            0 => assert!(message.app_metadata.is_empty()),
            1 => {
                assert_eq!(message.app_metadata, "0");
                sender.unbounded_send(data.next().unwrap()).unwrap();
            }
            _ => assert_eq!(message.app_metadata, "1"),
        }
    }
    crate::protocol::act(&client, "CloseSession", "").await.unwrap();
    sender.unbounded_send(data.next().unwrap()).unwrap();
    let ended = answer.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated);
    assert!(ended.message().contains("the exchange has ended"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_waits_for_values_takes_no_place() {
    let one = std::num::NonZero::new(1).unwrap();
    let bounds = Bounds { interactive: one, patience: std::time::Duration::from_secs(60), ..Bounds::default() };
    let options = ServeOptions { bounds, ..options() };
    let server = Running::serving(Place::new(), &options).await;
    let mut client = server.client().await;
    let command = CommandStatementQuery { query: "select cast($1 as bigint) as n".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let values = stream::iter([1, 2].map(|n| Ok(numbers(&[n]))));
    let data = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor)).build(values);
    let mut data = data.try_collect::<Vec<FlightData>>().await.unwrap().into_iter();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    data.by_ref().take(2).for_each(|message| sender.unbounded_send(message).unwrap());
    let mut answer = client.inner().clone().do_exchange(request(&client, receiver)).await.unwrap().into_inner();
    while answer.message().await.unwrap().unwrap().app_metadata.is_empty() {}
    assert_eq!(crate::harness::ask(&mut client, "select 1").await.unwrap(), [["1"]]);
    sender.unbounded_send(data.next().unwrap()).unwrap();
    assert_eq!(answer.message().await.unwrap().unwrap().app_metadata, "1");
    sender.close_channel();
    assert!(answer.message().await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_is_the_same_in_every_way_it_is_sent() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select value, repeat('가', value % 40) as t, case when value % 3 = 0 then null else value end as n, \
               value % 2 = 0 as b \
               from generate_series(1, 60000) order by value";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let (bytes, rows) = raw(&client, &info, None).await.unwrap();
    assert!(bytes > 2 << 20 && rows.iter().map(RecordBatch::num_rows).sum::<usize>() == 60_000, "{bytes} bytes");
    let expected = cells(&rows);
    assert_eq!(cells(&raw(&client, &info, Some("lz4")).await.unwrap().1), expected);
    assert_eq!(cells(&exchange(&client, sql, Vec::new()).await.unwrap()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_shows_what_the_policy_shows() {
    let server = Running::under(&crate::writes::policy()).await;
    let lee = server.client_of("lee", crate::writes::PASSWORD).await;
    let refused = exchange(&lee, "select * from fact_item", Vec::new()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let rows = exchange(&lee, "select name from dim_courier order by name", Vec::new()).await.unwrap();
    assert_eq!(cells(&rows)[0], ["F**"]);
    let stranger = server.stranger().await;
    let refused = stranger.inner().clone().do_exchange(Request::new(stream::iter([FlightData::default()]))).await;
    assert_eq!(refused.map(drop).unwrap_err().code(), Code::Unauthenticated);
    let mut min = server.client_of("min", crate::writes::PASSWORD).await;
    let audit = "select user_name, tables, rows from system.audit where event = 'query' and outcome = 'ok'";
    assert_eq!(crate::harness::ask(&mut min, audit).await.unwrap(), [["lee", "customs.dim_courier", "3"]]);
}

/// The messages of a result, and its batches.
async fn raw(client: &Raw, info: &FlightInfo, compression: Option<&str>) -> Result<(usize, Vec<RecordBatch>), Status> {
    let mut call = request(client, info.endpoint[0].ticket.clone().unwrap());
    if let Some(compression) = compression {
        call.metadata_mut().insert("x-haetae-compression", compression.parse().unwrap());
    }
    let data: Vec<FlightData> = client.inner().clone().do_get(call).await?.into_inner().try_collect().await?;
    let bytes = data.iter().map(|message| message.data_body.len()).sum();
    let rows = FlightRecordBatchStream::new_from_flight_data(stream::iter(data.into_iter().map(Ok)));
    Ok((bytes, rows.try_collect().await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_chooses_the_compression() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select repeat('haetae', 20) as t, value from generate_series(1, 20000) order by value";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let (plain, expected) = raw(&client, &info, None).await.unwrap();
    for codec in ["lz4", "zstd", "none"] {
        let (bytes, rows) = raw(&client, &info, Some(codec)).await.unwrap();
        assert_eq!(cells(&rows), cells(&expected));
        assert!(if codec == "none" { bytes == plain } else { bytes * 4 < plain }, "{codec}: {bytes} of {plain}");
    }
    assert_eq!(raw(&client, &info, Some("gzip")).await.unwrap_err().code(), Code::InvalidArgument);
    crate::protocol::set_text(&client, "ipc_compression", "zstd").await;
    assert!(raw(&client, &info, None).await.unwrap().0 * 4 < plain);
    assert_eq!(raw(&client, &info, Some("none")).await.unwrap().0, plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn dictionaries_stay_where_they_are_wanted() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql =
        "select arrow_cast(concat('v', value % 3), 'Dictionary(Int32, Utf8)') as d from generate_series(1, 20000)";
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let (plain, rows) = raw(&client, &info, None).await.unwrap();
    assert_eq!(*rows[0].schema().field(0).data_type(), DataType::Utf8);
    crate::protocol::set_text(&client, "dictionaries", "true").await;
    let exchanged = exchange(&client, sql, Vec::new()).await.unwrap();
    let info = client.execute(sql.to_owned(), None).await.unwrap();
    let wanted = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    assert_eq!(*info.clone().try_decode_schema().unwrap().field(0).data_type(), wanted);
    let (small, kept) = raw(&client, &info, None).await.unwrap();
    assert!(kept.iter().all(|batch| *batch.schema().field(0).data_type() == wanted));
    assert!(exchanged.iter().all(|batch| *batch.schema().field(0).data_type() == wanted));
    // The order of the rows is not said.
    let sorted = |batches: &[RecordBatch]| {
        let mut cells = cells(batches);
        cells.sort();
        cells
    };
    assert_eq!(sorted(&kept), sorted(&rows));
    assert_eq!(sorted(&exchanged), sorted(&rows));
    assert!(small < plain, "{small} of {plain}");
}

/// The rows of all endpoints, one after another.
async fn all(client: &Raw, info: &FlightInfo) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for endpoint in &info.endpoint {
        let one = FlightInfo { endpoint: vec![endpoint.clone()], ..info.clone() };
        rows.extend(cells(&raw(client, &one, None).await.unwrap().1));
    }
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_divided_among_endpoints_where_that_changes_nothing() {
    let server = Running::under(&crate::writes::policy()).await;
    for n in 0..5 {
        server.place.load(&format!("{n}.csv"), &format!("courier_id,name\nD{n},Name {n}\nE{n},\n"));
    }
    for user in ["min", "lee"] {
        let mut client = server.client_of(user, crate::writes::PASSWORD).await;
        let sql = "select c.courier_id, upper(name) as n from dim_courier c where name is not null";
        let info = client.execute(sql.to_owned(), None).await.unwrap();
        let (whole, one) = (all(&client, &info).await, info.endpoint.len());
        assert_eq!((whole.len(), one, info.ordered), (7, 1, false), "{whole:?}");
        crate::protocol::set_text(&client, "endpoints", "4").await;
        let info = client.execute(sql.to_owned(), None).await.unwrap();
        assert_eq!((info.endpoint.len(), info.ordered), (4, true));
        assert_eq!(all(&client, &info).await, whole);
        // As many for everyone, however many files there are: the number would tell how much is hidden.
        crate::protocol::set_text(&client, "endpoints", "20").await;
        let info = client.execute(sql.to_owned(), None).await.unwrap();
        assert_eq!(info.endpoint.len(), 20);
        assert_eq!(all(&client, &info).await, whole);
        for sql in [
            "select count(*) from dim_courier",
            "select distinct name from dim_courier",
            "select * from dim_courier limit 3",
            "select * from dim_courier order by 1",
            "select row_number() over () as r from dim_courier",
            "select * from dim_courier where courier_id in (select max(courier_id) from dim_courier)",
            "select courier_id, (select count(*) from dim_courier) as c from dim_courier",
            "select a.* from dim_courier a, dim_courier b",
            "select 1 as one",
            "select * from meta.codes",
        ] {
            let info = client.execute(sql.to_owned(), None).await.unwrap();
            assert_eq!((info.endpoint.len(), info.ordered), (1, false), "{sql}");
        }
    }
}
