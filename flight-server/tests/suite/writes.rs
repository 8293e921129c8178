//! Ingest: what is written, by whom, and that nothing is written by halves.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::Result;
use arrow_flight::sql::{
    CommandPreparedStatementUpdate, CommandStatementIngest, ProstMessageExt, TableDefinitionOptions, TableExistsOption,
    TableNotExistOption,
};
use arrow_flight::{FlightData, FlightDescriptor};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use haetae_flight_server::policy::hash_password;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::store::Store;
use prost::Message;
use tonic::{Code, IntoStreamingRequest};

use crate::harness::{Raw, Running, ask, status};
use crate::protocol::set_text;

pub const PASSWORD: &str = "a long password";

static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

/// kim and ann may write in work and into couriers, lee reads them alone, min sees everything.
pub fn policy() -> String {
    format!(
        "[users.kim]\nrole = \"writer\"\npassword = \"{0}\"\n[users.ann]\nrole = \"writer\"\npassword = \"{0}\"\n\
         [users.lee]\nrole = \"reader\"\npassword = \"{0}\"\n[users.min]\nrole = \"admin\"\npassword = \"{0}\"\n\
         [roles.admin]\nadmin = true\nauditor = true\n\
         [roles.writer]\ntables = [\"customs.dim_courier\", \"customs.dim_hs\"]\nclear = [\"identifier\", \"name\"]\n\
         write = [\"work\", \"customs.dim_courier\"]\n\
         [roles.reader]\ntables = [\"customs.dim_courier\"]\n",
        *HASH
    )
}

pub fn rows(names: &[&str], numbers: &[i64]) -> RecordBatch {
    let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
    let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("name", names, true), ("n", numbers, true)]).unwrap()
}

pub const CREATE: (TableNotExistOption, TableExistsOption) = (TableNotExistOption::Create, TableExistsOption::Fail);
pub const APPEND: (TableNotExistOption, TableExistsOption) = (TableNotExistOption::Fail, TableExistsOption::Append);
pub const REPLACE: (TableNotExistOption, TableExistsOption) = (TableNotExistOption::Create, TableExistsOption::Replace);
const EITHER: (TableNotExistOption, TableExistsOption) = (TableNotExistOption::Create, TableExistsOption::Append);

pub fn command(
    schema: &str,
    table: &str,
    (missing, there): (TableNotExistOption, TableExistsOption),
    transaction: Option<&Bytes>,
) -> CommandStatementIngest {
    CommandStatementIngest {
        table_definition_options: Some(TableDefinitionOptions {
            if_not_exist: missing as i32,
            if_exists: there as i32,
        }),
        table: table.to_owned(),
        schema: Some(schema.to_owned()),
        transaction_id: transaction.cloned(),
        ..CommandStatementIngest::default()
    }
}

pub async fn send(client: &mut Raw, command: CommandStatementIngest, batches: Vec<RecordBatch>) -> Result<i64> {
    client.execute_ingest(command, stream::iter(batches.into_iter().map(Ok))).await
}

pub async fn put(
    client: &mut Raw,
    table: &str,
    how: (TableNotExistOption, TableExistsOption),
    batches: Vec<RecordBatch>,
) -> Result<i64> {
    send(client, command("work", table, how, None), batches).await
}

