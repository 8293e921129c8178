//! Why a command could not be understood.

use super::list::known;

/// A command that cannot be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MagicError {
    /// No such command.
    #[error("there is no command `{found}`; this kernel knows {}", known())]
    Unknown {
        /// What the cell began with.
        found: String,
    },
    /// `%%sql` without a statement.
    #[error("the %%sql cell has no statement; write it below the first line")]
    NoQuery,
    /// `%%bash` without a script.
    #[error("the %%bash cell has no script; write it below the first line")]
    NoScript,
    /// A command without what it is about.
    #[error("expected `{usage}`, found nothing behind the command")]
    NoArgument {
        /// How it is used.
        usage: &'static str,
    },
    /// An argument that the command does not know.
    #[error("expected `{usage}`, found `{found}`")]
    BadArgument {
        /// How it is used.
        usage: &'static str,
        /// What stands behind the command.
        found: String,
    },
    /// Text below a command that takes one line.
    #[error("`{command}` takes one line; put what stands below it into a cell of its own")]
    MoreLines {
        /// The command.
        command: String,
    },
    /// A name that cannot be one of a Rust variable.
    #[error("`{found}` cannot be a name here; use letters, digits and _, not first a digit, and no Rust keyword")]
    BadName {
        /// What stands where the name should.
        found: String,
    },
    /// An option whose value is no number above zero.
    #[error("{option} needs a number of {of}, found `{found}`")]
    BadNumber {
        /// The option.
        option: &'static str,
        /// What is counted.
        of: &'static str,
        /// What follows it.
        found: String,
    },
    /// A kind of chart that there is not.
    #[error("there is no chart `{found}` in %sqlplot; it draws {known}")]
    BadKind {
        /// What stands where the kind should.
        found: String,
        /// The kinds.
        known: String,
    },
    /// A chart without an option that it needs, or with one that it cannot have.
    #[error("%sqlplot {kind} {what}")]
    Chart {
        /// The kind.
        kind: &'static str,
        /// What is wrong, as the end of a sentence.
        what: String,
    },
}
