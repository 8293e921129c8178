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
    /// A column was asked for that the frame does not have.
    #[error("column `{column}` is not in the frame; found: {found}")]
    NoColumn {
        /// The name.
        column: String,
        /// Names of the frame's columns.
        found: String,
    },
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
    /// A model file cannot be read or written.
    #[error("{path} cannot be {doing}: {source}")]
    ModelPath {
        /// Where it is.
        path: String,
        /// What was tried: `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold the model that was asked for.
    #[error("{path}: {source}")]
    Model {
        /// Where it is.
        path: String,
        /// Why not.
        source: haetae_models::Error,
    },
    /// The analyst was asked for a line and there is none.
    #[error("no input: {reason}")]
    Input {
        /// Why there is none.
        reason: String,
    },
    /// A variable of which nothing is there to be brought back.
    #[error("the variable `{name}` was not kept; run the cell again that makes it")]
    NotKept {
        /// Its name.
        name: String,
    },
    /// What was kept of a variable does not make one.
    #[error("a variable cannot be made of what was kept of it: {reason}")]
    Restore {
        /// What is wrong with it.
        reason: String,
    },
    /// An answer to an exercise that is not right yet.
    #[error("{}", haetae_check::Says::NotYet.with(*.language, &[("exercise", .exercise.as_str()), ("finding", .finding.as_str())]))]
    Answer {
        /// The language of its exercise.
        language: haetae_check::Language,
        /// Name of the exercise.
        exercise: String,
        /// What is wrong with the answer.
        finding: String,
    },
    /// The check of an exercise was changed.
    #[error(transparent)]
    Check(#[from] haetae_check::Error),
    /// A file between kernel and worker cannot be written or read.
    #[error("the file {path}, by which kernel and cells exchange data: {source}")]
    Handover {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        source: std::io::Error,
    },
}

// An analyst who unwraps or prints an error with `{:?}` should read the sentence, not the enum.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
