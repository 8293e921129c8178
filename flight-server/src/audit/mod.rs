//! What goes in: who did what. What comes out: lines that cannot be changed, left out or moved
//! without it being seen.
//!
//! `audit/audit.jsonl` in the warehouse directory is only ever added to. Each line has the hash of
//! the one before it and its own, under the key of the server; `audit/head.json` says how far the
//! lines go, so that a missing end is seen too.

mod chain;
mod record;
mod table;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub(crate) use record::Record;
pub(crate) use table::table;
pub use verify::{Verified, verify};
pub(crate) use writer::Audit;

/// The folder below the warehouse directory.
const FOLDER: &str = "audit";
/// The lines.
const LINES: &str = "audit.jsonl";
/// How far they go.
const HEAD: &str = "head.json";
