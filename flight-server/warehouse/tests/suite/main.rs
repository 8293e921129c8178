//! The warehouse from the outside: files in, SQL out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod differential;
mod durability;
mod files;
mod groups;
mod ingest;
mod kcs;
mod look_up;
mod malformed;
mod meta;
mod policy;
mod query;
mod script;
mod sql;
mod upkeep;
