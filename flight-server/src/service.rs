//! What goes in: Flight calls. What comes out: Flight answers, for those who have logged in.
//!
//! The Flight service is written out here, not generated from arrow-flight's `FlightSqlService`,
//! because that one lets nobody answer GetSchema, and names actions that the server does not have.

use std::fmt;
use std::pin::Pin;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{ActionCreatePreparedStatementRequest, Any, Command, DoPutUpdateResult, ProstMessageExt};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tokio::sync::watch;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use crate::auth::{Auth, basic_credentials, payload_credentials};
use crate::running::{Running, guarded};
use crate::statements::{Statements, flight_info, schema_message};
use crate::{Result, encode, metadata, status};

const CREATE_PREPARED: &str = "CreatePreparedStatement";
const CLOSE_PREPARED: &str = "ClosePreparedStatement";

type Answers<T> = Pin<Box<dyn futures::Stream<Item = Result<T, Status>> + Send>>;
type Reply<T> = Result<Response<T>, Status>;

/// The Flight SQL service.
pub(crate) struct Service {
    auth: Auth,
    statements: Statements,
    running: Running,
}

impl Service {
    pub(crate) fn new(auth: Auth, statements: Statements) -> Self {
        Self { auth, statements, running: Running::new() }
    }

    /// How many results are being sent, now and whenever that changes.
    pub(crate) fn running(&self) -> watch::Receiver<usize> {
        self.running.count()
    }

    /// Ends every result that is being sent.
    pub(crate) fn stop(&self) {
        self.running.stop();
    }

