//! Logistic regression of several classes at once: a probability for each, which sum to 1.

mod model;
mod params;

pub use model::MultinomialLogisticModel;
pub use params::{CheckedMultinomialLogistic, MultinomialLogistic, MultinomialLogisticParams};
