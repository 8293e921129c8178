//! What goes in: failures of rule files and runs. What comes out: messages that say what is wrong, where,
//! and what to do.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why rules cannot be used, or were not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Rule files are wrong: everything that is.
    #[error("the rules cannot be used:{}", list(problems))]
    Rules {
        /// What is wrong, in the order of files and rules.
        problems: Vec<Problem>,
    },
    /// A rule file cannot be read.
    #[error("cannot read the rules in {file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No rule is about what was asked for.
    #[error("no rule is about \"{dataset}\"; there are rules about {known}")]
    NoRules {
        /// The table that was asked for.
        dataset: String,
        /// The tables that rules are about.
        known: String,
    },
    /// A version is not there to compare with.
    #[error(
        "version {version} is not kept, so that nobody knows what was added since; `haetae-server versions` lists \
         those that are, or leave --since out"
    )]
    NotKept {
        /// The version that was asked for.
        version: u64,
    },
    /// A rule has found nothing that could be decided.
    #[error("the queue has nothing of the rule \"{rule}\".{hint}")]
    NothingOf {
        /// The rule that was named.
        rule: String,
        /// Rules that the queue has something of.
        hint: String,
    },
    /// A row is not in the queue.
    #[error(
        "the queue has no row \"{row}\" of the rule {rule}; nothing was changed. `haetae-server quality queue --rule \
         {rule}` lists its rows"
    )]
    NotQueued {
        /// The rule.
        rule: String,
        /// The key of the row.
        row: String,
    },
    /// A decision lacks what it needs.
    #[error("{what}; nothing was changed")]
    Undecided {
        /// What is missing, and what to do.
        what: String,
    },
    /// A rule failed while it ran.
    #[error("the rule {rule} cannot be checked: {source}")]
    Failed {
        /// The rule.
        rule: String,
        /// What the warehouse said.
        source: haetae_warehouse::Error,
    },
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// Results do not fit their tables: a fault of this program.
    #[error("cannot write the results: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// One thing that is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule, where it has a name.
    pub rule: String,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)?;
        if !self.rule.is_empty() {
            write!(f, ", rule {}", self.rule)?;
        }
        write!(f, ": {}", self.what)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
