//! DBSCAN: rows in dense places are clusters, rows between them are noise.

mod connect;
mod params;

pub use params::{CheckedDbscan, Dbscan, DbscanModel, DbscanParams};
