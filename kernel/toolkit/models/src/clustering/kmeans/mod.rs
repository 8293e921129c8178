//! k-means: as many centres as asked for, each the mean of the rows that are nearest to it.

mod batch;
mod lloyd;
mod model;
mod params;
mod start;

pub use model::KMeansModel;
pub use params::{CheckedKMeans, KMeans, KMeansParams};
