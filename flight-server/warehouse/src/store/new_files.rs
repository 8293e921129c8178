//! What goes in: rows for a table. What comes out: files with them, in the draft of a transaction.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::manifest::DataFile;
use super::parquet_file::{Sink, Written};
use super::transaction::Transaction;
use super::whole_file::{Filling, fill};
use crate::Result;

impl Transaction {
    /// Adds one file with the rows of `batches`, sorted by `sort`, to a table. No rows, no file.
    pub fn add(&mut self, schema: &str, table: &str, batches: &[RecordBatch], sort: &[&str]) -> Result<()> {
        let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(()) };
        let sink = self.sink(&first.schema(), sort)?;
        self.take_in(schema, table, fill(sink, batches, sort)?);
        Ok(())
    }

    /// Begins such a file, whose rows another thread sorts and writes. Before anything else is done with the
    /// transaction it is given to [`add_filled`](Self::add_filled).
    pub(crate) fn fill(&mut self, batches: Vec<RecordBatch>, sort: &[&str]) -> Result<Option<Filling>> {
        let Some(first) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
        let sink = self.sink(&first.schema(), sort)?;
        Filling::begin(sink, batches, sort).map(Some)
    }

    /// Adds a file that another thread has written to a table.
    pub(crate) fn add_filled(&mut self, schema: &str, table: &str, filling: Filling) -> Result<()> {
        let written = filling.finish()?;
        self.take_in(schema, table, written);
        Ok(())
    }

    /// A new file for rows that are in no order.
    pub(crate) fn file(&mut self, columns: &SchemaRef) -> Result<Sink> {
        self.sink(columns, &[])
    }

    /// Adds a file that has been written to a table.
    pub(crate) fn add_file(&mut self, schema: &str, table: &str, sink: Sink) -> Result<()> {
        let written = sink.finish()?;
        self.take_in(schema, table, written);
        Ok(())
    }

    fn take_in(&mut self, schema: &str, table: &str, written: Written) {
        let file = self.data_file(written);
        let draft = self.draft(schema, table);
        draft.files.push(file);
        draft.changes_rows = true;
    }

    /// A new file of the transaction.
    pub(super) fn sink(&mut self, columns: &SchemaRef, sort: &[&str]) -> Result<Sink> {
        let path = self.directory.path.join(format!("{}.parquet", self.next_file));
        self.next_file += 1;
        Sink::create(self.store.disk(), path, columns, sort)
    }

    pub(super) fn finish(&self, sink: Sink) -> Result<DataFile> {
        Ok(self.data_file(sink.finish()?))
    }

    fn data_file(&self, (path, rows, bytes, bounds): Written) -> DataFile {
        let below = path.strip_prefix(self.store.root()).unwrap_or(&path);
        DataFile { path: below.to_string_lossy().into_owned(), rows, bytes, bounds }
    }

    /// Whether a file has been written by this transaction.
    pub(super) fn is_new(&self, file: &DataFile) -> bool {
        self.path(file).starts_with(&self.directory.path)
    }
}
