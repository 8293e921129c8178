//! What goes in: the sources of one operation, one after another. What comes out: accepted rows in
//! files of a transaction, rows that went, refused rows with their reasons.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use haetae_schema::Table;

use super::ahead;
use super::check::check;
use super::chunk::{Chunk, Failure};
use super::columnar;
use super::dimensions::Mentioned;
use super::keys::Keys;
use super::layout::Layout;
use super::rejects::{Reject, cut, duplicate};
use super::source::BatchHash;
use super::{Change, Progress};
use crate::store::{DataFile, Filling, Transaction};
use crate::{Error, Result};

/// Rows that are sorted together and become one file. Bounds the memory of a load.
pub(crate) const ROWS_IN_A_FILE: usize = 2 * 1024 * 1024;

/// Or fewer, where they have this many bytes: what is sorted at once must also fit the offsets of texts.
const BYTES_IN_A_FILE: usize = 3 << 29;

/// A call that refuses more rows has been given another kind of file, and fails: they are kept in memory.
const MOST_REJECTS: usize = 4_000_000;
/// The same for their texts, in bytes.
const MOST_REJECTED_BYTES: usize = 1 << 30;
/// What is kept of the text of a refused row, and of the reason, in bytes.
const RAW_BYTES: usize = 64 << 10;
const REASON_BYTES: usize = 1 << 10;

/// An operation that is being read.
pub(super) struct Load<'t> {
    transaction: &'t mut Transaction,
    change: Change,
    schema: String,
    layout: Layout,
    keys: Keys,
    /// The files of the tables before the operation.
    before: Vec<(&'static Table, Vec<DataFile>)>,
    mentioned: Mentioned,
    waiting: BTreeMap<&'static str, Waiting>,
    /// The file that is being written meanwhile, and its table.
    filling: Option<(&'static str, Filling)>,
    done: Loaded,
    rows_read: u64,
    rejected_bytes: usize,
}

/// What an operation came to.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// Rows added to each table.
    pub(super) written: BTreeMap<String, u64>,
    /// Rows that breach no rule (of a deletion: keys).
    pub(super) accepted: u64,
    /// Rows of the main table that are there no longer.
    pub(super) removed: u64,
    /// Rows refused.
    pub(super) rejects: Vec<Reject>,
}

