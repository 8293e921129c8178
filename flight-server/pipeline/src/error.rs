//! What goes in: failures of declarations, files and steps. What comes out: messages that say what is wrong, where,
//! and what to do.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a pipeline cannot be used, or did not load a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Declarations are wrong: everything that is.
    #[error("the pipeline cannot be used:{}", list(problems))]
    Declared {
        /// What is wrong, in the order of the file.
        problems: Vec<Problem>,
    },
    /// A step or a check failed.
    #[error("the pipeline {pipeline} cannot do its steps: {source}")]
    Steps {
        /// The pipeline.
        pipeline: String,
        /// What the warehouse said.
        source: haetae_warehouse::Error,
    },
    /// The steps do not end in what is needed.
    #[error("the steps of {pipeline} do not fit: {what}")]
    Unfit {
        /// The pipeline.
        pipeline: String,
        /// What is missing, and what to do.
        what: String,
    },
    /// The warehouse refused, or a file cannot be read.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// Rows do not fit their tables: a fault of this program.
    #[error("cannot build rows: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// One thing that is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.what)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
