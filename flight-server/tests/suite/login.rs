//! Who is let in, and what the others are told.

use arrow_flight::sql::{CommandGetTables, CommandStatementQuery, ProstMessageExt};
use arrow_flight::{Action, Criteria, Empty, FlightDescriptor, HandshakeRequest, Ticket};
use prost::Message;
use tonic::Code;

use crate::harness::{Raw, Running, ask, password, status};

#[tokio::test]
async fn the_password_opens_and_nothing_else_does() {
    let server = Running::start().await;
    let mut client = server.client().await;
    assert_eq!(ask(&mut client, "select 1").await.unwrap(), [["1"]]);

    let wrong = server.stranger().await.handshake("haetae", "wrong").await.unwrap_err().to_string();
    assert!(
        wrong.contains("wrong user name or password; the user is haetae and the password stands in server.secret"),
        "{wrong}"
    );
    let right = password(&server.place.root());
    assert!(server.stranger().await.handshake("admin", &right).await.is_err());

    let mut guest = server.stranger().await;
    let refused = status(ask(&mut guest, "select 1")).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().starts_with("no bearer token; log in with user name and password first"), "{refused}");
    guest.set_token("forged".to_owned());
    assert_eq!(status(ask(&mut guest, "select 1")).await.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_wrong_password_is_unauthenticated() {
    let server = Running::start().await;
    let flight = server.stranger().await.into_inner();
    let call = |user: &str, password: &str| {
        let auth = arrow_flight::BasicAuth { username: user.to_owned(), password: password.to_owned() };
        let payload = if user.is_empty() { Vec::new() } else { auth.encode_to_vec() };
        let message = HandshakeRequest { protocol_version: 0, payload: payload.into() };
        let mut flight = flight.clone();
        async move { flight.handshake(futures::stream::iter([message])).await.map(|answer| answer.metadata().clone()) }
    };
    assert_eq!(call("haetae", "wrong").await.unwrap_err().code(), Code::Unauthenticated);
    let empty = call("", "").await.unwrap_err();
    assert_eq!(empty.code(), Code::Unauthenticated);
    assert!(empty.message().contains("expected user name and password"), "{empty}");
    // The older way, by the payload.
    let headers = call("haetae", &password(&server.place.root())).await.unwrap();
    assert!(headers.get("authorization").unwrap().to_str().unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn no_call_answers_a_stranger() {
    let server = Running::start().await;
    let mut flight = server.stranger().await.into_inner();
    let query = CommandStatementQuery { query: "select 1".to_owned(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(query.as_any().encode_to_vec());
    let tables = Ticket::new(CommandGetTables::default().as_any().encode_to_vec());
    let put = arrow_flight::FlightData::new().with_descriptor(descriptor.clone());
    let codes = [
        flight.get_flight_info(descriptor.clone()).await.unwrap_err().code(),
        flight.get_schema(descriptor.clone()).await.unwrap_err().code(),
        flight.poll_flight_info(descriptor).await.unwrap_err().code(),
        flight.do_get(tables).await.unwrap_err().code(),
        flight.do_put(futures::stream::iter([put.clone()])).await.unwrap_err().code(),
        flight.do_exchange(futures::stream::iter([put])).await.unwrap_err().code(),
        flight.do_action(Action::new("CreatePreparedStatement", "")).await.unwrap_err().code(),
        flight.list_actions(Empty {}).await.unwrap_err().code(),
        flight.list_flights(Criteria::default()).await.unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::Unauthenticated; 9]);
}

#[tokio::test]
async fn a_ticket_of_another_server_is_unknown() {
    let (one, other) = (Running::start().await, Running::start().await);
    let mut client: Raw = one.client().await;
    let info = client.execute("select 1".to_owned(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut elsewhere = other.client().await;
    let refused = status(elsewhere.do_get(ticket.clone())).await;
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("it may have been restarted. Run the query again"), "{refused}");

    let mut forged = ticket.ticket.to_vec();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(status(client.do_get(Ticket::new(forged))).await.code(), Code::NotFound);
}
