//! What goes in: SQL that changes rows, and values for its parameters. What comes out: how many rows it has changed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use futures::{StreamExt, TryStreamExt, stream};
use haetae_warehouse::ingest::{self, Change, Changes, Source};
use haetae_warehouse::query::{Effect, QueryStream, Snapshot, Update, shape};
use haetae_warehouse::store::Kind;
use haetae_warehouse::{COMMENTS, Error, RISK};
use tonic::Status;

use crate::audit::Record;
use crate::auth::Principal;
use crate::feed::Fed;
use crate::served::Noted;
use crate::service::Service;
use crate::writes::{Work, Written};
use crate::{Result, status};

/// The most entries of the catalogue that one statement edits.
const MOST_EDITED: usize = 10_000;

impl Service {
    pub(crate) async fn update(
        &self,
        principal: &Principal,
        sql: &str,
        values: Option<&RecordBatch>,
        id: &str,
    ) -> Result<u64, Status> {
        let mut noted = self.noted(principal, || Record::of(principal, "update", shape(sql)));
        let written = self.change(principal, sql, values, id, &mut noted).await;
        noted.end(&written);
        written.map(|written| written.rows)
    }

    async fn change(
        &self,
        principal: &Principal,
        sql: &str,
        values: Option<&RecordBatch>,
        id: &str,
        noted: &mut Noted,
    ) -> Result<Written, Status> {
        let failed = |error: Error| status::from_warehouse(&error);
        let mut work = self.work(principal, id, None).await?;
        let changes = work.changes().map_err(failed)?;
        // Planned against what the change builds on, so that nothing that was committed meanwhile is lost.
        let snapshot = self.statements.at(principal, changes.base_version())?;
        let update = snapshot.update(sql).await.map_err(failed)?;
        noted.record.tables.insert(update.name());
        let mut reads = update.tables();
        if update.effect() != Effect::Insert {
            reads.insert(update.name());
        }
        Self::untouched(principal, changes, &reads)?;
        if update.is_edit() {
            return self.edited(principal, work, &snapshot, &update, values, noted).await;
        }
        if update.is_comment() {
            return self.commented(principal, work, &snapshot, &update, values, noted).await;
        }
        let rewritten = update.is_made() && update.effect() != Effect::Insert;
        let mut counted = 0;
        if rewritten && update.effect() == Effect::Update {
            let matched = update.matched(values).await.map_err(failed)?;
            note(&mut noted.record, &matched);
            let rows = matched.try_fold(0_u64, |rows, batch| async move { Ok(rows + batch.num_rows() as u64) });
            counted = rows.await.map_err(failed)?;
        }
        let rows = if rewritten { update.rest(values).await } else { update.rows(values).await };
        let rows = rows.map_err(failed)?;
        note(&mut noted.record, &rows);
        self.written(principal, work, update, rows, counted, noted).await
    }

    /// Adds comments on scores, which are the officer's own whatever the statement says.
    async fn commented(
        &self,
        principal: &Principal,
        work: Work,
        snapshot: &Snapshot,
        update: &Update,
        values: Option<&RecordBatch>,
        noted: &mut Noted,
    ) -> Result<Written, Status> {
        let given = given("the comments", haetae_scoring::MOST_COMMENTS, update, values, noted).await?;
        let kept = haetae_scoring::comments(snapshot, &given, &principal.user).await;
        let kept = kept.map_err(|error| match error {
            haetae_scoring::Error::Warehouse(error) => status::from_warehouse(&error),
            other => Status::invalid_argument(other.to_string()),
        })?;
        let job = move |changes: &mut Changes, _: Fed| {
            let rows = kept.first().map_or(0, |column| column.len()) as u64;
            let make = Box::new(move |number| numbered(number, kept));
            changes.add_notes(RISK, vec![ingest::Noted { table: COMMENTS.to_owned(), rows, make }]);
            Ok(rows)
        };
        self.write(work, stream::empty(), noted, job).await
    }

    /// Edits the catalogue: each changed value is kept with who changed it.
    async fn edited(
        &self,
        principal: &Principal,
        work: Work,
        snapshot: &Snapshot,
        update: &Update,
        values: Option<&RecordBatch>,
        noted: &mut Noted,
    ) -> Result<Written, Status> {
        let given = given("the edits of the catalogue", MOST_EDITED, update, values, noted).await?;
        let edits = update.edits(snapshot.manifest(), &given, &principal.user);
        let edits = edits.map_err(|error| status::from_warehouse(&error))?;
        let job = move |changes: &mut Changes, _: Fed| {
            changes.edit(edits);
            Ok(given.num_rows() as u64)
        };
        self.write(work, stream::empty(), noted, job).await
    }

