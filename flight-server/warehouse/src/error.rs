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
    /// So many rows break rules that the file is probably something else.
    #[error(
        "{rows} rows were refused, the last of them from {file}: {last}. Nothing was changed; so many are not kept. If \
         the file is what it should be, divide it"
    )]
    TooManyRejects {
        /// The file of the last row.
        file: String,
        /// How many.
        rows: usize,
        /// Why the last one was refused.
        last: String,
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
    /// Another commit was faster.
    #[error(
        "another commit has changed {schema}.{table} while this one was being prepared (version {base} has become \
         {current}); nothing was changed, try again"
    )]
    Conflict {
        /// Schema of the table that both change.
        schema: String,
        /// The table.
        table: String,
        /// The version that the commit was built on.
        base: u64,
        /// The version that it found.
        current: u64,
    },
    /// An idempotency key stands for something else already.
    #[error(
        "the key \"{key}\" was used for another content in version {version}; nothing was changed. A key names one \
         change: choose another for this one"
    )]
    KeyReused {
        /// The key.
        key: String,
        /// The version that it was used for.
        version: u64,
    },
    /// An idempotency key cannot be kept.
    #[error("expected a key of 1 to {most} bytes without control characters, found one of {bytes} bytes")]
    BadKey {
        /// Its length.
        bytes: usize,
        /// The longest.
        most: usize,
    },
    /// Rows cannot be deleted by a file of declarations.
    #[error(
        "a KCS file cannot say what to delete; name a table and give its key columns, for example declaration_id and \
         item_no of fact_item"
    )]
    DeleteByKcs,
    /// A table without files was to be compacted.
    #[error("there is no table {table} with rows to compact; the tables with rows are {known}")]
    NothingToCompact {
        /// The table that was named.
        table: String,
        /// The tables that have files.
        known: String,
    },
    /// A text is no time.
    #[error(
        "\"{text}\" is no time; expected a date like 2026-03-02 or a time like 2026-03-02T09:30:00Z \
         (without a zone it is UTC)"
    )]
    BadTime {
        /// The text.
        text: String,
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
    /// A table of a user cannot be made as it was asked for.
    #[error("cannot make the table {table}: {reason}")]
    CannotMake {
        /// The table.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A table of that name is there already.
    #[error("there is a table {table} already; choose another name, or ask for its rows to be added or replaced")]
    Exists {
        /// The table.
        table: String,
    },
    /// Rows do not fit the table that they are for.
    #[error("the rows do not fit {table}: the column \"{column}\": {reason}")]
    Misfit {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What was expected, and what was found.
        reason: String,
    },
    /// Rows of a statement break rules of the table.
    #[error("{rows} rows break a rule of {table}, and nothing was changed; the first: {reason}")]
    Refused {
        /// How many.
        rows: u64,
        /// The table.
        table: String,
        /// Of the first of them.
        reason: String,
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
    /// Whether the same call may succeed when it is simply made again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Makes an error of what the system says when it refuses `action`, a verb, on `path`.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
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

    /// The error for a file that cannot be used at all.
    pub fn unreadable(file: impl Into<PathBuf>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unreadable { file: file.into(), expected: expected.into(), found: found.into() }
    }
}
