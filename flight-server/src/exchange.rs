//! What goes in: a query, then batches of values for its parameters. What comes out: the rows for each row of values,
//! in order, while more values come.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::Command;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use haetae_warehouse::query::QueryStream;
use tonic::{Status, Streaming};

use crate::asked::Asked;
use crate::audit::Record;
use crate::auth::Principal;
use crate::result_limit::limited;
use crate::served::{Rows, audited, outcome};
use crate::service::{Caller, Service, command, read_record, unsupported};
use crate::writes::transaction;
use crate::{Result, encode, random, status};

/// A query that runs for one batch of values after another.
struct Exchange {
    first: QueryStream,
    rest: BoxStream<'static, Result<RecordBatch, Status>>,
    version: u64,
}

impl Service {
    pub(crate) async fn exchange(
        &self,
        caller: Caller<'_>,
        mut data: Streaming<FlightData>,
    ) -> Result<BoxStream<'static, Result<FlightData, Status>>, Status> {
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
        let shape = asked.shape();
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
        let rows = limited(first.map_err(|error| status::from_warehouse(&error)).chain(rest), &principal);
        let rows = rows.map(move |batch| {
            let batch = batch?;
            // `select ?` is of another type for other values.
            if batch.schema() != expected {
                return Err(Status::invalid_argument(
                    "the columns of the result differ from one batch of values to the next",
                ));
            }
            counted.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            Ok(batch)
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
            async move {
                let rows = statement.execute(Some(&row)).await.map_err(failed)?;
                Ok(rows.map_err(failed))
            }
        });
        Ok(Exchange { first, rest: rest.try_flatten().boxed(), version })
    }
}
