//! What goes in: CommandStatementIngest and its rows. What comes out: a table with them, and how many there were.

use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{CommandStatementIngest, TableExistsOption, TableNotExistOption};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use haetae_warehouse::ingest::{Change, Changes, Format, Source};
use haetae_warehouse::store::Kind;
use haetae_warehouse::{CATALOG, COURSE, DEFAULT_SCHEMA, Error, SCHEMAS, WORK};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::audit::Record;
use crate::auth::Principal;
use crate::feed::{Fed, unreadable};
use crate::served::Noted;
use crate::service::Service;
use crate::writes::{Written, space, transaction};
use crate::{Result, status};

/// Names one ingest, so that it can be made again without harm: an option of the command, or a header.
const KEY_OPTION: &str = "haetae.key";
const KEY_HEADER: &str = "x-haetae-key";
/// Longer names of tables are cut in the audit: there are none, and a client could fill the disk with them.
const NAME_LETTERS: usize = 128;

/// Where the rows go, and what is asked for.
#[derive(Debug, Clone)]
struct Target {
    /// Schema and table as SQL has them.
    name: String,
    /// The schema as the manifest has it.
    stored: String,
    table: String,
    made: bool,
    missing: TableNotExistOption,
    there: TableExistsOption,
}

impl Service {
    pub(crate) async fn ingest(
        &self,
        principal: &Principal,
        headers: &MetadataMap,
        command: &CommandStatementIngest,
        rows: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
    ) -> Result<u64, Status> {
        let mut noted = self.noted(principal, || {
            let name: String = format!("{}.{}", schema(command), command.table).chars().take(NAME_LETTERS).collect();
            Record { tables: [name].into(), ..Record::of(principal, "ingest", "") }
        });
        let written = match target(principal, command) {
            Ok(target) => self.take(principal, headers, command, target, rows, &mut noted).await,
            Err(refused) => Err(refused),
        };
        noted.end(&written);
        written.map(|written| written.rows)
    }

    async fn take(
        &self,
        principal: &Principal,
        headers: &MetadataMap,
        command: &CommandStatementIngest,
        target: Target,
        rows: impl Stream<Item = Result<FlightData, Status>> + Send + 'static,
        noted: &mut Noted,
    ) -> Result<Written, Status> {
        let key = key(headers, command)?;
        let id = transaction(command.transaction_id.as_ref())?;
        let rows = rows.map_err(|status| FlightError::Tonic(Box::new(status)));
        let mut rows = FlightRecordBatchStream::new_from_flight_data(rows);
        let wrong =
            |error: FlightError| Status::invalid_argument(format!("cannot read the rows that were sent: {error}"));
        // The columns are known with the first batch, or where there is none.
        let first = rows.try_next().await.map_err(wrong)?;
        let columns = rows.schema().cloned();
        let columns = columns.ok_or_else(|| Status::invalid_argument("the rows that were sent have no schema"))?;
        let rest = rows.map_err(|error| unreadable("record batches of Arrow", error));
        let batches = stream::iter(first.map(Ok)).chain(rest);
        let mut work = self.work(principal, &id, key).await?;
        if !target.made {
            // As the table is classified now: who sees a part of it no longer does not write it either.
            let base = work.changes().map_err(|error| status::from_warehouse(&error))?.base_version();
            if !self.statements.at(principal, base)?.may_write(&target.stored, &target.table) {
                return Err(may_not_write(&target.name));
            }
        }
        let sender = format!("rows sent by {}", principal.user);
        self.write(work, batches, noted, move |changes, fed| target.take(changes, &columns, &sender, fed)).await
    }
}

impl Target {
    fn take(&self, changes: &mut Changes, columns: &SchemaRef, sender: &str, rows: Fed) -> Result<u64, Error> {
        changes.asked(&format!("ingest {} {} {:?} {:?}", self.stored, self.table, self.missing, self.there));
        if self.made { self.fill(changes, columns, sender, rows) } else { self.load(changes, sender, rows) }
    }