pub fn versions(root: &Path) -> u64 {
    Store::open(root).unwrap().current_version().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_created_appended_to_and_replaced() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let all = "select name, n from work.notes order by n";
    assert_eq!(put(&mut client, "notes", CREATE, vec![rows(&["a"], &[1]), rows(&["b"], &[2])]).await.unwrap(), 2);
    assert_eq!(ask(&mut client, all).await.unwrap(), [["a", "1"], ["b", "2"]]);
    assert_eq!(status(put(&mut client, "notes", CREATE, vec![rows(&["c"], &[3])])).await.code(), Code::AlreadyExists);
    assert_eq!(put(&mut client, "notes", APPEND, vec![rows(&["c"], &[3])]).await.unwrap(), 1);
    assert_eq!(put(&mut client, "notes", EITHER, vec![rows(&["d"], &[4])]).await.unwrap(), 1);
    assert_eq!(ask(&mut client, "select count(*) from work.notes").await.unwrap(), [["4"]]);
    let float: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let other = RecordBatch::try_from_iter([("x", float)]).unwrap();
    assert_eq!(put(&mut client, "notes", REPLACE, vec![other]).await.unwrap(), 1);
    assert_eq!(ask(&mut client, "select * from work.notes").await.unwrap(), [["0.5"]]);
    assert_eq!(status(put(&mut client, "nothing", APPEND, vec![rows(&[], &[])])).await.code(), Code::NotFound);
    // A table without rows is a table.
    assert_eq!(put(&mut client, "empty", CREATE, vec![rows(&[], &[])]).await.unwrap(), 0);
    assert_eq!(ask(&mut client, "select count(n) from work.empty").await.unwrap(), [["0"]]);
    // The catalogue knows of it.
    let sql = "select table_name, row_count from meta.datasets where schema_name = 'work' order by table_name";
    assert_eq!(ask(&mut client, sql).await.unwrap(), [["empty", "0"], ["notes", "1"]]);
    let sql = "select column_name, data_type from meta.columns where schema_name = 'work' and table_name = 'notes'";
    assert_eq!(ask(&mut client, sql).await.unwrap(), [["x", "Float64"]]);
    let sql = "select distinct schema_name from meta.versions where table_name = 'notes'";
    assert_eq!(ask(&mut client, sql).await.unwrap(), [["work"]]);
    let undecided = CommandStatementIngest { table_definition_options: None, ..command("work", "t", CREATE, None) };
    assert_eq!(status(send(&mut client, undecided, vec![rows(&[], &[])])).await.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_are_refused_by_column_and_change_nothing() {
    let server = Running::start().await;
    let mut client = server.client().await;
    put(&mut client, "notes", CREATE, vec![rows(&["a"], &[1])]).await.unwrap();
    let before = versions(&server.place.root());
    let text: ArrayRef = Arc::new(StringArray::from(vec!["many"]));
    let float: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]));
    let batch = |name: &str, column: &ArrayRef| RecordBatch::try_from_iter([(name, Arc::clone(column))]).unwrap();
    for (how, table, wrong, part) in [
        (APPEND, "notes", batch("n", &text), "the column \"n\": expected Int64, found Utf8"),
        (APPEND, "notes", batch("n", &float), "the column \"n\": expected Int64, found Float64"),
        (APPEND, "notes", batch("m", &text), "the column \"m\": the table has none of that name; it has name, n"),
        (CREATE, "lists", batch("l", &list), "the column \"l\" is List"),
        (CREATE, "No Name", batch("n", &text), "a name has small letters"),
        (CREATE, "../up", batch("n", &text), "a name has small letters"),
    ] {
        let refused = status(put(&mut client, table, how, vec![wrong])).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().contains(part), "{refused}");
    }
    // The second batch has a number that is too large: the first one is not kept either.
    let small: ArrayRef = Arc::new(Int32Array::from(vec![0]));
    put(&mut client, "small", CREATE, vec![batch("n", &small)]).await.unwrap();
    let numbers = |n: i64| batch("n", &(Arc::new(Int64Array::from(vec![n])) as ArrayRef));
    let refused = status(put(&mut client, "small", APPEND, vec![numbers(1), numbers(1 << 40)])).await;
    assert!(refused.message().contains("the column \"n\": expected Int32"), "{refused}");
    assert_eq!(ask(&mut client, "select count(*) from work.small").await.unwrap(), [["1"]]);
    let before = before + 1;
    assert_eq!(ask(&mut client, "select count(*) from work.notes").await.unwrap(), [["1"]]);
    assert_eq!(versions(&server.place.root()), before);
    assert_eq!(std::fs::read_dir(server.place.root().join("tmp")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_loaded_by_the_rules_of_a_load() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let couriers = |ids: &[&str], names: &[&str]| {
        let column = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        RecordBatch::try_from_iter([("courier_id", column(ids)), ("name", column(names))]).unwrap()
    };
    // C1 is there already; it goes to the refused rows.
    let loaded =
        send(&mut client, command("customs", "dim_courier", APPEND, None), vec![couriers(&["C1", "C8"], &["x", "y"])]);
    assert_eq!(loaded.await.unwrap(), 1);
    assert_eq!(ask(&mut client, "select name from dim_courier where courier_id = 'C8'").await.unwrap(), [["y"]]);
    assert_eq!(ask(&mut client, "select count(*) from rejects").await.unwrap(), [["1"]]);
    let wrong =
        status(send(&mut client, command("customs", "dim_courier", APPEND, None), vec![rows(&["a"], &[1])])).await;
    assert_eq!(wrong.code(), Code::InvalidArgument, "{wrong}");
    let unknown = status(send(&mut client, command("customs", "notes", CREATE, None), vec![rows(&["a"], &[1])])).await;
    assert!(unknown.code() == Code::NotFound && unknown.message().contains("in the schema work"), "{unknown}");
}

/// Into `work.notes`, once.
fn keyed(key: &str) -> CommandStatementIngest {
    CommandStatementIngest {
        options: HashMap::from([("haetae.key".to_owned(), key.to_owned())]),
        ..command("work", "notes", EITHER, None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_meets_nobody_elses() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut ann = server.client_of("ann", PASSWORD).await;
    let key = "pipeline night 00ff";
    assert_eq!(send(&mut kim, keyed(key), vec![rows(&["a"], &[1])]).await.unwrap(), 1);
    assert_eq!(send(&mut ann, keyed(key), vec![rows(&["b"], &[2])]).await.unwrap(), 1);
    assert_eq!(ask(&mut ann, "select name from work.notes").await.unwrap(), [["b"]]);
    // A pipeline would pass over a file whose key is there.
    let changes = Changes::begin(&Store::open(server.place.root()).unwrap()).unwrap().with_key(key).unwrap();
    assert!(!changes.repeats());
    let version = versions(&server.place.root());
    let other = status(send(&mut kim, keyed(key), vec![rows(&["c"], &[3])])).await;
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    assert!(other.message().contains(&format!("the key \"{key}\" was used")), "{other}");
    assert_eq!(versions(&server.place.root()), version);
    for wrong in ["", "a\nb"] {
        let refused = status(send(&mut kim, keyed(wrong), vec![rows(&["d"], &[4])])).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_with_a_key_is_made_once() {
    let server = Running::start().await;
    let mut client = server.client().await;
    assert_eq!(send(&mut client, keyed("day 1"), vec![rows(&["a"], &[1])]).await.unwrap(), 1);
    let version = versions(&server.place.root());
    assert_eq!(send(&mut client, keyed("day 1"), vec![rows(&["a"], &[1])]).await.unwrap(), 1);
    assert_eq!(versions(&server.place.root()), version);
    let other = status(send(&mut client, keyed("day 1"), vec![rows(&["b"], &[1])])).await;
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    assert_eq!(send(&mut client, keyed("day 2"), vec![rows(&["a"], &[1])]).await.unwrap(), 1);
    assert_eq!(ask(&mut client, "select count(*) from work.notes").await.unwrap(), [["2"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_writes_what_the_policy_says_and_sees_their_own() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut ann = server.client_of("ann", PASSWORD).await;
    let mut lee = server.client_of("lee", PASSWORD).await;
    let mut min = server.client_of("min", PASSWORD).await;
    put(&mut kim, "notes", CREATE, vec![rows(&["kim's"], &[1])]).await.unwrap();
    // Another user's table of the same name is another table.
    put(&mut ann, "notes", CREATE, vec![rows(&["ann's"], &[2])]).await.unwrap();
    put(&mut min, "notes", CREATE, vec![rows(&["min's"], &[3])]).await.unwrap();
    let sql = "select name from work.notes";
    for (client, mine) in [(&mut kim, "kim's"), (&mut ann, "ann's"), (&mut min, "min's")] {
        assert_eq!(ask(client, sql).await.unwrap(), [[mine]]);
        let listed = ask(client, "select count(*) from information_schema.tables where table_schema = 'work'").await;
        assert_eq!(listed.unwrap(), [["1"]]);
    }
    assert_eq!(status(ask(&mut lee, sql)).await.code(), Code::NotFound);
    let id = rows(&["x"], &[1]);
    for (schema, table) in [("work", "notes"), ("customs", "dim_courier"), ("customs", "fact_item"), ("meta", "codes")]
    {
        let refused = status(send(&mut lee, command(schema, table, EITHER, None), vec![id.clone()])).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "{schema}.{table}: {refused}");
    }
    for (schema, table) in
        [("customs", "dim_hs"), ("customs", "fact_item"), ("work-6b696d", "notes"), ("customs", "rejects")]
    {
        let refused = status(send(&mut kim, command(schema, table, EITHER, None), vec![id.clone()])).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "{schema}.{table}: {refused}");
    }
    // What kim's table is called in the manifest names nothing in SQL.
    assert!(ask(&mut min, "select * from \"work-6b696d\".notes").await.is_err());
    let audit = "select user_name, tables, rows, outcome from system.audit where event = 'ingest' order by seq";
    let audit = ask(&mut min, audit).await.unwrap();
    assert_eq!(audit[0], ["kim", "work.notes", "1", "ok"]);
    assert!(audit.contains(&["lee", "work.notes", "0", "PermissionDenied"].map(str::to_owned).to_vec()), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_writes_nothing() {
    let server = Running::start().await;
    let mut client = server.client().await;
    put(&mut client, "a", CREATE, vec![rows(&["1"], &[1])]).await.unwrap();
    let before = versions(&server.place.root());
    let descriptor = FlightDescriptor::new_cmd(command("work", "a", APPEND, None).as_any().encode_to_vec());
    let some = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(descriptor))
        .build(stream::iter((0..4).map(|n| Ok(rows(&["x"], &[n])))));
    let some: Vec<_> = some.try_collect().await.unwrap();
    // The rows never end; the client leaves in the middle.
    let (left, going) = tokio::sync::oneshot::channel::<()>();
    let endless = stream::iter(some).chain(stream::once(async move {
        drop(left);
        std::future::pending().await
    }));
    let mut call = endless.into_streaming_request();
    let token = format!("Bearer {}", client.token().unwrap());
    call.metadata_mut().insert("authorization", token.parse().unwrap());
    let mut inner = client.inner().clone();
    let sending = tokio::spawn(async move { inner.do_put(call).await.map(drop) });
    assert!(going.await.is_err());
    sending.abort();
    let _ = sending.await;
    // The server notices, drops what was written, and goes on.
    let tmp = server.place.root().join("tmp");
    while std::fs::read_dir(&tmp).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(versions(&server.place.root()), before);
}

/// Rows of (event, tables, rows, outcome) of a user's changes, when there are some.
async fn changes_of(auditor: &mut Raw, user: &str) -> Vec<Vec<String>> {
    let sql = format!(
        "select event, tables, rows, outcome from system.audit where user_name = '{user}' and event in ('ingest', 'update') and outcome <> 'ok'"
    );
    loop {
        let found = ask(auditor, &sql).await.unwrap();
        if !found.is_empty() {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_waits_for_is_recorded() {
    let server = Running::under(&policy()).await;
    let mut min = server.client_of("min", PASSWORD).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut other = server.client_of("min", PASSWORD).await;
    // The statement has to be planned within its time, also where the machine is busy: its table is named then.
    for (client, seconds) in [(&mut kim, "1"), (&mut other, "4")] {
        put(client, "notes", CREATE, vec![rows(&["a"], &[1])]).await.unwrap();
        set_text(client, "query_seconds", seconds).await;
    }
    let before = versions(&server.place.root());
    // The rows never end.
    let descriptor = FlightDescriptor::new_cmd(command("work", "notes", APPEND, None).as_any().encode_to_vec());
    let some = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(descriptor))
        .build(stream::iter((0..4).map(|n| Ok(rows(&["x"], &[n])))));
    let some: Vec<_> = some.try_collect().await.unwrap();
    let mut call = stream::iter(some).chain(stream::pending()).into_streaming_request();
    let token = format!("Bearer {}", kim.token().unwrap());
    call.metadata_mut().insert("authorization", token.parse().unwrap());
    let late = kim.inner().clone().do_put(call).await.map(drop).unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
    assert_eq!(changes_of(&mut min, "kim").await, [["ingest", "work.notes", "0", "abandoned"]]);
    // A statement that has read rows.
    let sql = "insert into work.notes select 'x', count(*) from generate_series(1, 1000) a, \
               generate_series(1, 1000000000000) b where (a.value + b.value) % 7 = 3";
    let late = status(other.execute_update(sql.to_owned(), None)).await;
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
    let found = changes_of(&mut min, "min").await;
    assert!(found[0][0] == "update" && found[0][1].contains("work.notes") && found[0][3] == "abandoned", "{found:?}");
    assert_eq!(versions(&server.place.root()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_none_is_recorded() {
    let server = Running::under(&policy()).await;
    let mut min = server.client_of("min", PASSWORD).await;
    let kim = server.client_of("kim", PASSWORD).await;
    let update = CommandPreparedStatementUpdate { prepared_statement_handle: Bytes::from_static(b"none") };
    let descriptor = FlightDescriptor::new_cmd(update.as_any().encode_to_vec());
    let data = FlightData { flight_descriptor: Some(descriptor), ..FlightData::default() };
    let mut call = stream::iter([data]).into_streaming_request();
    call.metadata_mut().insert("authorization", format!("Bearer {}", kim.token().unwrap()).parse().unwrap());
    let refused = kim.inner().clone().do_put(call).await.map(drop).unwrap_err();
    let sql = "select event, outcome from system.audit where user_name = 'kim' and event <> 'login'";
    assert_eq!(ask(&mut min, sql).await.unwrap(), [["plan".to_owned(), format!("{:?}", refused.code())]]);
}
