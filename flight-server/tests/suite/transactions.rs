//! Transactions: several changes that are one commit or none, and savepoints within them.

use arrow_flight::sql::{
    ActionBeginSavepointRequest, ActionBeginSavepointResult, ActionEndSavepointRequest, Any, EndTransaction,
    ProstMessageExt,
};
use bytes::Bytes;
use prost::Message;
use tonic::Code;

use crate::harness::{Raw, Running, ask, status};
use crate::protocol::act;
use crate::writes::{APPEND, CREATE, PASSWORD, REPLACE, command, policy, put, rows, send, versions};

/// What is done with a savepoint, in FlightSql.proto.
const RELEASE: i32 = 1;
const ROLLBACK: i32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_one_commit_or_none() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let before = versions(&server.place.root());
    let id = kim.begin_transaction().await.unwrap();
    send(&mut kim, command("work", "a", CREATE, Some(&id)), vec![rows(&["1"], &[1])]).await.unwrap();
    send(&mut kim, command("work", "b", CREATE, Some(&id)), vec![rows(&["2"], &[2])]).await.unwrap();
    send(&mut kim, command("work", "b", APPEND, Some(&id)), vec![rows(&["3"], &[3])]).await.unwrap();
    // A part that fails leaves the rest as it was.
    let again = send(&mut kim, command("work", "a", CREATE, Some(&id)), vec![rows(&["4"], &[4])]);
    assert_eq!(status(again).await.code(), Code::AlreadyExists);
    assert_eq!(status(ask(&mut kim, "select * from work.a")).await.code(), Code::NotFound);
    assert_eq!(versions(&server.place.root()), before);
    // It is kim's, of this login.
    let mut other = server.client_of("kim", PASSWORD).await;
    for client in [&mut server.client_of("ann", PASSWORD).await, &mut other] {
        let foreign = status(client.end_transaction(id.clone(), EndTransaction::Commit)).await;
        assert_eq!(foreign.code(), Code::NotFound, "{foreign}");
    }
    kim.end_transaction(id.clone(), EndTransaction::Commit).await.unwrap();
    assert_eq!(versions(&server.place.root()), before + 1);
    let both = "select (select count(*) from work.a) as a, (select sum(n) from work.b) as b";
    assert_eq!(ask(&mut kim, both).await.unwrap(), [["1", "5"]]);
    assert_eq!(status(kim.end_transaction(id, EndTransaction::Commit)).await.code(), Code::NotFound);

    let id = kim.begin_transaction().await.unwrap();
    send(&mut kim, command("work", "a", REPLACE, Some(&id)), vec![rows(&["9"], &[9])]).await.unwrap();
    // Queries see the version at the beginning, and none of a table that has been changed since.
    let changed = status(kim.execute("select * from work.a".to_owned(), Some(id.clone()))).await;
    assert_eq!(changed.code(), Code::FailedPrecondition, "{changed}");
    assert!(kim.execute("select * from work.b".to_owned(), Some(id.clone())).await.is_ok());
    kim.end_transaction(id, EndTransaction::Rollback).await.unwrap();
    assert_eq!(ask(&mut kim, "select n from work.a").await.unwrap(), [["1"]]);
    assert_eq!(versions(&server.place.root()), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_goes_back_to_a_savepoint() {
    let server = Running::start().await;
    let mut client = server.client().await;
    let id = client.begin_transaction().await.unwrap();
    let set = async |client: &Raw| {
        let asked = ActionBeginSavepointRequest { transaction_id: id.clone(), name: "s".to_owned() };
        let answer = act(client, "BeginSavepoint", asked.as_any().encode_to_vec()).await.unwrap();
        let answer: ActionBeginSavepointResult = Any::decode(answer).unwrap().unpack().unwrap().unwrap();
        answer.savepoint_id
    };
    let end = async |client: &Raw, savepoint_id: &Bytes, action: i32| {
        let asked = ActionEndSavepointRequest { savepoint_id: savepoint_id.clone(), action };
        act(client, "EndSavepoint", asked.as_any().encode_to_vec()).await.map(drop).map_err(|status| status.code())
    };
    send(&mut client, command("work", "a", CREATE, Some(&id)), vec![rows(&["1"], &[1])]).await.unwrap();
    let first = set(&client).await;
    send(&mut client, command("work", "a", APPEND, Some(&id)), vec![rows(&["2"], &[2])]).await.unwrap();
    let second = set(&client).await;
    send(&mut client, command("work", "b", CREATE, Some(&id)), vec![rows(&["3"], &[3])]).await.unwrap();
    let foreign = server.client().await;
    assert_eq!(end(&foreign, &first, ROLLBACK).await, Err(Code::NotFound));
    assert_eq!(end(&client, &first, 0).await, Err(Code::InvalidArgument));
    assert_eq!(end(&client, &first, ROLLBACK).await, Ok(()));
    // The one that was set after it is gone with it.
    assert_eq!(end(&client, &second, ROLLBACK).await, Err(Code::NotFound));
    let third = set(&client).await;
    send(&mut client, command("work", "a", APPEND, Some(&id)), vec![rows(&["4"], &[4])]).await.unwrap();
    assert_eq!(end(&client, &third, RELEASE).await, Ok(()));
    client.end_transaction(id.clone(), EndTransaction::Commit).await.unwrap();
    assert_eq!(ask(&mut client, "select n from work.a order by n").await.unwrap(), [["1"], ["4"]]);
    assert_eq!(status(ask(&mut client, "select * from work.b")).await.code(), Code::NotFound);
    assert_eq!(end(&client, &third, RELEASE).await, Err(Code::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_comes_too_late_changes_nothing() {
    let server = Running::start().await;
    let mut client = server.client().await;
    put(&mut client, "a", CREATE, vec![rows(&["1"], &[1])]).await.unwrap();
    let id = client.begin_transaction().await.unwrap();
    send(&mut client, command("work", "a", APPEND, Some(&id)), vec![rows(&["2"], &[2])]).await.unwrap();
    put(&mut client, "a", APPEND, vec![rows(&["3"], &[3])]).await.unwrap();
    assert_eq!(status(client.end_transaction(id, EndTransaction::Commit)).await.code(), Code::Aborted);
    assert_eq!(ask(&mut client, "select count(*) from work.a").await.unwrap(), [["2"]]);
    // The end of a session is the end of what it has open.
    let id = client.begin_transaction().await.unwrap();
    send(&mut client, command("work", "a", APPEND, Some(&id)), vec![rows(&["2"], &[2])]).await.unwrap();
    let mut second = server.client().await;
    let mut call = tonic::Request::new(arrow_flight::Action { r#type: "CloseSession".to_owned(), body: Bytes::new() });
    call.metadata_mut().insert("authorization", format!("Bearer {}", client.token().unwrap()).parse().unwrap());
    client.inner().clone().do_action(call).await.unwrap();
    assert_eq!(status(second.end_transaction(id, EndTransaction::Commit)).await.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_ends_a_transaction_and_its_rollback_is_none_to_refuse() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    let id = kim.begin_transaction().await.unwrap();
    send(&mut kim, command("work", "a", CREATE, Some(&id)), vec![rows(&["1"], &[1])]).await.unwrap();
    server.place.write_policy(&(policy() + "# another\n"));
    kim.end_transaction(id.clone(), EndTransaction::Rollback).await.unwrap();
    assert_eq!(status(kim.end_transaction(id, EndTransaction::Rollback)).await.code(), Code::NotFound);
    let id = kim.begin_transaction().await.unwrap();
    server.place.write_policy(&(policy() + "# one more\n"));
    assert_eq!(status(kim.end_transaction(id, EndTransaction::Commit)).await.code(), Code::Aborted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_names_the_table_as_its_owner_knows_it() {
    let server = Running::under(&policy()).await;
    let mut kim = server.client_of("kim", PASSWORD).await;
    put(&mut kim, "a", CREATE, vec![rows(&["1"], &[1])]).await.unwrap();
    let id = kim.begin_transaction().await.unwrap();
    send(&mut kim, command("work", "a", APPEND, Some(&id)), vec![rows(&["2"], &[2])]).await.unwrap();
    put(&mut kim, "a", APPEND, vec![rows(&["3"], &[3])]).await.unwrap();
    let late = status(kim.end_transaction(id, EndTransaction::Commit)).await;
    assert!(late.code() == Code::Aborted && late.message().contains("has changed work.a while"), "{late}");
}
