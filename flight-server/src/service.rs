//! What goes in: commands of Flight SQL. What comes out: answers, for those who have logged in, and
//! records of what they read.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_flight::sql::{Any, Command, DoPutUpdateResult};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use haetae_warehouse::query::{QueryStream, shape};
use prost::Message;
use tokio::sync::watch;
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};

use crate::audit::{Audit, Record};
use crate::auth::{Auth, Principal};
use crate::deadline::Deadline;
use crate::queries::Queries;
use crate::running::{Cut, Running};
use crate::seal::Claim;
use crate::served::{Rows, audited};
use crate::session_options::Sessions;
use crate::statements::{Statements, flight_info};
use crate::{Result, encode, metadata, status};

/// The Flight SQL service.
pub(crate) struct Service {
    pub(crate) auth: Auth,
    pub(crate) statements: Statements,
    pub(crate) queries: Queries,
    pub(crate) sessions: Sessions,
    running: Running,
    /// How long a query may run; `None` = for ever.
    query_life: Option<Duration>,
    /// Where a policy is in force.
    pub(crate) audit: Option<Arc<Audit>>,
}

/// Who asks: the headers and the address of a request.
pub(crate) struct Caller<'a> {
    pub(crate) headers: &'a MetadataMap,
    pub(crate) peer: Option<SocketAddr>,
}

impl Service {
    pub(crate) fn new(
        auth: Auth,
        statements: Statements,
        audit: Option<Arc<Audit>>,
        query_life: Option<Duration>,
    ) -> Self {
        let (queries, sessions) = (Queries::default(), Sessions::default());
        Self { auth, statements, queries, sessions, running: Running::new(), query_life, audit }
    }

    /// How many results are being sent, now and whenever that changes.
    pub(crate) fn running(&self) -> watch::Receiver<usize> {
        self.running.count()
    }

    /// Ends every result that is being sent.
    pub(crate) fn stop(&self) {
        self.running.stop();
    }

    pub(crate) fn principal(&self, caller: &Caller<'_>) -> Result<Principal, Status> {
        let principal = self.auth.principal(caller.headers, caller.peer)?;
        self.auditable()?;
        Ok(principal)
    }

