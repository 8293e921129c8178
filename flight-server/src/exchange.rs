//! What goes in: a query, then batches of values for its parameters. What comes out: the rows for each row of values,
//! in order, while more values come.
//!
//! The last message for a batch of values has the number of that batch beside it, as text and from 0 on, and there is
//! always one. So a client that asks for one row after another knows when it has them all, also when there are none.
//!
//! An exchange may be open for days. For each batch of values it is asked anew whether its user may still ask, and it has a
//! place among the queries that run only while it answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::Command;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use haetae_warehouse::query::QueryStream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status, Streaming};

use crate::admission::Permit;
use crate::asked::Asked;
use crate::audit::Record;
use crate::auth::Principal;
use crate::bounds::Class;
use crate::certificate::fingerprint;
use crate::command::{command, unsupported};
use crate::encode::Marked;
use crate::message::Message;
use crate::result_limit::limited;
use crate::running::guarded;
use crate::served::{Rows, audited, outcome};
use crate::service::{Caller, Service, read_record};
use crate::writes::transaction;
use crate::{Result, encode, random, status};

/// A query that runs for one batch of values after another.
struct Exchange {
    first: Answer,
    /// What is found for the other batches of values.
    rest: BoxStream<'static, Result<Answer, Status>>,
    version: u64,
}

/// The rows for one batch of values, which hold a place until their end.
type Answer = (QueryStream, Permit);

/// What each batch of values needs before it is answered.
struct Turns {
    service: Arc<Service>,
    headers: MetadataMap,
    peer: Option<SocketAddr>,
    certificate: Option<String>,
    principal: Principal,
    class: Class,
    query: String,
}

impl Turns {
    /// A place among the queries that run, for a user who could begin the same exchange now.
    async fn next(&self) -> Result<Permit, Status> {
        let caller = Caller { headers: &self.headers, peer: self.peer, certificate: self.certificate.clone() };
        let now = self.service.principal(&caller).await.map_err(|status| {
            Status::new(status.code(), format!("the exchange has ended: {}; then begin another one", status.message()))
        })?;
        let before = &self.principal;
        if (&now.user, &now.session, &now.policy) != (&before.user, &before.session, &before.policy) {
            return Err(Status::aborted(
                "the exchange has ended: the policy has changed since it began; begin another one",
            ));
        }
        self.service.admission.enter(self.class, &before.user, &self.query).await
    }
}

