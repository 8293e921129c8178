//! What goes in: pipelines, declared in files, and the files that they load. What comes out: rows of tables, refused
//! rows with the place in the file, and in the schema `meta` what was loaded and what each column was made of.
//!
//! * [`declared`]: TOML -> pipelines, or all that is wrong with the file.
//! * [`run`](fn@run): one file -> one commit, once.
//!
//! The crate reads by SQL and writes by the changes of the warehouse: it sees nothing of the engine.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod declared;
mod document;
mod error;
mod lineage;
mod message;
mod run;
mod steps;

pub use declared::{Pipeline, shipped, shipped_of_tables};
pub use error::{Error, Problem, Result};
pub use lineage::{Edge, edges};
pub use run::{Done, Outcome, files, run};
