//! Linear support vector machines on categories, numbers and sparse rows.

mod dual;
mod model;
mod params;

pub use model::LinearSvmModel;
pub use params::{CheckedLinearSvm, LinearSvm, LinearSvmParams, MarginLoss};
