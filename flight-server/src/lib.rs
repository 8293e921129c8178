//! What goes in: a warehouse directory, Flight SQL over gRPC. What comes out: query results as
//! Arrow record batches: all for the owner who has the password, or for each user of a policy what
//! the policy shows.
//!
//! A request passes `service` (authentication, dispatch by command), then `statements` or
//! `metadata`, and comes back as Flight data. All state that a client holds is in sealed tickets and
//! handles; the server keeps only which tokens have been ended before their time, options of sessions, the
//! transactions that are open, and what runs, waits and has just run. What changes something passes `ingest` or `updates`, then `writes`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod actions;
mod admission;
mod asked;
pub mod audit;
mod auth;
mod bounds;
mod certificate;
mod choices;
mod command;
mod deadline;
mod encode;
mod error;
mod exchange;
mod feed;
mod files;
mod flight;
mod ingest;
mod jwt;
mod keys;
mod limits;
mod lingering;
mod lock;
mod message;
mod metadata;
mod metrics;
mod oidc;
mod parameters;
pub mod policy;
mod put;
mod queries;
mod random;
mod result_limit;
mod revoked;
mod running;
mod runs;
mod seal;
mod secret;
mod served;
mod server;
mod service;
mod session;
mod session_messages;
mod session_options;
mod sql_info;
mod statements;
mod status;
mod transactions;
mod type_info;
mod updates;
mod wire;
mod writes;

pub use auth::USER;
pub use bounds::Bounds;
pub use certificate::{Certificate, make as make_certificate};
pub use error::{Error, Result};
pub use files::replace_file;
pub use secret::{FILE_NAME as SECRET_FILE, audit_key, load_or_create as load_or_create_secret};
pub use server::{ServeOptions, Server};
