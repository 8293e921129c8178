//! What goes in: operations on tables. What comes out: one commit for all of them, or none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arrow::array::RecordBatch;
use sha2::{Digest, Sha256};

use super::layout::Layout;
use super::load::{Load, Loaded};
use super::rejects;
use super::source::{BatchHash, Source, digest, hexadecimal};
use super::{Change, Format, Ingested, Progress, Skipped};
use crate::store::{
    Commit, Committed, Input, Key, Kind, NewEdit, NewOperation, OutsideTable, Savepoint, Store, Transaction,
};
use crate::{COURSE, Error, META, OUTSIDE, REJECTS, Result};

/// The longest idempotency key, in bytes.
const KEY_BYTES: usize = 200;

/// Rows that bear the number of an operation, which is known at the commit only.
pub struct Noted {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// Makes them from the number.
    pub make: Box<dyn FnOnce(u64) -> Result<RecordBatch> + Send>,
}

impl std::fmt::Debug for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Noted").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Operations that are committed together. Dropped without [`commit`](Self::commit), they change
/// nothing.
///
/// ```
/// use haetae_warehouse::ingest::{Change, Changes, Format};
/// use haetae_warehouse::store::Store;
/// # let folder = tempfile::tempdir()?;
/// # let (couriers, gone) = (folder.path().join("couriers.csv"), folder.path().join("gone.csv"));
/// # std::fs::write(&couriers, "courier_id,name\nC1,Fast\nC2,Slow\n")?;
/// # std::fs::write(&gone, "courier_id\nC2\n")?;
/// let store = Store::open(folder.path().join("warehouse"))?;
/// let mut changes = Changes::begin(&store)?.with_key("couriers of 2026-03-02")?;
/// let table = Format::Table("dim_courier".to_owned());
/// changes.apply(Change::Append, "customs", &table, vec![couriers.into()], &mut |_| {})?;
/// changes.apply(Change::Delete, "customs", &table, vec![gone.into()], &mut |_| {})?;
/// let done = changes.commit()?;
/// // Two rows and one key were accepted.
/// assert_eq!((done.version, done.accepted, done.removed), (1, 3, 1));
/// assert_eq!(store.current()?.rows("customs", "dim_courier"), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Changes {
    pub(super) transaction: Transaction,
    key: Option<String>,
    /// The commit that had the key before.
    earlier: Option<Commit>,
    pub(super) content: Sha256,
    pub(super) done: Ingested,
    tables: BTreeMap<String, u64>,
    pub(super) changed: bool,
    /// Why the first of the refused rows was refused.
    refusal: Option<String>,
}

/// A state of [`Changes`].
#[derive(Debug, Clone)]
pub struct Mark {
    savepoint: Savepoint,
    done: Ingested,
    tables: BTreeMap<String, u64>,
    changed: bool,
}

impl Changes {
    /// Begins on the newest version. Any number of changes may be prepared at the same time.
    pub fn begin(store: &Store) -> Result<Self> {
        let transaction = store.begin()?;
        let done = Ingested { version: transaction.base().version, ..Ingested::default() };
        let (content, tables) = (Sha256::new(), BTreeMap::new());
        Ok(Self { transaction, key: None, earlier: None, content, done, tables, changed: false, refusal: None })
    }

