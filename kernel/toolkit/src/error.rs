//! Everything that can go wrong between a cell and its data, as one type.

use std::fmt;

/// What the toolkit's own functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the facade. Its text is the message of the part that failed.
#[derive(thiserror::Error)]
pub enum Error {
    /// The server could not be reached, refused, or could not run the query.
    #[error(transparent)]
    Client(#[from] haetae_client::Error),
    /// A frame operation failed.
    #[error("{0}")]
    Frame(#[from] polars::error::PolarsError),
    /// Arrow data that has no counterpart in a frame.
    #[error(
        "column `{column}` has the Arrow type {data_type}, which a DataFrame cannot hold; cast it in SQL, for instance cast({column} as varchar)"
    )]
    ColumnType {
        /// Name of the column in the query's result.
        column: String,
        /// Its Arrow type.
        data_type: String,
    },
    /// Arrow itself refused.
    #[error("Arrow: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A column was asked for as another type than it has.
    #[error("column `{column}` holds {found}, expected {expected}")]
    ColumnKind {
        /// Name of the column.
        column: String,
        /// What the caller wants.
        expected: &'static str,
        /// The column's type.
        found: String,
    },
    /// The analyst was asked for a line and there is none.
    #[error("no input: {reason}")]
    Input {
        /// Why there is none.
        reason: String,
    },
    /// A file that the kernel left for a cell cannot be read.
    #[error("cannot read the result of the SQL cell from {path}: {source}")]
    Handover {
        /// Where the kernel wrote it.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
}

// An analyst who unwraps or prints an error with `{:?}` should read the sentence, not the enum.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
