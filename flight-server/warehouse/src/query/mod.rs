//! What goes in: SQL or a Substrait plan, and values for its parameters. What comes out: record batches of one version
//! of the warehouse. Nothing can be changed through it: [`Update`] only plans, and gives the rows that a change is
//! about.

mod catalog;
mod change_plan;
mod coded;
mod columns;
mod edits;
mod engine;
mod fair;
mod faults;
mod functions;
mod known_files;
mod medcouple;
mod memory;
mod meta;
mod outside;
mod parameters;
mod plain;
mod point;
pub mod policy;
mod query_stream;
mod settings;
mod shape;
mod snapshot;
mod statement;
mod substrait;
mod update;

pub use catalog::tables;
pub use columns::ColumnsUsage;
pub use engine::{Engine, Usage};
pub use functions::{Model, Models, Named, Output, Scored};
pub use medcouple::medcouple;
pub use memory::QueryMemory;
pub use query_stream::QueryStream;
pub use settings::EngineOptions;
use settings::session_config;
pub use shape::shape;
pub use snapshot::Snapshot;
pub use statement::Statement;
pub use substrait::{PLAN_BYTES, check_plan_version, plan_shape, plan_versions};
pub use update::{Effect, Update};

/// Where the engine finds the files of the warehouse: its own scheme, so that no path outside the
/// warehouse has a name in it.
const STORE_URL: &str = "haetae://warehouse";

/// The schema of rows that are not in the warehouse yet.
pub const STAGE: &str = "stage";
