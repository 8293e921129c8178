//! What goes in: rows to add, files to drop. What comes out: a draft of the next version, which
//! nobody sees before it is committed.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::edit::NewEdit;
use super::manifest::{DataFile, Input, Key, Kind, MadeColumn};
use super::outside::OutsideTable;
use super::work_directory::WorkDirectory;
use super::{Pinned, Store, vacuum};
use crate::{Error, META, OUTSIDE, Result};

/// A change of one or more tables that is being prepared. Dropped without
/// [`commit`](Self::commit), it changes nothing that a reader sees. Any number of transactions may
/// be prepared at the same time.
#[derive(Debug)]
pub struct Transaction {
    pub(super) store: Store,
    pub(super) base: Arc<Pinned>,
    pub(super) directory: WorkDirectory,
    pub(super) drafts: BTreeMap<(String, String), Draft>,
    pub(super) operations: Vec<NewOperation>,
    pub(super) numbered: Vec<Numbered>,
    /// With the position of the operation that they belong to.
    pub(super) edits: Vec<(usize, NewEdit)>,
    /// What becomes of tables that lie elsewhere; `None` = known no longer.
    pub(super) outside: BTreeMap<String, Option<OutsideTable>>,
    pub(super) key: Option<Key>,
    pub(super) next_file: usize,
}

/// A table as the transaction will leave it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) files: Vec<DataFile>,
    /// Whether rows change. Compaction changes files only.
    pub(super) changes_rows: bool,
    /// The columns of a table that a user makes.
    pub(super) columns: Option<Vec<MadeColumn>>,
}

/// The state of a draft, to come back to.
#[derive(Debug, Clone)]
pub struct Savepoint {
    drafts: BTreeMap<(String, String), Draft>,
    operations: usize,
    numbered: usize,
    edits: usize,
    outside: BTreeMap<String, Option<OutsideTable>>,
}

/// What a commit records about one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// What was done.
    pub kind: Kind,
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// `table` or `kcs`; empty where nothing was read.
    pub format: String,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows removed.
    pub removed: u64,
}

type MakeRows = Box<dyn FnOnce(u64) -> Result<RecordBatch> + Send>;

/// Rows that contain the number of an operation, which is known at the commit only.
pub(super) struct Numbered {
    pub(super) schema: String,
    pub(super) table: String,
    /// Position of the operation in the transaction.
    pub(super) operation: usize,
    pub(super) rows: MakeRows,
}

