//! Pictures and a target -> a net of windows over them -> probabilities.

mod model;
mod params;
mod stages;

pub use model::CnnModel;
pub use params::{CheckedCnn, Cnn, CnnParams};
#[cfg(test)]
pub(super) use stages::{Form, Stages};
