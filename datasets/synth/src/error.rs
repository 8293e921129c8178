//! What goes in: a failure. What comes out: what failed, what was expected, and a way out.

use std::path::PathBuf;

/// Why no data set was made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The output folder holds something already.
    #[error("{path} exists and is not empty; choose another folder, or pass --force to replace a data set")]
    NotEmpty {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The output folder holds something that this program did not make; it is not touched, forced or not.
    #[error(
        "{path} holds {found}, which is no part of a data set (tables/, truth/); \
         nothing was removed: empty the folder yourself or choose another"
    )]
    NotADataSet {
        /// The folder asked for.
        path: PathBuf,
        /// What stands in it.
        found: String,
    },
    /// A path cannot serve as the output folder.
    #[error("{path} cannot be the output folder: {reason}")]
    BadOutput {
        /// The path asked for.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// A file or folder could not be written, renamed or removed.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A Parquet file could not be written.
    #[error("cannot write {path}: {source}")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: parquet::errors::ParquetError,
    },
    /// Columns do not fit the schema of their table: a fault of this program.
    #[error("rows of {table} do not fit its schema: {source}")]
    Schema {
        /// The table.
        table: &'static str,
        /// What does not fit.
        source: arrow::error::ArrowError,
    },
    /// A reference file built into the program cannot be read: a fault of this program.
    #[error("reference file {file}, line {line}: expected {expected}, found {found:?}")]
    Reference {
        /// Name of the file.
        file: &'static str,
        /// Line number, from 1.
        line: usize,
        /// What the line should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// No items, or more than declaration numbers can tell apart.
    #[error("cannot make {items} items: expected 1 to {most}; try --items 100000")]
    Items {
        /// The number asked for.
        items: u64,
        /// The most that is possible.
        most: u64,
    },
    /// A share of defects that is none.
    #[error("cannot plant defects in a share of {share} of the lines: expected 0 to 0.5; try --defects 0.02")]
    Defects {
        /// The share asked for.
        share: f64,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// The number asked for; 0 means one for each core.
        threads: usize,
        /// Why it failed.
        reason: String,
    },
}
