//! What goes in: SQL, tickets, handles, parameter values. What comes out: plans' columns and
//! sealed tickets, prepared handles, result streams.
//!
//! A statement is planned twice: for its columns when the client asks for the ticket, and for its
//! rows when it redeems it. The ticket names the version of the warehouse, so that both see the same.

use std::io::Cursor;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{
    ActionCreatePreparedStatementResult, DoPutPreparedStatementResult, ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use haetae_warehouse::query::{Engine, QueryStream, Snapshot};
use prost::Message;
use tonic::Status;

use crate::seal::{Claim, Purpose, Sealer};
use crate::{Result, status};

/// How long a ticket can be redeemed.
const TICKET_LIFE: Duration = Duration::from_secs(3600);

/// Parameter values travel in the ticket; clients take no message above four mebibytes by default.
const PARAMETER_BYTES: usize = 2 << 20;

/// Plans and runs statements; keeps nothing between two calls.
pub(crate) struct Statements {
    engine: Engine,
    sealer: Sealer,
}

impl Statements {
    pub(crate) fn new(engine: Engine) -> Result<Self> {
        Ok(Self { engine, sealer: Sealer::new()? })
    }

    /// Fails when the warehouse cannot be read.
    pub(crate) fn check(&self) -> Result<()> {
        self.engine.current()?;
        Ok(())
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, Status> {
        self.engine.current().map_err(|error| status::from_warehouse(&error))
    }

    /// The columns of a statement, and a ticket for its rows.
    pub(crate) async fn info(&self, principal: &str, sql: String) -> Result<FlightInfo, Status> {
        self.bound_info(principal, sql, Bytes::new()).await
    }

    /// The same for a prepared statement with what was bound to it.
    pub(crate) async fn prepared_info(&self, principal: &str, handle: &[u8]) -> Result<FlightInfo, Status> {
        let claim = self.sealer.open(Purpose::Handle, principal, handle)?;
        self.bound_info(principal, claim.sql, claim.parameters).await
    }

    async fn bound_info(&self, principal: &str, sql: String, parameters: Bytes) -> Result<FlightInfo, Status> {
        let snapshot = self.snapshot()?;
        let values = read_parameters(&parameters)?;
        let statement = snapshot.statement(&sql).await.map_err(|error| status::from_warehouse(&error))?;
        let schema = statement.schema(values.as_ref()).await.map_err(|error| status::from_warehouse(&error))?;
        let claim = Claim {
            principal: principal.to_owned(),
            sql,
            parameters,
            version: snapshot.version(),
            ends: self.sealer.ends_in(TICKET_LIFE),
        };
        let ticket = TicketStatementQuery { statement_handle: self.sealer.seal(Purpose::Ticket, &claim) };
        flight_info(&schema, ticket.as_any().encode_to_vec())
    }

    /// The rows that a ticket stands for.
    pub(crate) async fn fetch(&self, principal: &str, ticket: &[u8]) -> Result<QueryStream, Status> {
        let claim = self.sealer.open(Purpose::Ticket, principal, ticket)?;
        let snapshot = self.engine.at(claim.version).map_err(|error| status::from_warehouse(&error))?;
        let snapshot = snapshot.ok_or_else(|| {
            Status::not_found(
                "the version of the warehouse that the ticket was made for is no longer kept; run the query again",
            )
        })?;
        let values = read_parameters(&claim.parameters)?;
        let statement = snapshot.statement(&claim.sql).await.map_err(|error| status::from_warehouse(&error))?;
        statement.execute(values.as_ref()).await.map_err(|error| status::from_warehouse(&error))
    }

    /// A handle for a statement, with its columns and parameters as far as they are known.
    pub(crate) async fn prepare(
        &self,
        principal: &str,
        sql: String,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let snapshot = self.snapshot()?;
        let statement = snapshot.statement(&sql).await.map_err(|error| status::from_warehouse(&error))?;
        let handle = self.handle(principal, sql, Bytes::new());
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle,
            dataset_schema: schema_message(&statement.unbound_schema())?,
            parameter_schema: schema_message(statement.parameters())?,
        })
    }

    /// A new handle, of the same statement with `values` bound to it.
    pub(crate) async fn bind(
        &self,
        principal: &str,
        handle: &[u8],
        values: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let claim = self.sealer.open(Purpose::Handle, principal, handle)?;
        let unreadable =
            |error: FlightError| Status::invalid_argument(format!("cannot read the parameter values: {error}"));
        let values = values.map_err(|status| FlightError::Tonic(Box::new(status)));
        let mut values = FlightRecordBatchStream::new_from_flight_data(values);
        let mut batches = Vec::new();
        let mut bytes = 0;
        while let Some(batch) = values.try_next().await.map_err(unreadable)? {
            bytes += batch.get_array_memory_size();
            // Checked again when encoded; this bounds what is collected before that.
            if bytes > 16 * PARAMETER_BYTES {
                return Err(too_many_values());
            }
            batches.push(batch);
        }
        let schema = values.schema().cloned().unwrap_or_else(|| Schema::empty().into());
        let bound = concat_batches(&schema, &batches).map_err(status::internal("take over the parameter values"))?;
        let handle = self.handle(principal, claim.sql, write_parameters(&bound)?);
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    fn handle(&self, principal: &str, sql: String, parameters: Bytes) -> Bytes {
        let claim = Claim { principal: principal.to_owned(), sql, parameters, version: 0, ends: 0 };
        self.sealer.seal(Purpose::Handle, &claim)
    }
}

/// One endpoint, fetched over the connection that asked.
pub(crate) fn flight_info(schema: &Schema, ticket: Vec<u8>) -> Result<FlightInfo, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket));
    let info = FlightInfo::new().try_with_schema(schema).map_err(status::internal("describe the columns"))?;
    Ok(info.with_endpoint(endpoint).with_descriptor(FlightDescriptor::default()))
}

pub(crate) fn schema_message(schema: &SchemaRef) -> Result<Bytes, Status> {
    let options = IpcWriteOptions::default();
    let IpcMessage(message) =
        SchemaAsIpc::new(schema, &options).try_into().map_err(status::internal("describe the columns"))?;
    Ok(message)
}

fn write_parameters(values: &RecordBatch) -> Result<Bytes, Status> {
    let failed = "keep the parameter values";
    let mut writer = StreamWriter::try_new(Vec::new(), &values.schema()).map_err(status::internal(failed))?;
    writer.write(values).map_err(status::internal(failed))?;
    let bytes = writer.into_inner().map_err(status::internal(failed))?;
    if bytes.len() > PARAMETER_BYTES { Err(too_many_values()) } else { Ok(bytes.into()) }
}

fn too_many_values() -> Status {
    Status::resource_exhausted(format!(
        "the parameter values take more than {PARAMETER_BYTES} bytes; bind fewer rows at a time"
    ))
}

fn read_parameters(bytes: &Bytes) -> Result<Option<RecordBatch>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let failed = "read the bound parameter values";
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(status::internal(failed))?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(status::internal(failed))?;
    concat_batches(&schema, &batches).map(Some).map_err(status::internal(failed))
}
