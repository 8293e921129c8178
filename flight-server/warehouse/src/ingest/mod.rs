//! What goes in: files or batches of declarations or reference data. What comes out: [`Ingested`],
//! with all accepted rows and all refused rows committed as one version.
//!
//! A row that breaks a rule never stops an ingest; a file that is no such file at all does, before
//! anything is visible. Content that a table has already taken is not taken again.
//!
//! [`ingest`] and [`ingest_batches`] append to one table; [`Changes`] does several operations on
//! several tables in one commit.

mod ahead;
mod changes;
mod check;
mod chunk;
mod columnar;
mod dimensions;
mod fields;
pub(crate) mod guard;
mod keys;
mod layout;
mod load;
mod made;
mod records;
mod rejects;
mod source;
mod staged;
mod text;
mod thrift;
mod values;

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use crate::Result;
use crate::store::{Kind, Store};

pub use changes::{Changes, Mark, Noted};
pub use layout::headers;
pub(crate) use load::ROWS_IN_A_FILE;
pub use made::made_schema;
pub(crate) use made::{kept as made_columns, plain_type};
pub use rejects::{Reject, rejects_schema};
pub use source::{Source, digest, hexadecimal};
pub use staged::{Origin, Refused, Staged};

/// How input files are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One table: the header of a CSV file (or the schema of a Parquet file) names its columns.
    Table(String),
    /// Declarations of the Korea Customs Service, 22 columns: `fact_item`, `fact_inspection`, and
    /// the identifiers seen go to the dimension tables.
    Kcs,
}

/// What is done with the rows that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// They are added. A row whose key the table has already is refused.
    Append,
    /// They become the table; all rows that it had go.
    Replace,
    /// Each is put in the place of the row with the same key, or added where there is none.
    Upsert,
    /// They are keys; the rows that bear them go.
    Delete,
}

impl From<Change> for Kind {
    fn from(change: Change) -> Self {
        match change {
            Change::Append => Self::Append,
            Change::Replace => Self::Replace,
            Change::Upsert => Self::Upsert,
            Change::Delete => Self::Delete,
        }
    }
}

/// How far an ingest has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The file that is being read.
    pub file: &'a Path,
    /// Rows read from all files so far.
    pub rows: u64,
    /// Bytes read from this file so far (of any but a CSV file: rows).
    pub done: u64,
    /// Bytes of this file (of any but a CSV file: rows).
    pub total: u64,
}

/// What an ingest did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Number of the load (of several operations: of the first); `None` when nothing was changed.
    pub load_id: Option<u64>,
    /// The version of the warehouse afterwards; of a repeated commit: the version that the first one
    /// made.
    pub version: u64,
    /// Rows accepted into the tables that were named (of deletions: keys).
    pub accepted: u64,
    /// Rows refused into the table of rejects.
    pub rejected: u64,
    /// Rows removed from the tables that were named.
    pub removed: u64,
    /// Rows added to each table, rejects among them, in the order of their names.
    pub tables: Vec<(String, u64)>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// Whether a commit with the same idempotency key had been made before.
    pub repeated: bool,
}

/// A source whose content a table has already taken: by an earlier append, if nothing but appends
/// followed; or by the last operation, if that was the same as this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file as it was given.
    pub file: PathBuf,
    /// The load that took the same content.
    pub load_id: u64,
}

/// Appends `files` in their order to the tables of `schema` and commits them together. Each file may
/// be CSV (UTF-8, comma, header), Parquet or Arrow IPC; its first bytes decide, not its name.
///
/// Fails, and changes nothing, when a file cannot be used at all, when the table or schema does not
/// exist, or when another process has changed the same tables meanwhile.
pub fn ingest(
    store: &Store,
    schema: &str,
    format: &Format,
    files: &[PathBuf],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Ingested> {
    let mut changes = Changes::begin(store)?;
    let sources = files.iter().cloned().map(Source::File).collect();
    changes.apply(Change::Append, schema, format, sources, progress)?;
    changes.commit()
}

/// Appends record batches of one table from memory; `name` stands in for the file name. Columns are
/// found by name and cast to the types of the table. Batches with the same content under the same
/// table, in the same division, are taken once.
pub fn ingest_batches<'a>(
    store: &Store,
    schema: &str,
    table: &str,
    name: &str,
    batches: impl IntoIterator<Item = Result<RecordBatch>, IntoIter: 'a>,
) -> Result<Ingested> {
    let mut changes = Changes::begin(store)?;
    let source = Source::Batches { name: name.to_owned(), batches: Box::new(batches.into_iter()) };
    let format = Format::Table(table.to_owned());
    changes.apply(Change::Append, schema, &format, vec![source], &mut |_| {})?;
    changes.commit()
}
