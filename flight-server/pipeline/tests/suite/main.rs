//! Pipelines from the outside: declarations and files in, tables out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod declared;
#[allow(dead_code)]
#[path = "../../../warehouse/tests/suite/files.rs"]
mod files;
mod loads;
mod place;
mod recorded;
