//! What goes in: a query, then batches of values for its parameters. What comes out: the rows for each row of values,
//! in order, while more values come.
//!
//! The last message for a batch of values has the number of that batch beside it, as text and from 0 on, and there is
//! always one. So a client that asks for one row after another knows when it has them all, also when there are none.

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
use tonic::{Status, Streaming};

use crate::asked::Asked;
use crate::audit::Record;
use crate::auth::Principal;
use crate::encode::Marked;
use crate::message::Message;
use crate::result_limit::limited;
use crate::served::{Rows, audited, outcome};
use crate::service::{Caller, Service, command, read_record, unsupported};
use crate::writes::transaction;
use crate::{Result, encode, random, status};

/// A query that runs for one batch of values after another.
struct Exchange {
    first: QueryStream,
    /// What is found for the other batches of values.
    rest: BoxStream<'static, Result<QueryStream, Status>>,
    version: u64,
}

impl Service {
    pub(crate) async fn exchange(
        &self,
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
        let begin = async {
            let permit = self.admission.enter(class, &principal.user, &query).await?;
            run.runs();
            Ok::<_, Status>((permit, self.begin_exchange(&principal, &asked, values).await?))
        };
        let begun = tokio::select! {
            biased;
            status = cut.wait() => Err(status),
            begun = begin => begun,
        };
        self.refused(&principal, || shape.clone(), &begun);
        if let Err(status) = &begun {
            run.end(&outcome(status));
        }
        let (permit, Exchange { first, rest, version }) = begun?;
        run.takes(first.memory());
        let record = Record { version, ..read_record(&principal, shape, first.reads()) };
        let (schema, sent) = (first.schema(), Rows::clone(run.rows()));
        (cut.permit, cut.run) = (Some(permit), Some(run.clone()));
        let counted = Rows::clone(&sent);
        let expected = Arc::clone(&schema);
        let answers = stream::once(async { Ok(first) }).chain(rest).enumerate();
        let rows = answers.map(|(number, answer)| answer.map(|answer| marked(number, answer))).try_flatten();
        let rows = limited(rows, &principal).map(move |marked: Result<Marked, Status>| {
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
        principal: &Principal,
        asked: &Asked,
        values: BoxStream<'static, Result<FlightData, Status>>,
    ) -> Result<Exchange, Status> {
        let failed = |error: haetae_warehouse::Error| status::from_warehouse(&error);
        let snapshot = self.statements.snapshot(principal)?;
        let version = snapshot.version();
        let statement = asked.statement(&snapshot).await.map_err(failed)?;
        let statement = statement.with_dictionaries(self.sessions.dictionaries(&principal.session));
        if statement.parameters().fields().is_empty() {
            let first = statement.execute(None).await.map_err(failed)?;
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
        let first = statement.execute(Some(&row)).await.map_err(failed)?;
        let rest = values.map_err(unreadable).and_then(move |row| {
            let statement = statement.clone();
            async move { statement.execute(Some(&row)).await.map_err(failed) }
        });
        Ok(Exchange { first, rest: rest.boxed(), version })
    }
}

/// The rows of one batch of values, the last batch of them with the number of the values.
fn marked(number: usize, rows: QueryStream) -> impl Stream<Item = Result<Marked, Status>> + Send {
    let schema = rows.schema();
    stream::unfold((Some(rows), None::<RecordBatch>), move |(rows, mut held)| {
        let schema = Arc::clone(&schema);
        async move {
            let mut rows = rows?;
            loop {
                match rows.next().await {
                    Some(Err(error)) => return Some((Err(status::from_warehouse(&error)), (None, None))),
                    Some(Ok(batch)) => {
                        if let Some(before) = held.replace(batch) {
                            return Some((Ok(Marked::from(before)), (Some(rows), held)));
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
