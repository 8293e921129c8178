//! Feature matrix and target -> a net of layers that are wholly connected -> probabilities.

mod layers;
mod model;
mod params;

#[cfg(test)]
pub(super) use layers::Mlp;
pub use model::FcnnModel;
pub use params::{CheckedFcnn, Fcnn, FcnnParams};
