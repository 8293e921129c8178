//! Pipelines from the outside: declarations and files in, tables out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod declared;
mod loads;
mod place;
mod recorded;
