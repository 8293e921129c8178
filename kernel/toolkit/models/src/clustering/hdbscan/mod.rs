//! Density-based clusters of any density: HDBSCAN.

mod condense;
mod params;
mod span;

pub use params::{CheckedHdbscan, Hdbscan, HdbscanModel, HdbscanParams};
