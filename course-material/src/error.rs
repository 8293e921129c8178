//! What can go wrong with sources and submissions: where, what, and how to mend it.

use std::fmt;
use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One mistake in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as a path below the folder of the course.
    pub file: PathBuf,
    /// Line, from 1; 0 where it concerns the whole file.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}. {}", self.what, self.remedy)
    }
}

/// Why a command cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Sources that make no notebooks.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Sources(Vec<Mistake>),
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A submission that is no notebook.
    #[error("{}: this is no notebook ({reason}). Hand in the file exercise.ipynb as JupyterLab saves it", path.display())]
    NoNotebook {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A notebook that is no exercise of this course.
    #[error("{}: {reason}. Hand in exercise.ipynb of a module; the course has {}", path.display(), known.join(", "))]
    NoExercise {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
        /// The modules that there are.
        known: Vec<String>,
    },
    /// A trainee who has not passed a level.
    #[error("{}: trainee {trainee} has not passed the {level} level yet: {}", path.display(), missing.join(", "))]
    NotPassed {
        /// The file with the reports.
        path: PathBuf,
        /// The trainee.
        trainee: u32,
        /// The level.
        level: String,
        /// Modules that are missing.
        missing: Vec<String>,
    },
    /// A list of trainees that cannot be read.
    #[error("{}:{line}: {what}, found `{found}`", path.display())]
    Roster {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// The line's text.
        found: String,
    },
    /// What runs submissions cannot be started.
    #[error("cells cannot be run: {reason}")]
    Runner {
        /// Why, and what to do.
        reason: String,
    },
    /// Something that a training office cannot do.
    #[error("{reason}")]
    Office {
        /// What, why, and what to do.
        reason: String,
    },
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] haetae_client::Error),
    /// A data project that cannot be made or scored.
    #[error("{reason}")]
    Project {
        /// Where, what, and what to do.
        reason: String,
    },
    /// Data that cannot be written as JSON, or read.
    #[error("{what}: {source}")]
    Json {
        /// Which data.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A check that cannot be sealed.
    #[error(transparent)]
    Check(#[from] haetae_check::Error),
}
