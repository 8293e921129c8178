//! What goes in: a warehouse with many small files. What comes out: one version with few files that
//! hold the same rows in the same order, and do not overlap.

use std::sync::Arc;

use super::manifest::{DataFile, Kind};
use super::merge::{Merge, Source};
use super::parquet_file::read;
use super::transaction::{NewOperation, Transaction};
use super::{Committed, Store};
use crate::{Error, Result};

/// How many files are merged at a time: each needs one open file and one batch of memory.
const FILES_AT_A_TIME: usize = 64;

/// Rows of each source that are in memory while files are merged.
const MERGE_ROWS: usize = 8192;

/// What [`compact`] is to do.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// Rows of a full file. Files with less than half of that are merged.
    pub rows_in_a_file: u64,
    /// Merge full files too, so that those of a table do not overlap in the columns that they are
    /// sorted by (as far as 64 files are merged at a time).
    pub all: bool,
    /// Only this table, (schema, table).
    pub table: Option<(String, String)>,
}

impl Default for Compaction {
    /// Small files of all tables into files of two million rows.
    fn default() -> Self {
        Self { rows_in_a_file: crate::ingest::ROWS_IN_A_FILE as u64, all: false, table: None }
    }
}

/// What [`compact`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The version afterwards.
    pub version: u64,
    /// The tables of which files were merged; none when there was nothing to do.
    pub tables: Vec<CompactedTable>,
}

/// One table of [`Compacted`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactedTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// Its files before.
    pub files_before: usize,
    /// Its files afterwards.
    pub files_after: usize,
    /// Rows that were written again.
    pub rows: u64,
}

/// Merges files and commits all tables together. Readers go on with the version that they have, and
/// writers may append meanwhile. Fails with [`Error::Conflict`] when one removed or rewrote a file
/// that was merged; then nothing is changed.
pub fn compact(store: &Store, wanted: &Compaction) -> Result<Compacted> {
    let mut transaction = store.begin()?;
    let names: Vec<(String, String)> = transaction
        .base()
        .tables
        .iter()
        .flat_map(|(schema, tables)| tables.keys().map(|table| (schema.clone(), table.clone())))
        .filter(|name| wanted.table.as_ref().is_none_or(|only| only == name))
        .collect();
    if let (Some((schema, table)), true) = (&wanted.table, names.is_empty()) {
        let known =
            transaction.base().tables.iter().flat_map(|(s, tables)| tables.keys().map(move |t| format!("{s}.{t}")));
        let known = known.collect::<Vec<_>>().join(", ");
        return Err(Error::NothingToCompact { table: format!("{schema}.{table}"), known });
    }
    let mut tables = Vec::new();
    for (schema, table) in names {
        let files_before = transaction.files(&schema, &table).len();
        let rows = compact_table(&mut transaction, wanted, &schema, &table)?;
        if rows > 0 {
            let files_after = transaction.files(&schema, &table).len();
            let (kind, format, inputs) = (Kind::Compact, String::new(), Vec::new());
            let (schema_name, table_name) = (schema.clone(), table.clone());
            transaction.record(NewOperation {
                kind,
                schema: schema_name,
                table: table_name,
                format,
                inputs,
                accepted: 0,
                rejected: 0,
                removed: 0,
            });
            tables.push(CompactedTable { schema, table, files_before, files_after, rows });
        }
    }
    let mut version = transaction.base().version;
    if !tables.is_empty()
        && let Committed::Now { version: made, .. } = transaction.commit()?
    {
        version = made;
    }
    Ok(Compacted { version, tables })
}

/// Returns how many rows were written again.
fn compact_table(transaction: &mut Transaction, wanted: &Compaction, schema: &str, table: &str) -> Result<u64> {
    // A table that a user has made may have the name of another one.
    let star = haetae_schema::table(table).filter(|_| crate::known_schema(schema).is_ok());
    let sort: &[&str] = star.map_or(&[], |table| table.sort);
    let small = |file: &&DataFile| wanted.all || file.rows < wanted.rows_in_a_file / 2;
    let files: Vec<DataFile> = transaction.files(schema, table).iter().filter(small).cloned().collect();
    let mut written = 0;
    for group in files.chunks(FILES_AT_A_TIME).filter(|group| group.len() > 1) {
        let merged = merge_files(transaction, group, sort, wanted.rows_in_a_file.max(1))?;
        written += group.iter().map(|file| file.rows).sum::<u64>();
        transaction.swap(schema, table, group, merged);
    }
    Ok(written)
}

fn merge_files(transaction: &mut Transaction, files: &[DataFile], sort: &[&str], full: u64) -> Result<Vec<DataFile>> {
    let mut sources: Vec<Source> = Vec::with_capacity(files.len());
    let mut columns = None;
    for file in files {
        let path = transaction.path(file);
        let reader = read(&path, None, MERGE_ROWS)?;
        columns.get_or_insert_with(|| arrow::array::RecordBatchReader::schema(&reader));
        let failed = format!("read {}", path.display());
        sources.push(Box::new(reader.map(move |batch| batch.map_err(Error::data(failed.clone())))));
    }
    let Some(columns) = columns else { return Ok(Vec::new()) };
    let by: Vec<usize> = sort.iter().filter_map(|name| columns.index_of(name).ok()).collect();
    let mut merge = Merge::new(sources, by, MERGE_ROWS)?;
    let (mut done, mut sink) = (Vec::new(), None);
    while let Some(batch) = merge.next_batch()? {
        let mut rest = batch;
        while rest.num_rows() > 0 {
            let mut open = match sink.take() {
                Some(open) => open,
                None => transaction.sink(&Arc::clone(&columns), sort)?,
            };
            let room = (full - open.rows()).min(rest.num_rows() as u64) as usize;
            open.write(&rest.slice(0, room))?;
            rest = rest.slice(room, rest.num_rows() - room);
            if open.rows() == full { done.push(transaction.finish(open)?) } else { sink = Some(open) }
        }
    }
    if let Some(open) = sink {
        done.push(transaction.finish(open)?);
    }
    Ok(done)
}
