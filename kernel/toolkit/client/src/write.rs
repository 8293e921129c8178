//! What goes in: rows, and the table that they are meant for. What comes out: how many the server has taken.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightDescriptor;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::{
    CommandStatementIngest, DoPutUpdateResult, ProstMessageExt, TableDefinitionOptions, TableExistsOption,
    TableNotExistOption,
};
use futures::{TryStreamExt, stream};
use prost::Message;

use crate::session::Session;
use crate::{AsyncClient, Error, Result};

/// A table that is written to. It is made where it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    schema: Option<String>,
    table: String,
    there: TableExistsOption,
}

impl Target {
    /// Rows are added to those that are there. `schema.table`, or a table of the schema that the server takes.
    pub fn append(table: &str) -> Self {
        Self::new(table, TableExistsOption::Append)
    }

    /// Rows take the place of those that are there.
    pub fn replace(table: &str) -> Self {
        Self::new(table, TableExistsOption::Replace)
    }

    fn new(table: &str, there: TableExistsOption) -> Self {
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
            None => (None, table.to_owned()),
        };
        Self { schema, table, there }
    }

    fn command(&self) -> CommandStatementIngest {
        command(self.schema.as_deref(), &self.table, TableNotExistOption::Create, self.there)
    }
}

/// Rows for a table, and what is done where it is not there, or is.
pub(crate) fn command(
    schema: Option<&str>,
    table: &str,
    missing: TableNotExistOption,
    there: TableExistsOption,
) -> CommandStatementIngest {
    CommandStatementIngest {
        table_definition_options: Some(TableDefinitionOptions {
            if_not_exist: missing.into(),
            if_exists: there.into(),
        }),
        table: table.to_owned(),
        schema: schema.map(str::to_owned),
        ..CommandStatementIngest::default()
    }
}

impl AsyncClient {
    /// Writes rows; all of them become visible together, or none do.
    ///
    /// # Errors
    /// With the server's own message, for instance when the user may not write there or a column does not fit; or when
    /// the connection is lost. It is then not tried again, because the server may have taken the rows.
    pub async fn write(&self, target: &Target, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<u64> {
        let session = self.current().await;
        match session.write(target, schema, batches).await {
            Err(Error::NotLoggedIn { .. }) => self.renewed(session.number).await?.write(target, schema, batches).await,
            done => done,
        }
    }
}

impl Session {
    async fn write(&self, target: &Target, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<u64> {
        self.ingest(&target.command(), schema, batches).await
    }

    /// Sends rows for what the command says; how many the server has taken.
    pub(crate) async fn ingest(
        &self,
        command: &CommandStatementIngest,
        schema: &SchemaRef,
        batches: &[RecordBatch],
    ) -> Result<u64> {
        #[expect(clippy::unnecessary_to_owned, reason = "the encoder borrows nothing")]
        let messages = FlightDataEncoderBuilder::new()
            .with_schema(schema.clone())
            .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.as_any().encode_to_vec())))
            .build(stream::iter(batches.to_vec().into_iter().map(Ok)));
        let messages: Vec<_> = messages.try_collect().await.map_err(|error| self.broken(error))?;
        let answer = self.flight.clone().do_put(self.request(stream::iter(messages))).await;
        let mut answer = answer.map_err(|status| self.failed(status))?.into_inner();
        let sent: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let Some(result) = answer.message().await.map_err(|status| self.failed(status))? else {
            return Err(self.protocol("expected the number of rows that were taken, found nothing".to_owned()));
        };
        let taken = DoPutUpdateResult::decode(&*result.app_metadata)
            .map_err(|error| self.protocol(format!("expected a number of rows, found something else ({error})")))?;
        // A server that does not count says -1.
        Ok(u64::try_from(taken.record_count).unwrap_or(sent as u64))
    }
}
