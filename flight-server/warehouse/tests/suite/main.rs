//! The warehouse from the outside: files in, SQL out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod columns;
mod differential;
mod durability;
mod edits;
mod files;
mod groups;
mod ingest;
mod kcs;
mod look_up;
mod malformed;
mod meta;
mod outside;
mod policy;
mod query;
mod script;
mod sql;
mod substrait;
mod upkeep;