    async fn written(
        &self,
        principal: &Principal,
        work: Work,
        update: Update,
        rows: QueryStream,
        counted: u64,
        noted: &mut Noted,
    ) -> Result<Written, Status> {
        let columns = rows.schema();
        // A batch without rows says which columns there are.
        let batches = rows.chain(stream::iter([Ok(RecordBatch::new_empty(columns))]));
        let sender = format!("a statement of {}", principal.user);
        let job = move |changes: &mut Changes, fed: Fed| match (update.is_made(), update.effect()) {
            (true, Effect::Insert) => changes.fill(Kind::Append, update.place(), &sender, fed, 0),
            (true, effect) => rewrite(changes, &update, &sender, fed).map(|removed| match effect {
                Effect::Delete => removed,
                _ => counted,
            }),
            (false, effect) => load(changes, &update, effect, &sender, fed),
        };
        self.write(work, batches, noted, job).await
    }
}

/// The rows of a statement that takes few. Too many are refused before the others are read, of which nobody knows how
/// many there are.
async fn given(
    what: &str,
    most: usize,
    update: &Update,
    values: Option<&RecordBatch>,
    noted: &mut Noted,
) -> Result<RecordBatch, Status> {
    let failed = |error: Error| status::from_warehouse(&error);
    let mut rows = update.rows(values).await.map_err(failed)?;
    note(&mut noted.record, &rows);
    let columns = rows.schema();
    let (mut batches, mut count) = (Vec::new(), 0);
    while let Some(batch) = rows.try_next().await.map_err(failed)? {
        count += batch.num_rows();
        if count > most {
            let expected = format!("{what}: expected at most {most} in one statement, found more");
            return Err(Status::invalid_argument(expected));
        }
        batches.push(batch);
    }
    concat_batches(&columns, &batches).map_err(status::internal("take over the rows of a statement"))
}

/// Comments behind their number.
fn numbered(number: u64, columns: Vec<ArrayRef>) -> Result<RecordBatch, Error> {
    let failed = |source| Error::Data { action: format!("write {COMMENTS}"), source };
    let table = haetae_schema::risk_tables().iter().find(|table| table.name == COMMENTS);
    let table = table.ok_or_else(|| failed("there is no such table".into()))?;
    let rows = columns.first().map_or(0, |column| column.len());
    let number: ArrayRef = Arc::new(Int64Array::from(vec![i64::try_from(number).unwrap_or(i64::MAX); rows]));
    let columns = std::iter::once(number).chain(columns).collect();
    RecordBatch::try_new(table.arrow_schema(), columns).map_err(|source| failed(Box::new(source)))
}

/// Notes what a part of a statement reads.
fn note(record: &mut Record, rows: &QueryStream) {
    for (table, columns) in rows.reads() {
        record.tables.insert(table.clone());
        record.columns.extend(columns.iter().map(|column| format!("{table}.{column}")));
    }
}

/// Puts rows in the place of all that the table has; returns how many fewer there are.
fn rewrite(changes: &mut Changes, update: &Update, sender: &str, rows: Fed) -> Result<u64, Error> {
    let (schema, table) = update.place();
    let Some(columns) = changes.made(schema, table)? else {
        return Err(Error::UnknownTable { table: update.name(), known: "those that you have made".to_owned() });
    };
    let before = changes.made_rows(schema, table);
    changes.make(schema, table, &columns)?;
    let after = changes.fill(Kind::Replace, (schema, table), sender, rows, before)?;
    Ok(before.saturating_sub(after))
}

/// By the keys of a table of data. A row that breaks a rule ends the statement.
fn load(changes: &mut Changes, update: &Update, effect: Effect, sender: &str, rows: Fed) -> Result<u64, Error> {
    let change = match effect {
        Effect::Insert => Change::Append,
        Effect::Delete => Change::Delete,
        Effect::Update => Change::Upsert,
    };
    let (schema, table) = update.place();
    let (accepted, removed) = (changes.done().accepted, changes.done().removed);
    changes.apply_all(change, schema, table, Source::Batches { name: sender.to_owned(), batches: Box::new(rows) })?;
    let done = changes.done();
    Ok(if effect == Effect::Delete { done.removed - removed } else { done.accepted - accepted })
}
