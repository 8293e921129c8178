//! What goes in: commands of Flight SQL. What comes out: answers, for those who have logged in, and
//! records of what they read.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_flight::sql::Command;
use arrow_flight::{FlightDescriptor, FlightInfo};
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::{self, BoxStream};
use haetae_warehouse::query::QueryStream;
use tokio::sync::watch;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::admission::Admission;
use crate::asked::Asked;
use crate::audit::{Audit, Record};
use crate::auth::{Auth, Principal, Refused};
use crate::bounds::{Bounds, Class};
use crate::command::{command, unsupported};
use crate::message::Message;
use crate::queries::Queries;
use crate::result_limit::limited;
use crate::running::{Cut, Running};
use crate::runs::{Run, Runs};
use crate::seal::Claim;
use crate::served::{Rows, audited, outcome};
use crate::session_options::Sessions;
use crate::statements::{Sent, Statements, flight_info};
use crate::transactions::Transactions;
use crate::writes::transaction;
use crate::{Result, encode, metadata, status};

/// The Flight SQL service.
pub(crate) struct Service {
    pub(crate) auth: Auth,
    pub(crate) statements: Statements,
    pub(crate) queries: Queries,
    pub(crate) sessions: Sessions,
    pub(crate) transactions: Transactions,
    pub(crate) running: Running,
    pub(crate) runs: Runs,
    pub(crate) admission: Admission,
    /// How long a result waits for a client that reads nothing.
    pub(crate) unread: Duration,
    connections: watch::Sender<usize>,
    /// How long a query may run; `None` = for ever.
    pub(crate) query_life: Option<Duration>,
    /// Where a policy is in force.
    pub(crate) audit: Option<Arc<Audit>>,
}

/// Who asks: the headers and the address of a request.
pub(crate) struct Caller<'a> {
    pub(crate) headers: &'a MetadataMap,
    pub(crate) peer: Option<SocketAddr>,
    /// The fingerprint of the certificate that the client has shown.
    pub(crate) certificate: Option<String>,
}

impl Service {
    pub(crate) fn new(
        auth: Auth,
        statements: Statements,
        audit: Option<Arc<Audit>>,
        query_life: Option<Duration>,
        runs: Runs,
        bounds: &Bounds,
    ) -> Self {
        // Where there is no policy there is one user, who may have all places.
        let admission = Admission::new(bounds, audit.is_some());
        Self {
            auth,
            statements,
            queries: Queries::default(),
            sessions: Sessions::default(),
            transactions: Transactions::default(),
            running: Running::new(),
            runs,
            admission,
            unread: bounds.unread,
            connections: watch::Sender::new(0),
            query_life,
            audit,
        }
    }

    /// How many connections are open, now and whenever that changes.
    pub(crate) fn connections(&self) -> &watch::Sender<usize> {
        &self.connections
    }

    /// How many results are being sent, now and whenever that changes.
    pub(crate) fn running(&self) -> watch::Receiver<usize> {
        self.running.count()
    }

    /// Ends every result that is being sent, and refuses those that wait.
    pub(crate) fn stop(&self) {
        self.admission.close();
        self.running.stop();
    }

    pub(crate) async fn principal(&self, caller: &Caller<'_>) -> Result<Principal, Status> {
        let found = self.auth.principal(caller.headers, caller.peer, caller.certificate.as_deref()).await;
        let principal = found.map_err(|Refused { status, record }| {
            if let Some(record) = record {
                self.runs.metrics().login(outcome(&status));
                self.audit::<()>(*record, &Err(status.clone()));
            }
            status
        })?;
        self.auditable()?;
        if let Some(vouched) = self.auth.introduced(&principal) {
            self.runs.metrics().login("ok".to_owned());
            self.audit(Record::of(&principal, "login", vouched), &Ok(()));
        }
        Ok(principal)
    }

