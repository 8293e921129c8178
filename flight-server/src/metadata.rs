//! What goes in: a metadata command of Flight SQL. What comes out: its answer as one record batch,
//! of what the snapshot shows: what a user may not see is not in it.

use arrow::array::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::GetCatalogsBuilder;
use arrow_flight::sql::{Command, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables};
use haetae_warehouse::CATALOG;
use haetae_warehouse::query::Snapshot;
use tonic::Status;

use crate::{keys, sql_info, type_info};

/// The one type of table that there is.
const TABLE: &str = "TABLE";

/// The answer, or `None` for a command that does not ask for metadata.
pub(crate) fn answer(command: &Command, snapshot: &Snapshot) -> Option<Result<RecordBatch, Status>> {
    let batch = match command {
        Command::CommandGetCatalogs(_) => catalogs(),
        Command::CommandGetDbSchemas(command) => schemas(command.clone(), snapshot),
        Command::CommandGetTables(command) => tables(command.clone(), snapshot),
        Command::CommandGetTableTypes(command) => table_types(*command),
        Command::CommandGetSqlInfo(command) => {
            sql_info::about().and_then(|infos| command.clone().into_builder(&infos).build())
        }
        Command::CommandGetXdbcTypeInfo(command) => {
            type_info::types().and_then(|types| command.into_builder(&types).build())
        }
        other => keys::answer(other, snapshot)?.map_err(FlightError::from),
    };
    Some(batch.map_err(|error| Status::internal(format!("cannot list what the warehouse has: {error}"))))
}

fn catalogs() -> Result<RecordBatch, FlightError> {
    let mut builder = GetCatalogsBuilder::new();
    builder.append(CATALOG);
    builder.build()
}

fn schemas(command: CommandGetDbSchemas, snapshot: &Snapshot) -> Result<RecordBatch, FlightError> {
    let mut builder = command.into_builder();
    for schema in snapshot.schemas() {
        builder.append(CATALOG, schema);
    }
    builder.build()
}

fn tables(command: CommandGetTables, snapshot: &Snapshot) -> Result<RecordBatch, FlightError> {
    let mut builder = command.into_builder();
    for (schema, table, columns) in snapshot.tables() {
        builder.append(CATALOG, schema, table, TABLE, &columns)?;
    }
    builder.build()
}

fn table_types(command: CommandGetTableTypes) -> Result<RecordBatch, FlightError> {
    let mut builder = command.into_builder();
    builder.append(TABLE);
    builder.build()
}
