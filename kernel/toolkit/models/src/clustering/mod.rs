//! Rows without labels -> groups: k-means, DBSCAN, HDBSCAN, Gaussian mixtures; how good they are, and what they are in words.

mod dbscan;
mod hdbscan;
mod kmeans;
mod mixture;
mod neighbours;
mod points;
mod profile;
mod quality;
mod tree;

pub use dbscan::{CheckedDbscan, Dbscan, DbscanModel, DbscanParams};
pub use hdbscan::{CheckedHdbscan, Hdbscan, HdbscanModel, HdbscanParams};
pub use kmeans::{CheckedKMeans, KMeans, KMeansModel, KMeansParams};
pub use mixture::{CheckedGaussianMixture, Covariance, GaussianMixture, GaussianMixtureModel, GaussianMixtureParams};
pub(crate) use neighbours::Neighbours;
pub(crate) use points::{Points, Scaling, moments, only_numbers};
pub use profile::{ClusterProfile, Profiles};
pub use quality::{adjusted_rand_index, silhouette, silhouette_sampled};
