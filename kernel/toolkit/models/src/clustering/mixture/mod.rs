//! Gaussian mixtures: rows as drawn from several bells, and how likely each bell is for each row.

mod bells;
mod em;
mod model;
mod params;

pub use model::GaussianMixtureModel;
pub use params::{CheckedGaussianMixture, Covariance, GaussianMixture, GaussianMixtureParams};