    /// Gives the commit an idempotency key of 1 to 200 bytes: when a commit with this key was made
    /// before, with the same operations on the same content, nothing is changed and the answer is
    /// the same version. With another content [`commit`](Self::commit) fails with
    /// [`Error::KeyReused`]. To be called before the first operation.
    pub fn with_key(mut self, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || key.len() > KEY_BYTES || key.chars().any(char::is_control) {
            return Err(Error::BadKey { bytes: key.len(), most: KEY_BYTES });
        }
        self.earlier = self.transaction.base().find_key(&key).cloned();
        self.key = Some(key);
        Ok(self)
    }

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
        if !fresh.is_empty() && !(only_files && history.last_was(&inputs)) {
            let mut reading = Load::begin(&mut self.transaction, change, schema, layout.clone())?;
            let mut read_in_vain = 0;
            for source in fresh {
                match source {
                    Source::File(path) => reading.read_file(&path, progress)?,
                    Source::Batches { name, batches } => {
                        let sha256 = reading.read_batches(&name, batches, progress)?;
                        if let Some(gap) = content.iter_mut().find(|sha256| sha256.is_none()) {
                            *gap = Some(sha256.clone());
                        }
                        let input = Input { name, sha256 };
                        read_in_vain += usize::from(change == Change::Append && history.took(&input).is_some());
                        inputs.push(input);
                    }
                    Source::Staged(mut staged) => {
                        reading.read_staged(&mut staged)?;
                        if let Some(gap) = content.iter_mut().find(|sha256| sha256.is_none()) {
                            *gap = Some(staged.sha256.clone());
                        }
                        let input = Input { name: staged.file, sha256: staged.sha256 };
                        read_in_vain += usize::from(change == Change::Append && history.took(&input).is_some());
                        inputs.push(input);
                    }
                }
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

    /// What the operations came to so far.
    pub fn done(&self) -> &Ingested {
        &self.done
    }

    /// The version that the changes build on.
    pub fn base_version(&self) -> u64 {
        self.transaction.base().version
    }

    /// Whether the operations so far have changed a table.
    pub fn touches(&self, schema: &str, table: &str) -> bool {
        self.transaction.changes(schema, table)
    }

    /// Whether a commit with the same key has been made before, so that nothing will be done.
    pub fn repeats(&self) -> bool {
        self.earlier.is_some()
    }

    /// Whether the changes have a key, so that their content counts.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Where the changes are now, to come back to.
    pub fn mark(&self) -> Mark {
        let (done, tables) = (self.done.clone(), self.tables.clone());
        Mark { savepoint: self.transaction.savepoint(), done, tables, changed: self.changed }
    }

    /// Takes back everything since `mark`. Marks that were set since then are good no more.
    pub fn back_to(&mut self, mark: Mark) {
        self.transaction.restore(mark.savepoint);
        (self.done, self.tables, self.changed) = (mark.done, mark.tables, mark.changed);
    }

    /// Does `work`; when it fails, everything is as it was before.
    pub fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mark = self.mark();
        let result = work(self);
        if result.is_err() {
            self.back_to(mark);
        }
        result
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

    /// Adds rows to tables that the warehouse keeps about itself, in the same commit. All of them bear one number,
    /// which is that of the first operation.
    pub fn add_notes(&mut self, schema: &str, tables: Vec<Noted>) {
        if self.earlier.is_some() {
            return;
        }
        let mut operations = Vec::with_capacity(tables.len());
        for Noted { table, rows, make } in tables {
            self.transaction.add_numbered(schema, &table, make);
            operations.push(NewOperation {
                kind: Kind::Append,
                schema: schema.to_owned(),
                table,
                format: String::new(),
                inputs: Vec::new(),
                accepted: rows,
                rejected: 0,
                removed: 0,
            });
        }
        self.changed |= !operations.is_empty();
        operations.into_iter().for_each(|operation| self.transaction.record(operation));
    }

    /// Edits the catalogue.
    pub fn edit(&mut self, edits: Vec<NewEdit>) {
        let Some(about) = edits.first().map(|edit| edit.about) else { return };
        let (kind, rows) = (Kind::Upsert, edits.iter().map(|edit| &edit.place).collect::<BTreeSet<_>>().len() as u64);
        self.transaction.edit(edits);
        self.catalogued(kind, META, about.table(), rows);
    }

    /// A table outside of the warehouse, as the version that the changes build on knows it.
    pub fn outside(&self, name: &str) -> Option<&OutsideTable> {
        self.transaction.base().outside.get(name)
    }

    /// The names of all such tables.
    pub fn all_outside(&self) -> impl Iterator<Item = &str> {
        self.transaction.base().outside.keys().map(String::as_str)
    }

    /// Makes a table known that lies outside of the warehouse, or known anew.
    pub fn register(&mut self, name: &str, table: OutsideTable) {
        self.transaction.set_outside(name, Some(table));
        self.catalogued(Kind::Register, OUTSIDE, name, 0);
    }

    /// Makes such a table known no longer. Its files stay as they are.
    pub fn unregister(&mut self, name: &str) {
        self.transaction.set_outside(name, None);
        self.catalogued(Kind::Unregister, OUTSIDE, name, 0);
    }

    fn catalogued(&mut self, kind: Kind, schema: &str, table: &str, accepted: u64) {
        let (schema, table, format, inputs) = (schema.to_owned(), table.to_owned(), String::new(), Vec::new());
        self.changed = true;
        self.transaction.record(NewOperation {
            kind,
            schema,
            table,
            format,
            inputs,
            accepted,
            rejected: 0,
            removed: 0,
        });
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

    /// Publishes all operations as one version. Fails with [`Error::Conflict`] when another commit
    /// has changed the same tables meanwhile; then the same changes can be made once more.
    pub fn commit(mut self) -> Result<Ingested> {
        let sha256 = hexadecimal(&self.content.finalize());
        if let (Some(name), Some(earlier)) = (&self.key, &self.earlier) {
            if earlier.key.as_ref().is_none_or(|key| key.sha256 != sha256) {
                return Err(Error::KeyReused { key: name.clone(), version: earlier.version });
            }
            return Ok(Ingested { version: earlier.version, repeated: true, ..Ingested::default() });
        }
        if !self.changed && self.key.is_none() {
            return Ok(self.done);
        }
        if let Some(name) = self.key {
            self.transaction.set_key(Key { name, sha256 });
        }
        match self.transaction.commit()? {
            Committed::Now { version, first_id } => {
                self.done.version = version;
                self.done.load_id = self.changed.then_some(first_id);
                self.done.tables = self.tables.into_iter().collect();
                Ok(self.done)
            }
            Committed::Before { version } => Ok(Ingested { version, repeated: true, ..Ingested::default() }),
        }
    }
}

/// What was done to a table before, as far as it decides whether content is to be taken again.
#[derive(Default)]
struct History(Vec<(u64, Vec<Input>)>);

impl History {
    /// Operations of the same kind and format since the last of another kind, the newest first: what
    /// was appended before a deletion may have gone with it, and is taken again. Of other kinds only the last
    /// operation counts, whatever its format.
    fn of(transaction: &Transaction, kind: Kind, schema: &str, table: &str, form: &str) -> Self {
        let own = transaction.recorded().into_iter().rev();
        let own = own.map(|(id, done)| (id, done.kind, (&done.schema, &done.table), &done.format, &done.inputs));
        let before = transaction.base().commits.iter().rev().flat_map(|commit| commit.operations.iter().rev());
        let before = before.map(|done| (done.id, done.kind, (&done.schema, &done.table), &done.format, &done.inputs));
        // An operation by a KCS file bears the name of its first table, and changes the second with it. What it
        // appends is compared with the first alone.
        let with_kcs = |form: &str, table: &str| form == "kcs" && table == "fact_inspection";
        let touches = |place: (&String, &String), other: &str| {
            let also = with_kcs(other, table) || (kind != Kind::Append && with_kcs(form, place.1));
            place.0 == schema && (place.1 == table || also)
        };
        let on_table =
            own.chain(before).filter(|(_, other, place, format, _)| *other != Kind::Compact && touches(*place, format));
        let most = if kind == Kind::Append { usize::MAX } else { 1 };
        let same = on_table.take_while(|(_, other, ..)| *other == kind).take(most);
        let same = same.filter(|(_, _, _, format, _)| format.as_str() == form);
        Self(same.map(|(id, _, _, _, inputs)| (id, inputs.clone())).collect())
    }

    /// The operation that has taken this content.
    fn took(&self, input: &Input) -> Option<u64> {
        let took = |inputs: &[Input]| inputs.iter().any(|earlier| earlier.sha256 == input.sha256);
        self.0.iter().find(|(_, inputs)| took(inputs)).map(|(id, _)| *id)
    }

    /// Whether the last operation had exactly this content.
    fn last_was(&self, inputs: &[Input]) -> bool {
        let content = |inputs: &[Input]| inputs.iter().map(|input| input.sha256.clone()).collect::<Vec<_>>();
        self.0.first().is_some_and(|(_, last)| content(last) == content(inputs))
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
