//! What goes in: a metadata command of Flight SQL. What comes out: its answer as one record batch,
//! of what the snapshot shows: what a user may not see is not in it.

use arrow::array::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{GetCatalogsBuilder, SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    Command, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, SqlInfo, SqlNullOrdering,
    SqlSupportedCaseSensitivity, SqlSupportedTransaction,
};
use haetae_warehouse::CATALOG;
use haetae_warehouse::query::Snapshot;
use tonic::Status;

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
            sql_info().and_then(|infos| command.clone().into_builder(&infos).build())
        }
        _ => return None,
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

/// What this server says about itself. What it does not do is said as well.
fn sql_info() -> Result<SqlInfoData, FlightError> {
    let mut infos = SqlInfoDataBuilder::new();
    infos.append(SqlInfo::FlightSqlServerName, "Haetae");
    infos.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    infos.append(SqlInfo::FlightSqlServerArrowVersion, arrow::ARROW_VERSION);
    infos.append(SqlInfo::FlightSqlServerReadOnly, true);
    infos.append(SqlInfo::FlightSqlServerSql, true);
    infos.append(SqlInfo::FlightSqlServerSubstrait, false);
    infos.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    infos.append(SqlInfo::FlightSqlServerCancel, false);
    infos.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    infos.append(SqlInfo::FlightSqlServerStatementTimeout, 0i32);
    infos.append(SqlInfo::FlightSqlServerTransactionTimeout, 0i32);
    infos.append(SqlInfo::SqlDdlCatalog, false);
    infos.append(SqlInfo::SqlDdlSchema, false);
    infos.append(SqlInfo::SqlDdlTable, false);
    infos.append(SqlInfo::SqlIdentifierCase, SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i64);
    infos.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    infos.append(SqlInfo::SqlAllTablesAreSelectable, true);
    infos.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i64);
    infos.build()
}