struct Waiting {
    table: &'static Table,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl<'t> Load<'t> {
    pub(super) fn begin(
        transaction: &'t mut Transaction,
        change: Change,
        schema: &str,
        layout: Layout,
    ) -> Result<Self> {
        // Only what is appended must not be there already.
        let keys = match change {
            Change::Append => Keys::of_table(transaction, schema, layout.table.name, layout.table.key)?,
            _ => Keys::default(),
        };
        let files = |table: &'static Table| (table, transaction.files(schema, table.name).to_vec());
        let before = layout.tables().into_iter().map(files).collect();
        Ok(Self {
            transaction,
            change,
            schema: schema.to_owned(),
            layout,
            keys,
            before,
            mentioned: Mentioned::default(),
            waiting: BTreeMap::new(),
            filling: None,
            done: Loaded::default(),
            rows_read: 0,
            rejected_bytes: 0,
        })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads a file to its end.
    pub(super) fn read_file(&mut self, path: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<()> {
        let name = path.display().to_string();
        let layout = self.layout.clone();
        ahead::read(path, &layout, |checked| {
            let (done, total) = checked.progress;
            self.take_checked(&name, checked.chunk, &checked.failures)?;
            progress(Progress { file: path, rows: self.rows_read, done, total });
            Ok(())
        })
    }

    /// Reads batches and returns the SHA-256 of their content.
    pub(super) fn read_batches(
        &mut self,
        name: &str,
        batches: impl Iterator<Item = Result<RecordBatch>>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<String> {
        let (layout, path) = (self.layout.clone(), PathBuf::from(name));
        let mut hash = BatchHash::default();
        let mut first = 1;
        for batch in batches {
            let batch = batch?;
            columnar::check_schema(&path, &layout, &batch.schema())?;
            hash.note(&batch)?;
            self.take(name, columnar::chunk(&layout, &batch, first)?)?;
            first += batch.num_rows() as u64;
            progress(Progress { file: &path, rows: self.rows_read, done: first - 1, total: first });
        }
        hash.finish()
    }

    /// Writes what waits and removes what the operation replaces.
    pub(super) fn finish(mut self) -> Result<Loaded> {
        self.end_filling()?;
        for (name, waiting) in std::mem::take(&mut self.waiting) {
            self.add(name, &waiting.batches, waiting.table.sort)?;
        }
        for (table, files) in std::mem::take(&mut self.before) {
            let gone = match self.change {
                Change::Append => 0,
                Change::Replace => {
                    self.transaction.drop_files(&self.schema, table.name, &files);
                    files.iter().map(|file| file.rows).sum()
                }
                Change::Upsert | Change::Delete => {
                    let stays = |rows: &RecordBatch| self.keys.not_noted(rows, table.key);
                    let (schema, name) = (&self.schema, table.name);
                    self.transaction.retain(schema, name, &files, table.sort, table.key, &stays)?
                }
            };
            if table.name == self.layout.table.name {
                self.done.removed = gone;
            }
        }
        if self.layout.format == "kcs" {
            for (table, rows) in std::mem::take(&mut self.mentioned).missing(self.transaction, &self.schema)? {
                self.add(table.name, &[rows], table.sort)?;
            }
        }
        Ok(self.done)
    }

    /// Checks the rows of a chunk and keeps the good ones and the bad ones apart.
    pub(super) fn take(&mut self, file: &str, mut chunk: Chunk) -> Result<()> {
        let failures = check(&self.layout, &mut chunk)?;
        self.take_checked(file, chunk, &failures)
    }

    fn take_checked(&mut self, file: &str, mut chunk: Chunk, failures: &[Option<Failure>]) -> Result<()> {
        self.rows_read += (chunk.lines.len() + chunk.broken.len()) as u64;
        let mut refused = self.refused(file, &mut chunk, failures);

        // Keys are compared among good rows only: a bad row must not make a later good one a duplicate.
        let good: Vec<usize> = (0..failures.len()).filter(|row| failures[*row].is_none()).collect();
        let keep: BooleanArray = failures.iter().map(|failure| Some(failure.is_none())).collect();
        let rows = filter_record_batch(&chunk.rows, &keep).map_err(Error::data("drop refused rows"))?;
        if self.change == Change::Delete {
            self.done.accepted += rows.num_rows() as u64;
            self.keys.note(&rows, self.layout.table.key)?;
            return self.refuse(refused);
        }
        let tables = self.layout.split(&rows)?;
        let Some((table, primary)) = tables.first() else { return Ok(()) };
        let seen = self.keys.note(primary, table.key)?;
        for (position, row) in good.into_iter().enumerate() {
            if let Some(seen) = seen[position] {
                let header = self.layout.sources.iter().find(|s| Some(&s.column.name) == table.key.first());
                let reason = duplicate(primary, table, position, seen);
                let raw_text = chunk.raw.row(row);
                refused.push(self.reject(file, chunk.lines[row], header.map(|source| source.header), reason, raw_text));
            }
        }
        let keep: BooleanArray = seen.iter().map(|seen| Some(seen.is_none())).collect();
        self.done.accepted += keep.true_count() as u64;
        refused.sort_by_key(|reject| reject.line_number);
        self.refuse(refused)?;
        for (table, rows) in tables {
            let rows = filter_record_batch(&rows, &keep).map_err(Error::data("drop refused rows"))?;
            self.keep(table, rows)?;
        }
        Ok(())
    }

    /// The rows that could not be taken apart, and those that break a rule.
    fn refused(&self, file: &str, chunk: &mut Chunk, failures: &[Option<Failure>]) -> Vec<Reject> {
        let mut refused = Vec::new();
        for broken in std::mem::take(&mut chunk.broken) {
            refused.push(self.reject(file, broken.line, None, broken.reason, broken.raw));
        }
        for (row, failure) in failures.iter().enumerate() {
            if let Some(failure) = failure {
                let column = failure.source.map(|position| self.layout.sources[position].header);
                let raw_text = chunk.raw.row(row);
                refused.push(self.reject(file, chunk.lines[row], column, failure.reason.clone(), raw_text));
            }
        }
        refused.sort_by_key(|reject| reject.line_number);
        refused
    }

    pub(super) fn refuse(&mut self, mut refused: Vec<Reject>) -> Result<()> {
        self.rejected_bytes += refused.iter().map(|reject| reject.raw_text.len() + reject.reason.len()).sum::<usize>();
        self.done.rejects.append(&mut refused);
        let (rows, last) = (self.done.rejects.len(), self.done.rejects.last());
        match last.filter(|_| rows > MOST_REJECTS || self.rejected_bytes > MOST_REJECTED_BYTES) {
            Some(last) => Err(Error::TooManyRejects { file: last.file.clone(), rows, last: last.reason.clone() }),
            None => Ok(()),
        }
    }

    pub(super) fn reject(
        &self,
        file: &str,
        line_number: u64,
        column: Option<&str>,
        reason: String,
        raw_text: String,
    ) -> Reject {
        let (table, file, column) = (self.layout.table.name.to_owned(), file.to_owned(), column.map(str::to_owned));
        let (reason, raw_text) = (cut(reason, REASON_BYTES), cut(raw_text, RAW_BYTES));
        Reject { table, file, line_number, column, reason, raw_text }
    }

    fn keep(&mut self, table: &'static Table, rows: RecordBatch) -> Result<()> {
        if self.layout.format == "kcs" && table.name == self.layout.table.name {
            self.mentioned.note(&rows);
        }
        let waiting =
            self.waiting.entry(table.name).or_insert_with(|| Waiting { table, batches: Vec::new(), rows: 0, bytes: 0 });
        waiting.rows += rows.num_rows();
        waiting.bytes += rows.get_array_memory_size();
        waiting.batches.push(rows);
        if waiting.rows >= ROWS_IN_A_FILE || waiting.bytes >= BYTES_IN_A_FILE {
            self.write_out(table.name)
        } else {
            Ok(())
        }
    }

    /// Has what waits for a table written by another thread. At most one file is written at a time: memory has a
    /// bound, and what is done to the disk an order.
    fn write_out(&mut self, name: &'static str) -> Result<()> {
        self.end_filling()?;
        let Some(Waiting { table, batches, rows, .. }) = self.waiting.remove(name) else { return Ok(()) };
        self.count(name, rows);
        self.filling = self.transaction.fill(batches, table.sort)?.map(|filling| (name, filling));
        Ok(())
    }

    fn end_filling(&mut self) -> Result<()> {
        let Some((table, filling)) = self.filling.take() else { return Ok(()) };
        self.transaction.add_filled(&self.schema, table, filling)
    }

    fn count(&mut self, table: &str, rows: usize) {
        if rows > 0 {
            *self.done.written.entry(table.to_owned()).or_default() += rows as u64;
        }
    }

    fn add(&mut self, table: &str, batches: &[RecordBatch], sort: &[&str]) -> Result<()> {
        self.count(table, batches.iter().map(RecordBatch::num_rows).sum());
        self.transaction.add(&self.schema, table, batches, sort)
    }
}
