//! What goes in: failures to start or run the server. What comes out: one error type.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::policy::Problem;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the server cannot start or go on. What goes wrong in one request is a gRPC status instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address can be reached from other machines.
    #[error(
        "will not listen on {address}: without TLS passwords and data would cross the network in the clear; expected \
         a loopback address such as 127.0.0.1:50051, or --tls-cert and --tls-key (`haetae-server certificate` makes \
         a pair)"
    )]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address of the metrics can be reached from other machines.
    #[error(
        "will not show metrics on {address}: they need no login; expected a loopback address such as 127.0.0.1:9464"
    )]
    MetricsNotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source} (is another server running? port 0 takes any free port)")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file with the password cannot be used.
    #[error("cannot use the password file {}: {reason}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The policy cannot be used.
    #[error("the policy {} cannot be used:{}", path.display(), lines(problems))]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// A password cannot be set.
    #[error("the password cannot be used: {reason}")]
    Password {
        /// Why.
        reason: String,
    },
    /// The certificate or its key cannot be used or made.
    #[error("cannot use the certificate {}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The audit cannot be written or read.
    #[error("cannot use the audit {}: {reason}", path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The list of ended tokens cannot be kept.
    #[error("cannot use the list of ended tokens {}: {source}", path.display())]
    Tokens {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gave no random bytes.
    #[error("cannot read random bytes from the system: {source}")]
    Random {
        /// What the system said.
        source: std::io::Error,
    },
    /// The warehouse cannot be opened.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// The transport failed.
    #[error("the server stopped: {source}")]
    Transport {
        /// What tonic said.
        source: tonic::transport::Error,
    },
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  line {}: {}", problem.line, problem.what)).collect()
}
