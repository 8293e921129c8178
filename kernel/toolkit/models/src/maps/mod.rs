//! Rows of many features -> points of a picture, near where the rows are alike: t-SNE and UMAP.
//!
//! Of our own, as the crates there are do not give the same picture twice: bhtsne has no seed, and the threads of umap-rs
//! write over each other.

mod graph;
mod map;
mod quarters;
mod start;
mod tsne;
mod umap;

pub use map::PointMap;
pub use tsne::{CheckedTsne, Tsne, TsneParams};
pub use umap::{CheckedUmap, Umap, UmapParams};

/// A point of a picture.
type Point = [f64; 2];
/// Rows of a task; fixed, so that sums do not depend on the threads.
const TASK: usize = 128;