    async fn info(&self, headers: &MetadataMap, descriptor: &FlightDescriptor) -> Result<FlightInfo, Status> {
        let principal = self.auth.principal(headers)?;
        let info = match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(query) => {
                refuse_transaction(query.transaction_id.as_ref())?;
                self.statements.info(&principal, query.query).await?
            }
            Command::CommandPreparedStatementQuery(query) => {
                self.statements.prepared_info(&principal, &query.prepared_statement_handle).await?
            }
            other => match metadata::answer(&other, &self.statements.snapshot()?) {
                // The answer is the same for everyone who is let in, so that the ticket needs no seal.
                Some(answer) => flight_info(&answer?.schema(), descriptor.cmd.to_vec())?,
                None => return Err(unsupported(&other)),
            },
        };
        Ok(info.with_descriptor(descriptor.clone()))
    }

    async fn rows(
        &self,
        headers: &MetadataMap,
        ticket: &[u8],
    ) -> Result<BoxStream<'static, Result<FlightData, Status>>, Status> {
        let principal = self.auth.principal(headers)?;
        let data = match command(ticket)? {
            Command::TicketStatementQuery(ticket) => {
                let rows = self.statements.fetch(&principal, &ticket.statement_handle).await?;
                let schema = rows.schema();
                encode::flight_data(&schema, rows.map_err(|error| status::from_warehouse(&error)))
            }
            other => match metadata::answer(&other, &self.statements.snapshot()?) {
                Some(answer) => {
                    let answer = answer?;
                    encode::flight_data(&answer.schema(), stream::iter([Ok(answer)]))
                }
                None => return Err(unsupported(&other)),
            },
        };
        Ok(self.running.hold(data))
    }

    async fn put(&self, headers: &MetadataMap, mut data: Streaming<FlightData>) -> Result<Bytes, Status> {
        let principal = self.auth.principal(headers)?;
        let first = data.message().await?.ok_or_else(|| Status::invalid_argument("the call has no message"))?;
        let descriptor = first.flight_descriptor.clone();
        let descriptor = descriptor.ok_or_else(|| Status::invalid_argument("the first message names no command"))?;
        match command(&descriptor.cmd)? {
            Command::CommandPreparedStatementQuery(query) => {
                let values = stream::once(async move { Ok(first) }).chain(data);
                let bound = self.statements.bind(&principal, &query.prepared_statement_handle, values).await?;
                Ok(bound.encode_to_vec().into())
            }
            Command::CommandStatementUpdate(update) => {
                // A statement that changes something is refused in planning, with its own message.
                self.statements.info(&principal, update.query).await?;
                Ok(DoPutUpdateResult { record_count: 0 }.encode_to_vec().into())
            }
            Command::CommandStatementIngest(_) | Command::CommandPreparedStatementUpdate(_) => {
                Err(Status::permission_denied(
                    "the warehouse is read-only for Flight SQL; to load data, use `haetae-server ingest`",
                ))
            }
            other => Err(unsupported(&other)),
        }
    }

    async fn action(&self, headers: &MetadataMap, action: Action) -> Result<Vec<Bytes>, Status> {
        let principal = self.auth.principal(headers)?;
        match action.r#type.as_str() {
            CREATE_PREPARED => {
                let body = any(&action.body)?;
                let request: ActionCreatePreparedStatementRequest = body
                    .unpack()
                    .ok()
                    .flatten()
                    .ok_or_else(|| Status::invalid_argument("expected an ActionCreatePreparedStatementRequest"))?;
                refuse_transaction(request.transaction_id.as_ref())?;
                let prepared = self.statements.prepare(&principal, request.query).await?;
                Ok(vec![prepared.as_any().encode_to_vec().into()])
            }
            // The server keeps nothing that could be closed.
            CLOSE_PREPARED => Ok(Vec::new()),
            "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => Err(Status::unimplemented(
                "there are no transactions: the warehouse is read-only for SQL, and each statement sees one version of it",
            )),
            other => Err(Status::unimplemented(format!("this server has no action \"{other}\""))),
        }
    }

    fn log_in(&self, headers: &MetadataMap, payload: &[u8]) -> Result<Response<HandshakeResponse>, Status> {
        let (user, password) =
            basic_credentials(headers).or_else(|| payload_credentials(payload)).ok_or_else(|| {
                Status::unauthenticated(
                    "expected user name and password (Basic authentication) in the handshake, found none",
                )
            })?;
        let token = self.auth.log_in(&user, &password)?;
        let header = MetadataValue::try_from(format!("Bearer {token}"))
            .map_err(|error| Status::internal(format!("cannot send the token: {error}")))?;
        let mut response = Response::new(HandshakeResponse { protocol_version: 0, payload: token.into() });
        response.metadata_mut().insert("authorization", header);
        Ok(response)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("running", &*self.running().borrow()).finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn handshake(&self, request: Request<Streaming<HandshakeRequest>>) -> Reply<Self::HandshakeStream> {
        guarded("the login", async {
            let (headers, _, mut messages) = request.into_parts();
            // Clients that log in by header need not send a message.
            let payload = if basic_credentials(&headers).is_some() { None } else { messages.message().await? };
            let response = self.log_in(&headers, &payload.unwrap_or_default().payload)?;
            Ok(response.map(|answer| stream::iter([Ok(answer)]).boxed() as Self::HandshakeStream))
        })
        .await
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Reply<FlightInfo> {
        let (headers, _, descriptor) = request.into_parts();
        guarded("planning the query", self.info(&headers, &descriptor)).await.map(Response::new)
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Reply<SchemaResult> {
        let (headers, _, descriptor) = request.into_parts();
        guarded("planning the query", async {
            let schema = self.info(&headers, &descriptor).await?.try_decode_schema();
            let schema = schema.map_err(status::internal("describe the columns"))?;
            Ok(Response::new(SchemaResult { schema: schema_message(&schema.into())? }))
        })
        .await
    }

    async fn do_get(&self, request: Request<Ticket>) -> Reply<Self::DoGetStream> {
        let (headers, _, ticket) = request.into_parts();
        let rows = guarded("the query", self.rows(&headers, &ticket.ticket)).await?;
        Ok(Response::new(rows))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Reply<Self::DoPutStream> {
        let (headers, _, data) = request.into_parts();
        let app_metadata = guarded("taking over the values", self.put(&headers, data)).await?;
        Ok(Response::new(stream::iter([Ok(PutResult { app_metadata })]).boxed()))
    }

    async fn do_action(&self, request: Request<Action>) -> Reply<Self::DoActionStream> {
        let (headers, _, action) = request.into_parts();
        let results = guarded("the action", self.action(&headers, action)).await?;
        let results = results.into_iter().map(|body| Ok(arrow_flight::Result { body }));
        Ok(Response::new(stream::iter(results.collect::<Vec<_>>()).boxed()))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Reply<Self::ListActionsStream> {
        self.auth.principal(request.metadata())?;
        let known = [
            (CREATE_PREPARED, "Prepares a statement; body: ActionCreatePreparedStatementRequest"),
            (CLOSE_PREPARED, "Forgets a prepared statement; body: ActionClosePreparedStatementRequest"),
        ];
        let known = known.map(|(name, text)| Ok(ActionType { r#type: name.to_owned(), description: text.to_owned() }));
        Ok(Response::new(stream::iter(known).boxed()))
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Reply<Self::ListFlightsStream> {
        self.auth.principal(request.metadata())?;
        Err(Status::unimplemented("there are no named flights; ask for tables with CommandGetTables, or query them"))
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Reply<PollInfo> {
        self.auth.principal(request.metadata())?;
        Err(Status::unimplemented("PollFlightInfo is not supported; use GetFlightInfo"))
    }

    async fn do_exchange(&self, request: Request<Streaming<FlightData>>) -> Reply<Self::DoExchangeStream> {
        self.auth.principal(request.metadata())?;
        Err(Status::unimplemented("DoExchange is not supported; use GetFlightInfo and DoGet"))
    }
}

fn any(bytes: &[u8]) -> Result<Any, Status> {
    Any::decode(bytes).map_err(|error| {
        Status::invalid_argument(format!(
            "expected a Flight SQL command, found something else ({error}); is this a Flight SQL client?"
        ))
    })
}

fn command(bytes: &[u8]) -> Result<Command, Status> {
    Command::try_from(any(bytes)?)
        .map_err(|error| Status::invalid_argument(format!("cannot read the Flight SQL command: {error}")))
}

fn unsupported(command: &Command) -> Status {
    let name = command.type_url().rsplit('.').next().unwrap_or_default();
    Status::unimplemented(format!(
        "this server does not support {}",
        if name.is_empty() { "an empty command" } else { name }
    ))
}

fn refuse_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => {
            Err(Status::invalid_argument("the transaction is unknown: there are no transactions"))
        }
        _ => Ok(()),
    }
}