    pub(crate) async fn info(&self, caller: Caller<'_>, descriptor: &FlightDescriptor) -> Result<FlightInfo, Status> {
        let principal = self.principal(&caller)?;
        let info = match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(query) => {
                refuse_transaction(query.transaction_id.as_ref())?;
                self.planned(&principal, query.query).await?
            }
            Command::CommandPreparedStatementQuery(query) => {
                let handle = &query.prepared_statement_handle;
                let info = self.statements.prepared_info(&principal, handle).await;
                self.refused(&principal, || self.statements.shape(&principal, handle), &info);
                info?
            }
            other => match metadata::answer(&other, &self.statements.snapshot(&principal)?) {
                // Whoever redeems the ticket is answered with what they may see, so that it needs no seal.
                Some(answer) => flight_info(&answer?.schema(), descriptor.cmd.to_vec())?,
                None => return Err(unsupported(&other)),
            },
        };
        Ok(info.with_descriptor(descriptor.clone()))
    }

    async fn planned(&self, principal: &Principal, sql: String) -> Result<FlightInfo, Status> {
        let text = sql.clone();
        let info = self.statements.info(principal, sql).await;
        self.refused(principal, || shape(&text), &info);
        info
    }

    /// Records a statement that could not be planned. One that could is recorded when it is read.
    pub(crate) fn refused<T>(&self, principal: &Principal, shape: impl FnOnce() -> String, result: &Result<T, Status>) {
        if self.audit.is_some() && result.is_err() {
            self.audit(Record::of(principal, "plan", shape()), result);
        }
    }

    pub(crate) async fn rows(
        &self,
        caller: Caller<'_>,
        ticket: &[u8],
    ) -> Result<BoxStream<'static, Result<FlightData, Status>>, Status> {
        let principal = self.principal(&caller)?;
        let rows_sent = Rows::default();
        let mut cut = Cut { answer: None, deadline: Deadline::of(caller.headers, self.life(&principal)) };
        let (data, record) = match command(ticket)? {
            Command::TicketStatementQuery(ticket) => {
                let opened = self.statements.ticket(&principal, &ticket.statement_handle);
                self.refused(&principal, String::new, &opened);
                let claim = opened?;
                let fetched = self.fetched(&principal, &claim, &mut cut).await;
                self.refused(&principal, || shape(&claim.sql), &fetched);
                let rows = fetched?;
                let record = match &self.audit {
                    Some(_) => {
                        Record { version: claim.version, ..read_record(&principal, shape(&claim.sql), rows.reads()) }
                    }
                    None => Record::default(),
                };
                let (schema, counted) = (rows.schema(), Rows::clone(&rows_sent));
                let rows = rows.inspect_ok(move |batch| {
                    counted.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                });
                (encode::flight_data(&schema, rows.map_err(|error| status::from_warehouse(&error))), record)
            }
            other => match metadata::answer(&other, &self.statements.snapshot(&principal)?) {
                Some(answer) => {
                    let answer = answer?;
                    rows_sent.store(answer.num_rows() as u64, Ordering::Relaxed);
                    let name = other.type_url().rsplit('.').next().unwrap_or_default();
                    let record = Record::of(&principal, "metadata", name);
                    (encode::flight_data(&answer.schema(), stream::iter([Ok(answer)])), record)
                }
                None => return Err(unsupported(&other)),
            },
        };
        // Around what is held, so that a stop or a panic is recorded as such.
        Ok(audited(self.running.hold(data, cut), self.audit.as_ref(), record, rows_sent))
    }

    /// The rows of a ticket, whose query can be cancelled and ends in time from now on.
    async fn fetched(&self, principal: &Principal, claim: &Claim, cut: &mut Cut) -> Result<QueryStream, Status> {
        cut.answer = Some(self.queries.begin(&claim.query)?);
        tokio::select! {
            biased;
            status = cut.wait() => Err(status),
            fetched = self.statements.fetch(principal, claim) => fetched,
        }
    }

    /// The shorter one of what the server and the session say.
    fn life(&self, principal: &Principal) -> Option<Duration> {
        let session = self.sessions.life(&principal.session);
        match (self.query_life, session) {
            (Some(server), Some(session)) => Some(server.min(session)),
            (server, session) => server.or(session),
        }
    }

    pub(crate) async fn put(&self, caller: Caller<'_>, mut data: Streaming<FlightData>) -> Result<Bytes, Status> {
        let principal = self.principal(&caller)?;
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
                self.planned(&principal, update.query).await?;
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
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("running", &*self.running().borrow()).finish_non_exhaustive()
    }
}

/// The record of a query that reads `reads`.
fn read_record(
    principal: &Principal,
    shape: String,
    reads: &std::collections::BTreeMap<String, std::collections::BTreeSet<String>>,
) -> Record {
    let columns =
        reads.iter().flat_map(|(table, columns)| columns.iter().map(move |column| format!("{table}.{column}")));
    Record {
        tables: reads.keys().cloned().collect(),
        columns: columns.collect(),
        ..Record::of(principal, "query", shape)
    }
}

pub(crate) fn any(bytes: &[u8]) -> Result<Any, Status> {
    Any::decode(bytes).map_err(|error| {
        Status::invalid_argument(format!(
            "expected a Flight SQL command, found something else ({error}); is this a Flight SQL client?"
        ))
    })
}

pub(crate) fn command(bytes: &[u8]) -> Result<Command, Status> {
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

pub(crate) fn refuse_transaction(id: Option<&Bytes>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => {
            Err(Status::invalid_argument("the transaction is unknown: there are no transactions"))
        }
        _ => Ok(()),
    }
}