impl Service {
    pub(crate) async fn exchanged(
        self: Arc<Self>,
        request: Request<Streaming<FlightData>>,
    ) -> Result<BoxStream<'static, Result<Message, Status>>, Status> {
        let (peer, certificate) = (request.remote_addr(), fingerprint(&request));
        let (headers, _, data) = request.into_parts();
        guarded("the query", self.exchange(Caller { headers: &headers, peer, certificate }, data)).await
    }

    async fn exchange(
        self: &Arc<Self>,
        caller: Caller<'_>,
        mut data: Streaming<FlightData>,
    ) -> Result<BoxStream<'static, Result<Message, Status>>, Status> {
        let principal = self.principal(&caller).await?;
        let first = data.message().await?.ok_or_else(|| Status::invalid_argument("the call has no message"))?;
        let descriptor = first.flight_descriptor.clone();
        let descriptor = descriptor.ok_or_else(|| Status::invalid_argument("the first message names no command"))?;
        let (asked, id) = match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(query) => {
                (Asked::Sql(query.query), transaction(query.transaction_id.as_ref())?)
            }
            Command::CommandStatementSubstraitPlan(query) => {
                (Asked::plan(query.plan)?, transaction(query.transaction_id.as_ref())?)
            }
            other => return Err(unsupported(&other)),
        };
        if !id.is_empty() {
            return Err(Status::invalid_argument("an exchange is in no transaction; run the query with GetFlightInfo"));
        }
        let compression = self.compression(&caller, &principal)?;
        let query = random::id().map_err(|error| Status::internal(error.to_string()))?;
        let class = self.class(&caller, &principal)?;
        let mut cut = self.cut(&caller, &principal);
        cut.answer = Some(self.queries.begin(&query)?);
        let shape = self.statements.shape(&asked);
        let run = self.runs.begin(&principal, class.name(), shape.clone(), &query);
        // Some clients name the command alone, before the columns.
        let first = (!first.data_header.is_empty()).then_some(Ok(first));
        let values = stream::iter(first).chain(data).boxed();
        let turns = Turns {
            service: Arc::clone(self),
            headers: caller.headers.clone(),
            peer: caller.peer,
            certificate: caller.certificate.clone(),
            principal: principal.clone(),
            class,
            query,
        };
        let begun = tokio::select! {
            biased;
            status = cut.wait() => Err(status),
            begun = self.begin_exchange(turns, &asked, values) => begun,
        };
        self.refused(&principal, || shape.clone(), &begun);
        if let Err(status) = &begun {
            run.end(&outcome(status));
        }
        let Exchange { first, rest, version } = begun?;
        run.runs();
        run.takes(first.0.memory());
        let record = Record { version, ..read_record(&principal, shape, first.0.reads()) };
        let (schema, sent) = (first.0.schema(), Rows::clone(run.rows()));
        cut.run = Some(run.clone());
        let counted = Rows::clone(&sent);
        let expected = Arc::clone(&schema);
        let answers = stream::once(async { Ok(first) }).chain(rest).enumerate();
        // What a role may fetch at a time is one answer: for each of them it could come with a call of its own.
        let rows =
            answers.map(move |(number, answer)| answer.map(|answer| limited(marked(number, answer), &principal)));
        let rows = rows.try_flatten().map(move |marked: Result<Marked, Status>| {
            let marked = marked?;
            // `select ?` is of another type for other values.
            if marked.batch.schema() != expected {
                return Err(Status::invalid_argument(
                    "the columns of the result differ from one batch of values to the next",
                ));
            }
            counted.fetch_add(marked.batch.num_rows() as u64, Ordering::Relaxed);
            Ok(marked)
        });
        let data = encode::flight_data(&schema, rows, compression);
        Ok(audited(self.running.hold(data, cut), self.audit.as_ref(), record, sent, Some(run)))
    }

    async fn begin_exchange(
        &self,
        turns: Turns,
        asked: &Asked,
        values: BoxStream<'static, Result<FlightData, Status>>,
    ) -> Result<Exchange, Status> {
        let failed = |error: haetae_warehouse::Error| status::from_warehouse(&error);
        let principal = &turns.principal;
        let snapshot = self.statements.snapshot(principal)?;
        let version = snapshot.version();
        let statement = asked.statement(&snapshot).await.map_err(failed)?;
        let statement = statement.with_dictionaries(self.sessions.dictionaries(&principal.session));
        if statement.parameters().fields().is_empty() {
            let permit = turns.next().await?;
            let first = (statement.execute(None).await.map_err(failed)?, permit);
            // Read to its end, so that the client can finish in order.
            let rest = values.filter_map(|message| async move { message.err().map(Err) });
            return Ok(Exchange { first, rest: rest.boxed(), version });
        }
        let unreadable = |error: FlightError| Status::invalid_argument(format!("cannot read the values: {error}"));
        let values = values.map_err(|status| FlightError::Tonic(Box::new(status)));
        let mut values = FlightRecordBatchStream::new_from_flight_data(values);
        let row = values.try_next().await.map_err(unreadable)?;
        let row =
            row.ok_or_else(|| Status::invalid_argument("the statement has parameters, and no values came for them"))?;
        let permit = turns.next().await?;
        let first = (statement.execute(Some(&row)).await.map_err(failed)?, permit);
        let turns = Arc::new(turns);
        let rest = values.map_err(unreadable).and_then(move |row| {
            let (statement, turns) = (statement.clone(), Arc::clone(&turns));
            async move {
                let permit = turns.next().await?;
                Ok((statement.execute(Some(&row)).await.map_err(failed)?, permit))
            }
        });
        Ok(Exchange { first, rest: rest.boxed(), version })
    }
}

/// The rows of one batch of values, the last batch of them with the number of the values.
fn marked(number: usize, (rows, permit): Answer) -> impl Stream<Item = Result<Marked, Status>> + Send {
    let schema = rows.schema();
    stream::unfold((Some((rows, permit)), None::<RecordBatch>), move |(answer, mut held)| {
        let schema = Arc::clone(&schema);
        async move {
            // The place is left with the last rows, before the client has read them.
            let (mut rows, permit) = answer?;
            loop {
                match rows.next().await {
                    Some(Err(error)) => return Some((Err(status::from_warehouse(&error)), (None, None))),
                    Some(Ok(batch)) => {
                        if let Some(before) = held.replace(batch) {
                            return Some((Ok(Marked::from(before)), (Some((rows, permit)), held)));
                        }
                    }
                    None => {
                        let batch = held.take().unwrap_or_else(|| RecordBatch::new_empty(schema));
                        let mark = Bytes::from(number.to_string());
                        return Some((Ok(Marked { batch, mark }), (None, None)));
                    }
                }
            }
        }
    })
}
