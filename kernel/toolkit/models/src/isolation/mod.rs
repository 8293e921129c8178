//! Isolation forests: rows that few random cuts set apart from all others are strange.

mod grow;
mod params;

pub use params::{CheckedIsolationForest, IsolationForest, IsolationForestModel, IsolationForestParams};