    /// Into a table of the user's own.
    fn fill(&self, changes: &mut Changes, columns: &SchemaRef, sender: &str, rows: Fed) -> Result<u64, Error> {
        let place = (self.stored.as_str(), self.table.as_str());
        if changes.repeats() {
            return changes.fill(Kind::Append, place, sender, rows, 0);
        }
        let is_there = changes.made(&self.stored, &self.table)?.is_some();
        let replace = match (is_there, self.there, self.missing) {
            (false, _, TableNotExistOption::Create) => false,
            (false, ..) => {
                let known = "those that you have made; to make it, ask for it to be created".to_owned();
                return Err(Error::UnknownTable { table: self.name.clone(), known });
            }
            (true, TableExistsOption::Append, _) => false,
            (true, TableExistsOption::Replace, _) => true,
            (true, ..) => return Err(Error::Exists { table: self.name.clone() }),
        };
        let removed = if replace { changes.made_rows(&self.stored, &self.table) } else { 0 };
        if replace || !is_there {
            changes.make(&self.stored, &self.table, columns)?;
        }
        let kind = if replace { Kind::Replace } else { Kind::Append };
        changes.fill(kind, place, sender, rows, removed)
    }

    /// Into a table of data, by the rules of a load: rows that break one go to `rejects`, and are not counted.
    fn load(&self, changes: &mut Changes, sender: &str, rows: Fed) -> Result<u64, Error> {
        let change = match self.there {
            TableExistsOption::Append => Change::Append,
            TableExistsOption::Replace => Change::Replace,
            _ => return Err(Error::Exists { table: self.name.clone() }),
        };
        let before = changes.done().accepted;
        if self.stored == COURSE {
            // It has no table of rejects: a row that breaks a rule ends the call.
            let source = Source::Batches { name: sender.to_owned(), batches: Box::new(rows) };
            changes.apply_all(change, &self.stored, &self.table, source)?;
            return Ok(changes.done().accepted - before);
        }
        let source = Source::Batches { name: sender.to_owned(), batches: Box::new(rows) };
        let format = Format::Table(self.table.clone());
        changes.apply(change, &self.stored, &format, vec![source], &mut |_| {})?;
        Ok(changes.done().accepted - before)
    }
}

fn may_not_write(name: &str) -> Status {
    Status::permission_denied(format!(
        "writing {name} is not allowed: your role may not write it. What it may write stands in the policy under `write`"
    ))
}

/// Where the rows go, if the policy lets the user write there.
fn target(principal: &Principal, command: &CommandStatementIngest) -> Result<Target, Status> {
    if command.temporary {
        return Err(Status::unimplemented(
            "there are no temporary tables; make one in the schema work, and replace or empty it",
        ));
    }
    let catalog = command.catalog.as_deref().unwrap_or_default();
    if !catalog.is_empty() && catalog != CATALOG {
        return Err(Status::not_found(format!("there is no catalog \"{catalog}\"; there is {CATALOG}")));
    }
    let schema = schema(command);
    let table = command.table.clone();
    let name = format!("{schema}.{table}");
    let made = schema == WORK;
    let stored = if made {
        space(principal)
    } else {
        let may = principal.access.as_ref().is_none_or(|access| access.may_write(schema, &table));
        (may && (SCHEMAS.contains(&schema) || schema == COURSE)).then(|| schema.to_owned())
    };
    let Some(stored) = stored else {
        return Err(may_not_write(&name));
    };
    let known = match schema == COURSE {
        true => haetae_schema::course_tables().iter().find(|known| known.name == table),
        false => haetae_schema::table(&table),
    };
    if !made && known.is_none() {
        return Err(Status::not_found(format!(
            "there is no table {name} to load into; tables of your own are made in the schema {WORK} (db_schema_name=\"{WORK}\")"
        )));
    }
    let options = command.table_definition_options.unwrap_or_default();
    let (missing, there) = (options.if_not_exist(), options.if_exists());
    if missing == TableNotExistOption::Unspecified || there == TableExistsOption::Unspecified {
        return Err(Status::invalid_argument(
            "the command does not say what to do where the table exists, or does not (table_definition_options)",
        ));
    }
    Ok(Target { name, stored, table, made, missing, there })
}

/// The schema as SQL has it.
fn schema(command: &CommandStatementIngest) -> &str {
    command.schema.as_deref().filter(|schema| !schema.is_empty()).unwrap_or(DEFAULT_SCHEMA)
}

fn key(headers: &MetadataMap, command: &CommandStatementIngest) -> Result<Option<String>, Status> {
    let mut unknown: Vec<&str> =
        command.options.keys().map(String::as_str).filter(|name| *name != KEY_OPTION).collect();
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        return Err(Status::invalid_argument(format!(
            "there is no option \"{name}\" of an ingest; there is {KEY_OPTION}"
        )));
    }
    if let Some(key) = command.options.get(KEY_OPTION) {
        return Ok(Some(key.clone()));
    }
    let header = headers.get(KEY_HEADER).map(|value| value.to_str().map(str::to_owned)).transpose();
    header.map_err(|_| Status::invalid_argument(format!("the header {KEY_HEADER} must be plain text")))
}
