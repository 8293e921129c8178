//! What a client can find out without SQL.

use arrow::array::{AsArray, BinaryArray};
use arrow::datatypes::{Schema, UInt32Type};
use arrow_flight::IpcMessage;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables, SqlInfo};

use crate::harness::{Running, ask, cells, fetch};

#[tokio::test]
async fn catalogs_schemas_and_table_types() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.get_catalogs().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["haetae"]]);
    let info = client.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap();
    assert_eq!(
        cells(&fetch(&mut client, info).await.unwrap()),
        ["course", "customs", "kcs", "meta", "quality", "risk", "system"].map(|schema| ["haetae", schema])
    );
    let only = CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: Some("k%".into()) };
    let info = client.get_db_schemas(only).await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["haetae", "kcs"]]);
    let info = client.get_table_types().await.unwrap();
    assert_eq!(cells(&fetch(&mut client, info).await.unwrap()), [["TABLE"]]);
}

#[tokio::test]
async fn tables_with_the_columns_that_queries_give() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.get_tables(CommandGetTables::default()).await.unwrap();
    let all = cells(&fetch(&mut client, info).await.unwrap());
    let own = haetae_schema::meta_tables().len()
        + haetae_schema::quality_tables().len()
        + haetae_schema::risk_tables().len()
        + haetae_schema::course_tables().len();
    // `system.queries` is the server's own.
    assert_eq!(all.len(), 2 * (haetae_schema::tables().len() + 1) + own + 1);
    assert_eq!(all[0], ["haetae", "course", "certificates", "TABLE"]);

    let wanted = CommandGetTables {
        db_schema_filter_pattern: Some("customs".into()),
        table_name_filter_pattern: Some("fact\\_%".into()),
        table_types: vec!["TABLE".into()],
        include_schema: true,
        ..CommandGetTables::default()
    };
    let info = client.get_tables(wanted).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let names: Vec<_> = batches[0].column(2).as_string::<i32>().iter().flatten().collect();
    let mut facts: Vec<&str> =
        haetae_schema::tables().iter().map(|table| table.name).filter(|name| name.starts_with("fact_")).collect();
    facts.sort_unstable();
    assert_eq!(names, facts);
    let schemas: &BinaryArray = batches[0].column(4).as_binary();
    for (name, message) in names.iter().zip(schemas) {
        let listed = Schema::try_from(IpcMessage(message.unwrap().to_vec().into())).unwrap();
        let info = client.execute(format!("select * from {name}"), None).await.unwrap();
        let queried = info.try_decode_schema().unwrap();
        let same =
            listed.fields().iter().zip(queried.fields()).all(|(a, b)| {
                a.name() == b.name() && a.data_type() == b.data_type() && a.is_nullable() == b.is_nullable()
            });
        assert!(same && listed.fields().len() == queried.fields().len(), "{name}");
        assert!(listed.fields().iter().all(|field| field.metadata().contains_key("comment")), "{name}");
    }
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let info = client.get_sql_info(vec![SqlInfo::FlightSqlServerName, SqlInfo::FlightSqlServerReadOnly]).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let ids: Vec<u32> = batches[0].column(0).as_primitive::<UInt32Type>().values().to_vec();
    assert_eq!(ids, [SqlInfo::FlightSqlServerName as u32, SqlInfo::FlightSqlServerReadOnly as u32]);
    let values = batches[0].column(1).as_union();
    assert_eq!(values.value(0).as_string::<i32>().value(0), "Haetae");
    // Some of its users may write.
    assert!(!values.value(1).as_boolean().value(0));
    let info = client.get_sql_info(Vec::new()).await.unwrap();
    assert!(fetch(&mut client, info).await.unwrap()[0].num_rows() > 10);
}

#[tokio::test]
async fn information_schema_answers_in_sql() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let sql = "select column_name, data_type, is_nullable from information_schema.columns \
         where table_schema = 'customs' and table_name = 'dim_courier' order by ordinal_position";
    let rows = ask(&mut client, sql).await.unwrap();
    assert_eq!(rows, [["courier_id", "Utf8View", "NO"], ["name", "Utf8View", "YES"]]);
}
