//! Rules of data quality from the outside: files and rows in, tables of results out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod checks;
mod files;
mod place;
mod planted;
mod queue;
mod runs;
#[allow(dead_code)]
#[path = "../../../warehouse/tests/suite/files.rs"]
mod warehouse;
