//! What goes in: a DoPut: values to bind, a statement that changes rows, rows to take in. What comes out: the message that
//! answers it.

use std::future::Future;

use arrow_flight::FlightData;
use arrow_flight::sql::{Command, DoPutUpdateResult};
use bytes::Bytes;
use futures::{StreamExt, stream};
use prost::Message as _;
use tonic::{Status, Streaming};

use crate::Result;
use crate::asked::Asked;
use crate::auth::Principal;
use crate::command::{command, unsupported};
use crate::parameters::{collected, read_parameters};
use crate::service::{Caller, Service};
use crate::writes::transaction;

impl Service {
    pub(crate) async fn put(&self, caller: Caller<'_>, mut data: Streaming<FlightData>) -> Result<Bytes, Status> {
        let principal = self.principal(&caller).await?;
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
                let id = transaction(update.transaction_id.as_ref())?;
                self.in_time(&caller, &principal, self.update(&principal, &update.query, None, &id)).await
            }
            Command::CommandPreparedStatementUpdate(update) => {
                let opened = self.statements.handled(&principal, &update.prepared_statement_handle);
                self.refused(&principal, String::new, &opened);
                let claim = opened?;
                if !claim.plan.is_empty() {
                    return Err(self.no_update(&principal, Asked::of(&claim)).await);
                }
                // Some clients send the values here, others have bound them before.
                let values = if first.data_header.is_empty() {
                    read_parameters(&claim.parameters)?
                } else {
                    let values = collected(stream::once(async move { Ok(first) }).chain(data)).await?;
                    (values.num_columns() > 0).then_some(values)
                };
                let id = self.transactions.followed(&principal, &claim.transaction)?;
                let done = self.update(&principal, &claim.sql, values.as_ref(), &id);
                self.in_time(&caller, &principal, done).await
            }
            Command::CommandStatementSubstraitPlan(update) => {
                Err(self.no_update(&principal, Asked::plan(update.plan)?).await)
            }
            Command::CommandStatementIngest(ingest) => {
                let rows = stream::once(async move { Ok(first) }).chain(data);
                self.in_time(&caller, &principal, self.ingest(&principal, caller.headers, &ingest, rows)).await
            }
            other => Err(unsupported(&other)),
        }
    }

    /// Why a plan is not run as an update.
    async fn no_update(&self, principal: &Principal, asked: Asked) -> Status {
        let status = self.statements.no_update(principal, &asked).await;
        self.refused::<()>(principal, || asked.shape(), &Err(status.clone()));
        status
    }

    /// The number of rows that a change came to, unless its time is over before.
    async fn in_time(
        &self,
        caller: &Caller<'_>,
        principal: &Principal,
        change: impl Future<Output = Result<u64, Status>>,
    ) -> Result<Bytes, Status> {
        let mut cut = self.cut(caller, principal);
        let rows = tokio::select! {
            biased;
            status = cut.wait() => return Err(status),
            rows = change => rows?,
        };
        let record_count = i64::try_from(rows).unwrap_or(i64::MAX);
        Ok(DoPutUpdateResult { record_count }.encode_to_vec().into())
    }
}
