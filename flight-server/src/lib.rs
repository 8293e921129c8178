//! What goes in: a warehouse directory, Flight SQL over gRPC. What comes out: query results as
//! Arrow record batches, for whoever has the password.
//!
//! A request passes `service` (authentication, dispatch by command), then `statements` or
//! `metadata`, and comes back as Flight data. All state that a client holds is in sealed tickets and
//! handles; the server keeps only the bearer tokens that it has given out.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod auth;
mod encode;
mod error;
mod metadata;
mod random;
mod running;
mod seal;
mod secret;
mod server;
mod service;
mod statements;
mod status;

pub use auth::USER;
pub use error::{Error, Result};
pub use secret::{FILE_NAME as SECRET_FILE, load_or_create as load_or_create_secret};
pub use server::{ServeOptions, Server};
