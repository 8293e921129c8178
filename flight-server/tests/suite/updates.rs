//! INSERT, DELETE and UPDATE, plain and prepared: what they change, and what they do not tell.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::sql::{CommandStatementIngest, EndTransaction, TableDefinitionOptions};
use tonic::Code;

use crate::harness::{Raw, Running, ask, status};
use crate::writes::{PASSWORD, policy};

async fn run(client: &mut Raw, sql: &str) -> arrow_flight::error::Result<i64> {
    client.execute_update(sql.to_owned(), None).await
}

async fn notes(client: &mut Raw) {
    let options = TableDefinitionOptions { if_not_exist: 1, if_exists: 1 };
    let command = CommandStatementIngest {
        table_definition_options: Some(options),
        table: "notes".to_owned(),
        schema: Some("work".to_owned()),
        ..CommandStatementIngest::default()
    };
    let batch = crate::writes::rows(&["a", "b", "c"], &[1, 2, 3]);
    client.execute_ingest(command, futures::stream::iter([Ok(batch)])).await.unwrap();
}

const ALL: &str = "select name, n from work.notes order by n, name";

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_own_table_are_changed() {
    let server = Running::start().await;
    let mut client = server.client().await;
    notes(&mut client).await;
    assert_eq!(run(&mut client, "insert into work.notes (n, name) values (4, 'd'), (5, null)").await.unwrap(), 2);
    assert_eq!(
        run(&mut client, "insert into work.notes select upper(name), n + 10 from work.notes where n < 3")
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        run(&mut client, "update work.notes set name = name || '!', n = n + 100 where n > 10").await.unwrap(),
        2
    );
    assert_eq!(run(&mut client, "delete from work.notes where name is null or n = 2").await.unwrap(), 2);
    // A condition that is neither true nor false removes nothing.
    assert_eq!(run(&mut client, "delete from work.notes where n = null").await.unwrap(), 0);
    let left = [["a", "1"], ["c", "3"], ["d", "4"], ["A!", "111"], ["B!", "112"]];
    assert_eq!(ask(&mut client, ALL).await.unwrap(), left);
    assert_eq!(run(&mut client, "update work.notes as t set n = 0 where t.n > 100").await.unwrap(), 2);
    assert_eq!(run(&mut client, "delete from work.notes").await.unwrap(), 5);
    assert_eq!(ask(&mut client, "select count(*) from work.notes").await.unwrap(), [["0"]]);
    assert_eq!(run(&mut client, "insert into work.notes values ('again', 1)").await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_data_are_changed_by_their_keys() {
    let server = Running::start().await;
    let mut client = server.client().await;
    assert_eq!(run(&mut client, "insert into dim_courier values ('C4', 'New')").await.unwrap(), 1);
    assert_eq!(
        run(&mut client, "update dim_courier set name = 'Slow' where courier_id in ('C1', 'C2')").await.unwrap(),
        2
    );
    assert_eq!(run(&mut client, "delete from dim_courier where courier_id in (select 'C3')").await.unwrap(), 1);
    let all = "select courier_id, name from dim_courier order by 1";
    assert_eq!(ask(&mut client, all).await.unwrap(), [["C1", "Slow"], ["C2", "Slow"], ["C4", "New"]]);
    // All or nothing: one of the rows has a key that is there.
    let refused = status(run(&mut client, "insert into dim_courier values ('C9', 'x'), ('C1', 'y')")).await;
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("duplicate key courier_id \"C1\""), "{refused}");
    assert_eq!(ask(&mut client, "select count(*) from dim_courier").await.unwrap(), [["3"]]);
    assert_eq!(ask(&mut client, "select count(*) from rejects").await.unwrap(), [["0"]]);
    let key = status(run(&mut client, "update dim_courier set courier_id = 'C5'")).await;
    assert!(key.message().contains("part of the key"), "{key}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_is_run_for_each_row_of_values() {
    let server = Running::start().await;
    let mut client = server.client().await;
    notes(&mut client).await;
    let values = |names: &[&str], numbers: &[i64]| {
        let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
        RecordBatch::try_from_iter([("1", names), ("2", numbers)]).unwrap()
    };
    let mut insert = client.prepare("insert into work.notes values (?, ?)".to_owned(), None).await.unwrap();
    assert_eq!(insert.dataset_schema().unwrap().fields().len(), 0);
    assert_eq!(insert.parameter_schema().unwrap().fields().len(), 2);
    insert.set_parameters(values(&["d", "e", "f"], &[4, 5, 6])).unwrap();
    assert_eq!(insert.execute_update().await.unwrap(), 3);
    let mut delete = client.prepare("delete from work.notes where name = ? or n = ?".to_owned(), None).await.unwrap();
    delete.set_parameters(values(&["a", "f"], &[2, 100])).unwrap();
    assert_eq!(delete.execute_update().await.unwrap(), 3);
    assert_eq!(ask(&mut client, ALL).await.unwrap(), [["c", "3"], ["d", "4"], ["e", "5"]]);
    let mut update = client.prepare("update work.notes set name = ? where n = ?".to_owned(), None).await.unwrap();
    update.set_parameters(values(&["x", "y"], &[3, 4])).unwrap();
    assert!(status(update.execute_update()).await.message().contains("one row of values at a time"));
    update.set_parameters(values(&["x"], &[3])).unwrap();
    assert_eq!(update.execute_update().await.unwrap(), 1);
    assert_eq!(ask(&mut client, ALL).await.unwrap()[0], ["x", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_through_a_change_what_they_may_not_see() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let mut lee = server.client_of("lee", PASSWORD).await;
    notes(&mut kim).await;
    // Tables that kim does not see do not exist, in a condition or a source neither.
    for sql in [
        "insert into work.notes select declaration_id, 1 from fact_item",
        "delete from work.notes where n in (select item_no from fact_item)",
        "update work.notes set name = (select max(importer_id) from fact_item)",
        "delete from fact_item",
        "delete from work.others",
    ] {
        assert_eq!(status(run(&mut kim, sql)).await.code(), Code::NotFound, "{sql}");
    }
    for sql in ["delete from dim_hs", "insert into dim_hs select * from dim_hs", "update dim_hs set hs6 = '1'"] {
        assert_eq!(status(run(&mut kim, sql)).await.code(), Code::PermissionDenied, "{sql}");
    }
    for sql in [
        "delete from dim_courier",
        "update dim_courier set name = 'x'",
        "insert into dim_courier values ('C9', 'x')",
        "delete from meta.codes",
    ] {
        assert_eq!(status(run(&mut lee, sql)).await.code(), Code::PermissionDenied, "{sql}");
    }
    // Whoever sees names in part cannot be given the right to change them.
    let masked = policy().replace("\"identifier\", \"name\"", "\"identifier\"");
    let found = haetae_flight_server::policy::Policy::parse("p.toml", &masked).unwrap_err().to_string();
    assert!(found.contains("customs.dim_courier cannot be in `write`"), "{found}");
    assert_eq!(run(&mut kim, "delete from dim_courier where courier_id = 'C2'").await.unwrap(), 1);
    let mut min = server.client_of("min", PASSWORD).await;
    let sql =
        "select user_name, statement, tables, rows, outcome from system.audit where event = 'update' order by seq";
    let audit = ask(&mut min, sql).await.unwrap();
    let last = audit.last().unwrap();
    assert_eq!(last[..], ["kim", "delete from dim_courier where courier_id = ?", "customs.dim_courier", "1", "ok"]);
    assert!(audit.iter().any(|row| row[0] == "lee" && row[4] == "PermissionDenied"), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_safely_is_refused() {
    let server = Running::start().await;
    let mut client = server.client().await;
    notes(&mut client).await;
    for (sql, part) in [
        ("delete from work.notes limit 1", ""),
        ("delete from work.notes where n in (select 1)", "no subquery"),
        ("update work.notes set n = d.n from (select 1 as n) d", "FROM is not supported"),
        ("insert overwrite work.notes values ('a', 1)", ""),
        ("truncate table work.notes", ""),
        ("select 1", "this is a query"),
    ] {
        let refused = status(run(&mut client, sql)).await;
        assert!(refused.message().contains(part), "{sql}: {refused}");
    }
    let id = client.begin_transaction().await.unwrap();
    assert_eq!(
        client.execute_update("delete from work.notes where n = 1".to_owned(), Some(id.clone())).await.unwrap(),
        1
    );
    let twice = status(client.execute_update("delete from work.notes where n = 2".to_owned(), Some(id.clone()))).await;
    assert_eq!(twice.code(), Code::FailedPrecondition, "{twice}");
    client.end_transaction(id, EndTransaction::Commit).await.unwrap();
    assert_eq!(ask(&mut client, "select count(*) from work.notes").await.unwrap(), [["2"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_edited_by_who_may_and_kept_with_who_did() {
    // Those of the other tests, and a right on entries of tables.
    let with = policy().replacen("write = [", "write = [\"meta.datasets\", ", 1);
    assert_ne!(with, policy());
    let server = Running::under(&with).await;
    let (mut kim, mut lee) = (server.client_of("kim", PASSWORD).await, server.client_of("lee", PASSWORD).await);
    let sql = "update meta.datasets set steward = 'Kim' where table_name = 'dim_courier' and schema_name = 'customs'";
    let asked = "select steward from meta.datasets where table_name = 'dim_courier' and schema_name = 'customs'";
    let before = ask(&mut kim, asked).await.unwrap();
    assert_eq!(status(run(&mut lee, sql)).await.code(), Code::PermissionDenied);
    assert_eq!(run(&mut kim, sql).await.unwrap(), 1);
    assert_eq!(ask(&mut kim, asked).await.unwrap(), [["Kim"]]);
    let refused = status(run(&mut kim, "update meta.columns set description = 'x'")).await;
    assert!(refused.message().contains("changing meta.columns is not allowed"), "{refused}");
    let kept = "select edited_by, property, value, in_force from meta.edits";
    assert_eq!(ask(&mut kim, kept).await.unwrap(), [["kim", "steward", "Kim", "true"]]);
    let id = kim.begin_transaction().await.unwrap();
    let taken = "delete from meta.edits where property = 'steward'";
    assert_eq!(kim.execute_update(taken.to_owned(), Some(id.clone())).await.unwrap(), 1);
    // What a transaction has edited is not read by its own statements.
    let twice = status(kim.execute_update(sql.to_owned(), Some(id.clone()))).await;
    assert_eq!(twice.code(), Code::FailedPrecondition, "{twice}");
    kim.end_transaction(id, EndTransaction::Rollback).await.unwrap();
    assert_eq!(ask(&mut kim, asked).await.unwrap(), [["Kim"]]);
    assert_eq!(run(&mut kim, taken).await.unwrap(), 1);
    assert_eq!(ask(&mut kim, asked).await.unwrap(), before);
    let mut min = server.client_of("min", PASSWORD).await;
    let sql = "select user_name, tables, rows, outcome from system.audit where event = 'update' and statement like \
               'update meta.datasets%' order by seq";
    let audit = ask(&mut min, sql).await.unwrap();
    let one = |user: &str, outcome: &str| audit.iter().filter(|row| row[0] == user && row[3] == outcome).count();
    assert_eq!(
        (one("kim", "ok"), one("lee", "PermissionDenied"), one("kim", "FailedPrecondition")),
        (1, 1, 1),
        "{audit:?}"
    );
}
