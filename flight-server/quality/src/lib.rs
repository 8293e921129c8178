//! What goes in: rules of data quality, declared in files, and a warehouse. What comes out: the rows that
//! break them, counts, and scores, as tables of the schema `quality`.
//!
//! * [`rules`]: files -> rules, or everything that is wrong with the files.
//! * [`sql`]: a rule -> SQL that gives the rows which break it.
//! * [`run`](fn@run): rules over one version of the warehouse -> tables, committed together.
//! * [`queue`]: what was found and is not settled -> decisions of stewards, all of which are kept.
//!
//! The crate reads by SQL and writes by transactions of the store: it sees nothing of the engine.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod benford;
mod boxplot;
mod check;
mod digits;
mod error;
mod mirror;
mod outlier;
pub mod queue;
mod results;
pub mod rules;
mod run;
pub mod sql;

pub use check::{Check, MirrorCheck};
pub use digits::Scheme;
pub use error::{Error, Problem, Result};
pub use rules::{Family, Rule, shipped};
pub use run::{Done, Options, run};
