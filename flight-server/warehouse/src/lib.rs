//! What goes in: CSV and Parquet files, record batches, SQL. What comes out: durable, versioned
//! tables, the rows that were refused with the reason, and streams of record batches. No network.
//!
//! * [`ingest`](mod@ingest): files -> accepted and refused rows, committed together.
//! * [`store`]: immutable Parquet files and the manifest that says which of them are the tables.
//! * [`outside`]: Parquet folders and Delta Lake tables elsewhere -> the files of one state of them.
//! * [`query`]: read-only SQL over one version of the manifest.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
pub mod ingest;
pub mod names;
pub mod outside;
pub mod query;
pub mod store;

pub use error::{Error, Result, SqlFault};

/// Name of the one catalogue, as SQL sees it.
pub const CATALOG: &str = "haetae";
/// The schema that unqualified table names are looked up in.
pub const DEFAULT_SCHEMA: &str = "customs";
/// The schemas that data is loaded into. All of them hold the same tables.
pub const SCHEMAS: [&str; 2] = ["customs", "kcs"];
/// The schema of what the rules of data quality have found.
pub const QUALITY: &str = "quality";
/// The schema of models, scores and decisions.
pub const RISK: &str = "risk";
/// The schema of the course: cohorts, what was handed in, what it was worth.
pub const COURSE: &str = "course";
/// The table of [`RISK`] that officers add comments to.
pub const COMMENTS: &str = "comments";
/// The schema of what the warehouse knows of its own tables.
pub const META: &str = "meta";
/// The schema of tables that lie outside of the warehouse and are read where they are.
pub const OUTSIDE: &str = "outside";
/// The schema of the tables that a user has made: each user has one of their own.
pub const WORK: &str = "work";
/// The classes of tables, the least sensitive first.
pub const CLASSES: [&str; 4] = ["public", "internal", "personal", "secret"];
/// The table of each schema that keeps refused rows.
pub const REJECTS: &str = "rejects";

/// Fails where data cannot be loaded into a schema of that name.
pub fn known_schema(schema: &str) -> Result<()> {
    if SCHEMAS.contains(&schema) {
        return Ok(());
    }
    Err(Error::UnknownSchema { schema: schema.to_owned(), known: SCHEMAS.join(", ") })
}