    pub(crate) async fn info(&self, caller: Caller<'_>, descriptor: &FlightDescriptor) -> Result<FlightInfo, Status> {
        let principal = self.principal(&caller).await?;
        let info = match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(query) => {
                let id = transaction(query.transaction_id.as_ref())?;
                self.planned(&principal, Asked::Sql(query.query), Bytes::new(), &id).await?
            }
            Command::CommandStatementSubstraitPlan(query) => {
                let id = transaction(query.transaction_id.as_ref())?;
                self.planned(&principal, Asked::plan(query.plan)?, Bytes::new(), &id).await?
            }
            Command::CommandPreparedStatementQuery(query) => {
                let opened = self.statements.handled(&principal, &query.prepared_statement_handle);
                self.refused(&principal, String::new, &opened);
                let claim = opened?;
                let id = self.transactions.followed(&principal, &claim.transaction)?;
                self.planned(&principal, Asked::of(&claim), claim.parameters, &id).await?
            }
            other => match metadata::answer(&other, &self.statements.snapshot(&principal)?) {
                // Whoever redeems the ticket is answered with what they may see, so that it needs no seal.
                Some(answer) => flight_info(&answer?.schema(), descriptor.cmd.to_vec())?,
                None => return Err(unsupported(&other)),
            },
        };
        Ok(info.with_descriptor(descriptor.clone()))
    }

    async fn planned(
        &self,
        principal: &Principal,
        asked: Asked,
        parameters: Bytes,
        id: &str,
    ) -> Result<FlightInfo, Status> {
        let info = async {
            let version = self.version(principal, id)?;
            let session = &principal.session;
            let dictionaries = self.sessions.dictionaries(session);
            // A limit is one for the whole result.
            let endpoints = if principal.bounds.limits_results() { 1 } else { self.sessions.endpoints(session) };
            let sent = Sent { dictionaries, endpoints };
            let (info, statement) = self.statements.info(principal, &asked, parameters, version, sent).await?;
            if !id.is_empty()
                && let Some(prepared) = self.transactions.hold(principal, id).await?.as_ref()
            {
                Self::untouched(principal, &prepared.changes, &statement.tables())?;
            }
            Ok(info)
        };
        let info: Result<FlightInfo, Status> = info.await;
        self.refused(principal, || asked.shape(), &info);
        info
    }

    /// The version that statements of a transaction see; `None` outside of one.
    pub(crate) fn version(&self, principal: &Principal, id: &str) -> Result<Option<u64>, Status> {
        if id.is_empty() { Ok(None) } else { self.transactions.version(principal, id).map(Some) }
    }

    /// Records a statement that could not be planned. One that could is recorded when it is read.
    pub(crate) fn refused<T>(&self, principal: &Principal, shape: impl FnOnce() -> String, result: &Result<T, Status>) {
        if let Err(status) = result {
            self.runs.metrics().refused(outcome(status));
        }
        if self.audit.is_some() && result.is_err() {
            self.audit(Record::of(principal, "plan", shape()), result);
        }
    }

    pub(crate) async fn rows(
        &self,
        caller: Caller<'_>,
        ticket: &[u8],
    ) -> Result<BoxStream<'static, Result<Message, Status>>, Status> {
        let principal = self.principal(&caller).await?;
        let compression = self.compression(&caller, &principal)?;
        let mut rows_sent = Rows::default();
        let mut cut = self.cut(&caller, &principal);
        let (data, record) = match command(ticket)? {
            Command::TicketStatementQuery(ticket) => {
                let opened = self.statements.ticket(&principal, &ticket.statement_handle);
                self.refused(&principal, String::new, &opened);
                let claim = opened?;
                let class = self.class(&caller, &principal)?;
                let shape = self.statements.shape(&Asked::of(&claim));
                let run = self.runs.begin(&principal, class.name(), shape.clone(), &claim.query);
                rows_sent = Rows::clone(run.rows());
                let fetched = self.fetched(&principal, &claim, class, &run, &mut cut).await;
                self.refused(&principal, || shape.clone(), &fetched);
                if let Err(status) = &fetched {
                    run.end(&outcome(status));
                }
                let rows = fetched?;
                cut.run = Some(run);
                let record = match &self.audit {
                    Some(_) => Record { version: claim.version, ..read_record(&principal, shape, rows.reads()) },
                    None => Record::default(),
                };
                let (schema, counted) = (rows.schema(), Rows::clone(&rows_sent));
                let rows = limited(rows.map_err(|error| status::from_warehouse(&error)), &principal);
                let rows = rows.inspect_ok(move |batch| {
                    counted.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                });
                (encode::flight_data(&schema, rows, compression), record)
            }
            other => match metadata::answer(&other, &self.statements.snapshot(&principal)?) {
                Some(answer) => {
                    let answer = answer?;
                    rows_sent.store(answer.num_rows() as u64, Ordering::Relaxed);
                    let name = other.type_url().rsplit('.').next().unwrap_or_default();
                    let record = Record::of(&principal, "metadata", name);
                    (encode::flight_data(&answer.schema(), stream::iter([Ok(answer)]), compression), record)
                }
                None => return Err(unsupported(&other)),
            },
        };
        // Around what is held, so that a stop or a panic is recorded as such.
        let run = cut.run.clone();
        Ok(audited(self.running.hold(data, cut), self.audit.as_ref(), record, rows_sent, run))
    }

    /// The rows of a ticket, whose query can be cancelled and ends in time from now on.
    async fn fetched(
        &self,
        principal: &Principal,
        claim: &Claim,
        class: Class,
        run: &Run,
        cut: &mut Cut,
    ) -> Result<QueryStream, Status> {
        cut.answer = Some(self.queries.begin(&claim.query)?);
        let begun = async {
            let permit = self.admission.enter(class, &principal.user, &claim.query).await?;
            run.runs();
            Ok::<_, Status>((permit, self.statements.fetch(principal, claim).await?))
        };
        let (permit, rows) = tokio::select! {
            biased;
            status = cut.wait() => return Err(status),
            begun = begun => begun?,
        };
        run.takes(rows.memory());
        cut.permit = Some(permit);
        Ok(rows)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("running", &*self.running().borrow()).finish_non_exhaustive()
    }
}

/// The record of a query that reads `reads`.
pub(crate) fn read_record(
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
