//! Everything that can go wrong between a query and its rows, as one type.

use std::path::PathBuf;

use arrow::error::ArrowError;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no connection, or no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable that is needed is not set.
    #[error("{variable} is not set; expected {expected}. `make lab` sets it")]
    Unset {
        /// Name of the variable.
        variable: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// The server's address cannot be used.
    #[error("cannot use the server address {url:?}: {reason}; expected something like http://127.0.0.1:50051")]
    Url {
        /// The address as it was given; without user and password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file with the password cannot be read.
    #[error(
        "cannot read the password file {}: {source}; the server writes it (server.secret in the warehouse \
         directory) when it first starts: is `make lab` running?", path.display()
    )]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file with the password has nothing in it.
    #[error(
        "the password file {} is empty; expected one line with the password. Remove the file and start the \
         server again to get a new one", path.display()
    )]
    SecretEmpty {
        /// The file.
        path: PathBuf,
    },
    /// Nobody answers at the address.
    #[error("no server answers at {url}: {reason}. Is it running? `make lab` starts it; HAETAE_URL holds the address")]
    Unreachable {
        /// The address.
        url: String,
        /// The innermost cause.
        reason: String,
    },
    /// The connection broke while rows were on their way.
    #[error(
        "the connection to the server at {url} was lost while the result was read: {reason}. Is the server still \
         running (`make lab`)? Then run the query again"
    )]
    ConnectionLost {
        /// The address.
        url: String,
        /// The innermost cause.
        reason: String,
    },
    /// The server refused the name or the password.
    #[error("the server at {url} refused user {user:?} with the password from {password_from}: {message}")]
    Login {
        /// The address.
        url: String,
        /// Who wanted in.
        user: String,
        /// Where the password was taken from: the file's path, or "the program".
        password_from: String,
        /// The server's own message.
        message: String,
    },
    /// The server wants a login; none was made, or it is no longer good.
    #[error(
        "the server at {url} wants a login: {message}. Set HAETAE_SECRET_FILE to the server's server.secret, or \
         give a password in the options"
    )]
    NotLoggedIn {
        /// The address.
        url: String,
        /// The server's own message.
        message: String,
    },
    /// The server answered, and said no: an error in the SQL, a missing table, a limit.
    #[error("{message}")]
    Server {
        /// The kind of failure, in gRPC's words.
        code: &'static str,
        /// The server's own message.
        message: String,
    },
    /// The number of values differs from the number of parameters.
    #[error("the statement has {expected} parameters (? or $1, $2 …), but {found} values are given")]
    ParameterCount {
        /// How many the statement has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The server's answer is not what Flight SQL promises.
    #[error(
        "the server at {url} gave an answer that this client does not understand: {reason}; is it a Flight SQL server?"
    )]
    Protocol {
        /// The address.
        url: String,
        /// What was expected, and what was found.
        reason: String,
    },
    /// Arrow refused to build or convert a batch.
    #[error("cannot {doing}: {source}")]
    Arrow {
        /// What was being done.
        doing: &'static str,
        /// What Arrow said.
        source: ArrowError,
    },
    /// The system gave no threads.
    #[error("cannot start the threads of the client: {source}")]
    Threads {
        /// What the system said.
        source: std::io::Error,
    },
    /// The analyst has pressed the stop button while the answer was on its way.
    #[error("the query was stopped")]
    Stopped,
    /// The client's own thread ended before the answer came: a defect.
    #[error("the query ended without an answer because of a defect in the client; please report it")]
    Abandoned,
}

impl Error {
    pub(crate) fn arrow(doing: &'static str) -> impl FnOnce(ArrowError) -> Error {
        move |source| Error::Arrow { doing, source }
    }
}

/// The innermost cause, which says most: "connection refused", not "transport error".
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_a_remedy() {
        let dead = Error::Unreachable { url: "http://127.0.0.1:1".into(), reason: "refused".into() };
        let text = dead.to_string();
        assert!(text.contains("http://127.0.0.1:1") && text.contains("make lab") && text.contains("refused"), "{text}");
        let server = Error::Server { code: "Some entity was not found", message: "no table \"x\"".into() };
        assert_eq!(server.to_string(), "no table \"x\"");
    }

    #[test]
    fn the_innermost_cause_is_named() {
        let io = std::io::Error::other("disk on fire");
        let outer = Error::SecretFile { path: "/x".into(), source: io };
        assert_eq!(innermost(&outer), "disk on fire");
    }
}