impl std::fmt::Debug for Numbered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Numbered").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Transaction {
    pub(super) fn begin(store: &Store) -> Result<Self> {
        let _lock = store.lock()?;
        vacuum::sweep_interrupted(store)?;
        let directory = WorkDirectory::create(store)?;
        let base = store.current()?;
        // Whoever published it may have been interrupted before it was on the disk. What is built on
        // it, or answered with "that is there already", must not be lost with it.
        store.disk().keep_directory(store.root())?;
        Ok(Self {
            store: store.clone(),
            base,
            directory,
            drafts: BTreeMap::new(),
            operations: Vec::new(),
            numbered: Vec::new(),
            edits: Vec::new(),
            outside: BTreeMap::new(),
            key: None,
            next_file: 0,
        })
    }

    /// The version that this transaction builds on.
    pub fn base(&self) -> &Pinned {
        &self.base
    }

    /// The warehouse that is written.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Gives the commit an idempotency key; see [`Committed::Before`](super::Committed::Before).
    pub fn set_key(&mut self, key: Key) {
        self.key = Some(key);
    }

    /// The files of a table as the transaction has it so far. Not all of them are published.
    pub fn files(&self, schema: &str, table: &str) -> &[DataFile] {
        match self.drafts.get(&(schema.to_owned(), table.to_owned())) {
            Some(draft) => &draft.files,
            None => self.base.files(schema, table),
        }
    }

    /// Where a file of [`files`](Self::files) lies.
    pub fn path(&self, file: &DataFile) -> PathBuf {
        self.store.root().join(&file.path)
    }

    /// Drops files from a table, with all their rows.
    pub fn drop_files(&mut self, schema: &str, table: &str, files: &[DataFile]) {
        if !files.is_empty() {
            self.swap(schema, table, files, Vec::new());
            self.draft(schema, table).changes_rows = true;
        }
    }

    /// Puts `new` where the first of `old` was. On its own it means that the rows stay the same.
    pub(super) fn swap(&mut self, schema: &str, table: &str, old: &[DataFile], new: Vec<DataFile>) {
        let old: HashSet<&str> = old.iter().map(|file| file.path.as_str()).collect();
        let files = &mut self.draft(schema, table).files;
        let position = files.iter().position(|file| old.contains(file.path.as_str())).unwrap_or(files.len());
        files.retain(|file| !old.contains(file.path.as_str()));
        files.splice(position..position, new);
    }

    pub(super) fn draft(&mut self, schema: &str, table: &str) -> &mut Draft {
        let base = &self.base;
        self.drafts.entry((schema.to_owned(), table.to_owned())).or_insert_with(|| {
            let files = base.files(schema, table).to_vec();
            Draft { files, changes_rows: false, columns: None }
        })
    }

    /// The columns of a table that a user has made, as the transaction has it so far; `None` where there is none.
    pub fn made(&self, schema: &str, table: &str) -> Option<&[MadeColumn]> {
        let draft = self.drafts.get(&(schema.to_owned(), table.to_owned()));
        let columns = match draft {
            Some(Draft { columns: Some(columns), .. }) => columns,
            _ => &self.base.table(schema, table)?.columns,
        };
        (!columns.is_empty()).then_some(columns.as_slice())
    }

    /// Makes an empty table with these columns, in the place of one with the same name.
    pub fn make(&mut self, schema: &str, table: &str, columns: Vec<MadeColumn>) {
        let draft = self.draft(schema, table);
        draft.files.clear();
        (draft.columns, draft.changes_rows) = (Some(columns), true);
    }

    /// Whether the transaction has changed a table so far.
    pub fn changes(&self, schema: &str, table: &str) -> bool {
        match schema {
            META => !self.edits.is_empty() || !self.outside.is_empty(),
            OUTSIDE => self.outside.contains_key(table),
            _ => self.drafts.get(&(schema.to_owned(), table.to_owned())).is_some_and(|draft| draft.changes_rows),
        }
    }

    /// Edits the catalogue, as a part of the operation that is recorded next.
    pub fn edit(&mut self, edits: Vec<NewEdit>) {
        let operation = self.operations.len();
        self.edits.extend(edits.into_iter().map(|edit| (operation, edit)));
    }

    /// Makes a table known that lies elsewhere, or with `None` known no longer.
    pub fn set_outside(&mut self, name: &str, table: Option<OutsideTable>) {
        self.outside.insert(name.to_owned(), table);
    }

    /// The operations so far, with the numbers that they will have if no other commit comes first.
    pub fn recorded(&self) -> Vec<(u64, &NewOperation)> {
        (self.base.next_load..).zip(&self.operations).collect()
    }

    /// The number that the next operation will have if no other commit comes first.
    pub fn next_id(&self) -> u64 {
        self.base.next_load + self.operations.len() as u64
    }

    /// Records what the files that were added and dropped amount to.
    pub fn record(&mut self, operation: NewOperation) {
        self.operations.push(operation);
    }

    /// Adds rows that contain the number of the operation that is recorded next.
    pub fn add_numbered(
        &mut self,
        schema: &str,
        table: &str,
        rows: impl FnOnce(u64) -> Result<RecordBatch> + Send + 'static,
    ) {
        let (schema, table, operation) = (schema.to_owned(), table.to_owned(), self.operations.len());
        self.numbered.push(Numbered { schema, table, operation, rows: Box::new(rows) });
    }

    /// The draft as it is now.
    pub fn savepoint(&self) -> Savepoint {
        let (operations, numbered, edits) = (self.operations.len(), self.numbered.len(), self.edits.len());
        Savepoint { drafts: self.drafts.clone(), operations, numbered, edits, outside: self.outside.clone() }
    }

    /// Takes back everything since `savepoint`.
    pub fn restore(&mut self, savepoint: Savepoint) {
        self.drafts = savepoint.drafts;
        self.operations.truncate(savepoint.operations);
        self.numbered.truncate(savepoint.numbered);
        self.edits.truncate(savepoint.edits);
        self.outside = savepoint.outside;
    }

    pub(super) fn conflict(&self, schema: &str, table: &str, current: u64) -> Error {
        let (schema, table) = (schema.to_owned(), table.to_owned());
        Error::Conflict { schema, table, base: self.base.version, current }
    }
}
