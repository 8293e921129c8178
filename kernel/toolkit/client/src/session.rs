//! What goes in: one logged-in connection, a statement. What comes out: its result, or why not.
//! A session knows nothing of trying again.
//!
//! arrow-flight's own SQL client is not used: it hides the status of a failed login and panics when
//! a server answers an action with nothing.

use std::pin::pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    Any, CommandGetTables, CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult,
    ProstMessageExt,
};
use arrow_flight::{Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, IpcMessage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::error::innermost;
use crate::result::Part;
use crate::{ConnectOptions, Error, QueryResult, QueryStream, Result};

/// A wide row group can exceed tonic's 4 MiB.
const MESSAGE_BYTES: usize = 1 << 30;

/// Parts of one result that are fetched at the same time.
const FETCHED_AT_ONCE: usize = 4;

/// What to run.
pub(crate) enum Statement {
    Query(String),
    Prepared { sql: String, values: RecordBatch },
    Tables,
}

/// A connection that is logged in. Clones share it.
#[derive(Clone)]
pub(crate) struct Session {
    url: Arc<str>,
    /// Counts the logins of one client.
    pub(crate) number: u64,
    token: Option<MetadataValue<Ascii>>,
    pub(crate) flight: FlightServiceClient<Channel>,
}

impl Session {
    /// Connects and logs in, within the time of the options.
    pub(crate) async fn open(options: &ConnectOptions, number: u64) -> Result<Self> {
        let seconds = options.timeout();
        tokio::time::timeout(seconds, Self::connect(options, number)).await.unwrap_or_else(|_| {
            Err(Error::Unreachable {
                url: options.url().to_owned(),
                reason: format!("no answer within {} s", seconds.as_secs_f64()),
            })
        })
    }

    async fn connect(options: &ConnectOptions, number: u64) -> Result<Self> {
        let endpoint = options.endpoint()?;
        let password = options.read_password()?;
        let url = options.url();
        let unreachable = |error| Error::Unreachable { url: url.to_owned(), reason: innermost(&error) };
        let channel = endpoint.connect().await.map_err(unreachable)?;
        let flight = FlightServiceClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let mut session = Self { url: url.into(), number, token: None, flight };
        if let Some(password) = password {
            session.token = session.log_in(options, &password).await?;
        }
        Ok(session)
    }

    async fn log_in(&self, options: &ConnectOptions, password: &str) -> Result<Option<MetadataValue<Ascii>>> {
        let user = options.user_name();
        let basic = header("Basic", &STANDARD.encode(format!("{user}:{password}")));
        let mut request = Request::new(stream::iter([HandshakeRequest::default()]));
        request.metadata_mut().insert("authorization", basic.map_err(|reason| self.protocol(reason))?);
        let refused = |status: Status| match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => Error::Login {
                url: self.url.to_string(),
                user: user.to_owned(),
                password_from: options.password_from(),
                message: status.message().to_owned(),
            },
            _ => self.failed(status),
        };
        let response = self.flight.clone().handshake(request).await.map_err(refused)?;
        // Some servers send the token as a header, some as the answer's content, most as both.
        if let Some(token) = response.metadata().get("authorization") {
            return Ok(Some(token.clone()));
        }
        let answer = response.into_inner().message().await.map_err(refused)?.unwrap_or_default();
        match std::str::from_utf8(&answer.payload) {
            Ok(token) if !token.is_empty() => header("Bearer", token).map(Some).map_err(|reason| self.protocol(reason)),
            _ => Ok(None),
        }
    }

    /// Runs a statement and fetches everything. Dropping the future ends the call on the server.
    pub(crate) async fn run(&self, statement: &Statement) -> Result<QueryResult> {
        match statement {
            Statement::Query(sql) => {
                let command = CommandStatementQuery { query: sql.clone(), transaction_id: None };
                self.rows(self.info(command).await?).await
            }
            Statement::Tables => self.rows(self.info(CommandGetTables::default()).await?).await,
            Statement::Prepared { sql, values } => {
                let handle = self.prepare(sql, values).await?;
                let handle = self.bind(handle, values).await?;
                let info =
                    self.info(CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() }).await?;
                let rows = self.rows(info).await;
                let close = ActionClosePreparedStatementRequest { prepared_statement_handle: handle };
                // Servers forget statements by themselves; a failure here must not hide the rows.
                let _ = self.act("ClosePreparedStatement", &close).await;
                rows
            }
        }
    }

    async fn info(&self, command: impl ProstMessageExt) -> Result<FlightInfo> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let answer = self.flight.clone().get_flight_info(self.request(descriptor)).await;
        Ok(answer.map_err(|status| self.failed(status))?.into_inner())
    }

    async fn prepare(&self, sql: &str, values: &RecordBatch) -> Result<Bytes> {
        let request = ActionCreatePreparedStatementRequest { query: sql.to_owned(), transaction_id: None };
        let body = self.act("CreatePreparedStatement", &request).await?;
        let prepared =
            Any::decode(&*body).ok().and_then(|any| any.unpack::<ActionCreatePreparedStatementResult>().ok()?);
        let prepared =
            prepared.ok_or_else(|| self.protocol("expected a prepared statement, found something else".to_owned()))?;
        // A server that leaves the parameters open sends no schema, or one without columns.
        let wanted = match prepared.parameter_schema.is_empty() {
            true => 0,
            false => self.schema(IpcMessage(prepared.parameter_schema).try_into())?.fields().len(),
        };
        let given = values.num_columns();
        if wanted != 0 && wanted != given {
            return Err(Error::ParameterCount { expected: wanted, found: given });
        }
        Ok(prepared.prepared_statement_handle)
    }

    /// The handle to go on with: servers that keep nothing put the values into a new one.
    async fn bind(&self, handle: Bytes, values: &RecordBatch) -> Result<Bytes> {
        if values.num_columns() == 0 {
            return Ok(handle);
        }
        let command = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
        let messages = FlightDataEncoderBuilder::new()
            .with_schema(values.schema())
            .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.as_any().encode_to_vec())))
            .build(stream::iter([Ok(values.clone())]));
        let messages: Vec<_> = messages.try_collect().await.map_err(|error| self.broken(error))?;
        let answer = self.flight.clone().do_put(self.request(stream::iter(messages))).await;
        let mut answer = answer.map_err(|status| self.failed(status))?.into_inner();
        let Some(result) = answer.message().await.map_err(|status| self.failed(status))? else {
            return Ok(handle);
        };
        let bound = DoPutPreparedStatementResult::decode(&*result.app_metadata)
            .map_err(|error| self.protocol(format!("expected a bound statement, found something else ({error})")))?;
        Ok(bound.prepared_statement_handle.unwrap_or(handle))
    }

    /// The first result of an action; empty where there is none.
    pub(crate) async fn act(&self, name: &str, body: &impl ProstMessageExt) -> Result<Bytes> {
        let action = Action { r#type: name.to_owned(), body: body.as_any().encode_to_vec().into() };
        let answer = self.flight.clone().do_action(self.request(action)).await;
        let mut answer = answer.map_err(|status| self.failed(status))?.into_inner();
        let first = answer.message().await.map_err(|status| self.failed(status))?;
        Ok(first.map(|result| result.body).unwrap_or_default())
    }

    /// Starts a query; its rows come as they are read. Dropping the stream ends the query on the server.
    pub(crate) async fn stream(&self, sql: &str) -> Result<QueryStream> {
        let command = CommandStatementQuery { query: sql.to_owned(), transaction_id: None };
        let info = self.info(command).await?;
        let promised = self.promised(&info)?;
        let session = self.clone();
        // One part after the other: they are read as fast as the rows are wanted.
        let batches = stream::iter(info.endpoint).then(move |endpoint| session.clone().batches(endpoint)).try_flatten();
        let session = self.clone();
        QueryStream::assemble(promised, Box::pin(batches), move |reason| session.protocol(reason)).await
    }

    /// The columns that a server announces before it sends rows.
    fn promised(&self, info: &FlightInfo) -> Result<Option<SchemaRef>> {
        match info.schema.is_empty() {
            true => Ok(None),
            false => self.schema(info.clone().try_decode_schema()).map(Some),
        }
    }

    async fn rows(&self, info: FlightInfo) -> Result<QueryResult> {
        let promised = self.promised(&info)?;
        let parts = stream::iter(info.endpoint).map(|endpoint| self.clone().part(endpoint)).buffered(FETCHED_AT_ONCE);
        let parts: Vec<Part> = parts.try_collect().await?;
        QueryResult::assemble(promised, parts).map_err(|reason| self.protocol(reason))
    }

    /// One part of a result. It is always asked of this server: the token is meant for no other,
    /// and a server behind a forwarded port does not know its own address.
    async fn part(self, endpoint: FlightEndpoint) -> Result<Part> {
        let mut rows = pin!(self.get(endpoint).await?);
        let mut batches = Vec::new();
        while let Some(batch) = rows.try_next().await.map_err(|error| self.broken(error))? {
            batches.push(batch);
        }
        Ok(Part { schema: rows.schema().cloned(), batches })
    }

    /// As [`part`](Self::part), as a stream.
    async fn batches(self, endpoint: FlightEndpoint) -> Result<impl Stream<Item = Result<RecordBatch>> + Send> {
        let rows = self.get(endpoint).await?;
        Ok(rows.map_err(move |error| self.broken(error)))
    }

    async fn get(&self, endpoint: FlightEndpoint) -> Result<FlightRecordBatchStream> {
        let ticket = endpoint
            .ticket
            .ok_or_else(|| self.protocol("expected a ticket, found an endpoint without one".to_owned()))?;
        let answer = self.flight.clone().do_get(self.request(ticket)).await.map_err(|status| self.lost(status))?;
        Ok(FlightRecordBatchStream::new_from_flight_data(answer.into_inner().map_err(FlightError::from)))
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    /// A call that failed before any row was sent.
    pub(crate) fn failed(&self, status: Status) -> Error {
        match self.lost(status) {
            Error::ConnectionLost { url, reason } => Error::Unreachable { url, reason },
            other => other,
        }
    }

    /// A call that failed while rows were on their way.
    fn lost(&self, status: Status) -> Error {
        let url = self.url.to_string();
        // What the server says has no cause; what tonic says about the connection has one.
        if let Some(cause) = std::error::Error::source(&status) {
            return Error::ConnectionLost { url, reason: innermost(cause) };
        }
        let message = status.message().to_owned();
        match status.code() {
            Code::Unauthenticated => Error::NotLoggedIn { url, message },
            code if message.is_empty() => {
                Error::Server { code: code.description(), message: format!("{} (no message)", code.description()) }
            }
            code => Error::Server { code: code.description(), message },
        }
    }

    fn schema(&self, decoded: Result<Schema, ArrowError>) -> Result<SchemaRef> {
        decoded
            .map(Arc::new)
            .map_err(|error| self.protocol(format!("the description of the columns cannot be read: {error}")))
    }

    pub(crate) fn broken(&self, error: FlightError) -> Error {
        match error {
            FlightError::Tonic(status) => self.lost(*status),
            FlightError::Arrow(source) => Error::Arrow { doing: "read the rows that the server sent", source },
            other => self.protocol(other.to_string()),
        }
    }

    pub(crate) fn protocol(&self, reason: String) -> Error {
        Error::Protocol { url: self.url.to_string(), reason }
    }
}

fn header(scheme: &str, value: &str) -> Result<MetadataValue<Ascii>, String> {
    MetadataValue::try_from(format!("{scheme} {value}")).map_err(|error| format!("cannot send the login: {error}"))
}
