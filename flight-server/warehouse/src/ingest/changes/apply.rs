//! What goes in: files, batches or staged rows for a table. What comes out: their operation, added to the changes, unless
//! the table has taken them already.

use std::path::PathBuf;

use sha2::Digest;

use super::super::layout::Layout;
use super::super::load::{Load, Loaded};
use super::super::rejects;
use super::super::source::{BatchHash, Source, digest};
use super::super::{Change, Format, Progress, Skipped};
use super::Changes;
use super::history::History;
use crate::store::{Input, Kind, NewOperation};
use crate::{COURSE, Error, REJECTS, Result};

impl Changes {
    /// Does one operation on the state that the operations before it have left. Content that a table
    /// has taken already is passed over: see [`Skipped`].
    ///
    /// For [`Change::Delete`] the sources hold the key columns of the table and nothing else; keys
    /// that the table does not have do no harm. Fails when a source cannot be used at all or when
    /// the table or schema does not exist; then the changes are to be dropped.
    pub fn apply(
        &mut self,
        change: Change,
        schema: &str,
        format: &Format,
        sources: Vec<Source<'_>>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        let layout = layout_for(change, schema, format)?;
        let history = History::of(&self.transaction, change.into(), schema, layout.table.name, layout.format);
        self.apply_with(&history, change, schema, layout, sources, progress)
    }

    fn apply_with(
        &mut self,
        history: &History,
        change: Change,
        schema: &str,
        layout: Layout,
        sources: Vec<Source<'_>>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<()> {
        let (kind, table, form) = (Kind::from(change), layout.table.name, layout.format);
        self.content.update(format!("{kind} {schema} {table} {form}\n"));
        if self.earlier.is_some() {
            for source in sources {
                let sha256 = content_of(source)?;
                self.content.update(sha256 + "\n");
            }
            return Ok(());
        }
        let mut inputs: Vec<Input> = Vec::new();
        let mut fresh = Vec::new();
        let mut content = Vec::new();
        for source in sources {
            let Source::File(path) = &source else {
                content.push(None);
                fresh.push(source);
                continue;
            };
            let input = Input { name: source.name(), sha256: digest(path)? };
            content.push(Some(input.sha256.clone()));
            let again = inputs.iter().any(|earlier| earlier.sha256 == input.sha256);
            let taken = history.took(&input).or(again.then(|| self.transaction.next_id()));
            match taken.filter(|_| change == Change::Append) {
                Some(load_id) => self.done.skipped.push(Skipped { file: path.clone(), load_id }),
                None => {
                    inputs.push(input);
                    fresh.push(source);
                }
            }
        }
        let savepoint = self.transaction.savepoint();
        let only_files = content.iter().all(Option::is_some);
        let mut load = None;
        let repeated = only_files && history.last_was(&inputs);
        if !fresh.is_empty() && !repeated {
            let mut reading = Load::begin(&mut self.transaction, change, schema, layout.clone())?;
            let mut read_in_vain = 0;
            for source in fresh {
                let (name, sha256) = match source {
                    Source::File(path) => {
                        reading.read_file(&path, progress)?;
                        continue;
                    }
                    Source::Batches { name, batches } => {
                        let sha256 = reading.read_batches(&name, batches, progress)?;
                        (name, sha256)
                    }
                    Source::Staged(mut staged) => {
                        reading.read_staged(&mut staged)?;
                        (staged.file, staged.sha256)
                    }
                };
                if let Some(gap) = content.iter_mut().find(|sha256| sha256.is_none()) {
                    *gap = Some(sha256.clone());
                }
                let input = Input { name, sha256 };
                read_in_vain += usize::from(change == Change::Append && history.took(&input).is_some());
                inputs.push(input);
            }
            if !history.last_was(&inputs) && read_in_vain < inputs.len() {
                load = Some(reading.finish()?);
            }
        }
        for sha256 in content.into_iter().flatten() {
            self.content.update(sha256 + "\n");
        }
        match load {
            Some(load) => self.record(
                NewOperation {
                    kind,
                    schema: schema.to_owned(),
                    table: table.to_owned(),
                    format: form.to_owned(),
                    accepted: load.accepted,
                    rejected: load.rejects.len() as u64,
                    removed: load.removed,
                    inputs,
                },
                load,
            ),
            None => {
                self.transaction.restore(savepoint);
                let skipped = inputs.iter().map(|input| Skipped {
                    file: PathBuf::from(&input.name),
                    load_id: history.took(input).unwrap_or_default(),
                });
                self.done.skipped.extend(skipped);
            }
        }
        Ok(())
    }

    /// What a statement does: as [`apply`](Self::apply), but a row that breaks a rule is an error, and the same once
    /// more is done once more. After an error the changes are to be dropped, or taken back by [`whole`](Self::whole).
    pub fn apply_all(&mut self, change: Change, schema: &str, table: &str, source: Source<'_>) -> Result<()> {
        let before = self.done.rejected;
        self.refusal = None;
        let layout = match (schema == COURSE, change) {
            (true, Change::Delete) => Layout::course(table)?.key_alone(),
            // Here alone: the schema has no table for rows that are refused.
            (true, _) => Layout::course(table)?,
            (false, _) => layout_for(change, schema, &Format::Table(table.to_owned()))?,
        };
        self.apply_with(&History::default(), change, schema, layout, vec![source], &mut |_| {})?;
        match self.done.rejected - before {
            0 => Ok(()),
            rows => Err(Error::Refused {
                rows,
                table: format!("{schema}.{table}"),
                reason: self.refusal.take().unwrap_or_default(),
            }),
        }
    }

    fn record(&mut self, operation: NewOperation, load: Loaded) {
        self.changed = true;
        self.done.accepted += operation.accepted;
        self.done.rejected += operation.rejected;
        self.done.removed += operation.removed;
        for (table, rows) in load.written {
            *self.tables.entry(table).or_default() += rows;
        }
        if !load.rejects.is_empty() {
            *self.tables.entry(REJECTS.to_owned()).or_default() += operation.rejected;
            let mut rest = load.rejects;
            self.refusal = self.refusal.take().or_else(|| rest.first().map(|reject| reject.reason.clone()));
            while !rest.is_empty() {
                let after = rest.split_off(rest.len().min(rejects::ROWS));
                let rejects = std::mem::replace(&mut rest, after);
                self.transaction.add_numbered(&operation.schema, REJECTS, move |id| rejects::batch(id, &rejects));
            }
        }
        self.transaction.record(operation);
    }
}

/// SHA-256 of what a source holds.
fn content_of(source: Source<'_>) -> Result<String> {
    match source {
        Source::File(path) => digest(&path),
        Source::Staged(staged) => Ok(staged.sha256),
        Source::Batches { batches, .. } => {
            let mut hash = BatchHash::default();
            for batch in batches {
                hash.note(&batch?)?;
            }
            hash.finish()
        }
    }
}

fn layout_for(change: Change, schema: &str, format: &Format) -> Result<Layout> {
    crate::known_schema(schema)?;
    match (change, format) {
        (Change::Delete, Format::Kcs) => Err(Error::DeleteByKcs),
        (Change::Delete, Format::Table(table)) => Layout::keys(table),
        (_, Format::Kcs) => Layout::kcs(),
        (_, Format::Table(table)) => Layout::table(table),
    }
}
