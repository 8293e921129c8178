//! What goes in: failures of files, formats and queries. What comes out: one error type whose
//! messages say what failed, what was expected, what was found, and what may help.

use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in the warehouse. A row that breaks a rule is not among it: such a
/// row goes to the table of rejects.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A whole input file cannot be used.
    #[error("cannot read {}: expected {expected}, found {found}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What it should have been.
        expected: String,
        /// What it is.
        found: String,
    },
    /// No table of that name can be loaded.
    #[error("there is no table \"{table}\" to load into; the tables are {known}")]
    UnknownTable {
        /// The name that was asked for.
        table: String,
        /// The names that exist.
        known: String,
    },
    /// No schema of that name exists.
    #[error("there is no schema \"{schema}\"; the schemas are {known}")]
    UnknownSchema {
        /// The name that was asked for.
        schema: String,
        /// The names that exist.
        known: String,
    },
    /// Another process is writing.
    #[error(
        "the warehouse {} is being written by another process; wait until its ingest has ended and try again \
         (the lock goes with the process, it needs no cleaning up)",
        root.display()
    )]
    Locked {
        /// The warehouse.
        root: PathBuf,
    },
    /// A manifest is not what this program writes.
    #[error("the manifest {} cannot be used: {reason}", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Arrow or Parquet failed on our own data.
    #[error("cannot {action}: {source}")]
    Data {
        /// What was tried.
        action: String,
        /// What the library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A policy does not fit the tables.
    #[error("the policy for {place} cannot be used: {reason}")]
    Policy {
        /// `schema.table`, and the column where it is about one.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A query was refused or failed. The message is meant for the person who wrote the query.
    #[error("{message}")]
    Sql {
        /// Which kind of failure it was.
        fault: SqlFault,
        /// What to tell the author of the query.
        message: String,
    },
}

/// The kinds of failed queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlFault {
    /// The text is not SQL.
    Syntax,
    /// A table does not exist.
    UnknownTable,
    /// A column does not exist.
    UnknownColumn,
    /// The statement would change something, and the warehouse is read-only for SQL.
    ReadOnly,
    /// Parameters are missing or do not fit.
    Parameters,
    /// Any other mistake of the query itself: a type, a function, a cast.
    Invalid,
    /// The query needed more memory or disk than it may have.
    Resources,
    /// The warehouse failed; the query may be right.
    Failed,
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn data<E>(action: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let action = action.into();
        move |source| Self::Data { action, source: source.into() }
    }

    pub(crate) fn unreadable(file: impl Into<PathBuf>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unreadable { file: file.into(), expected: expected.into(), found: found.into() }
    }
}
