//! Logistic regression with an L2 or an L1 penalty on one-hot categories and standardised numbers: the
//! plain, additive model that a tree has to beat. No random numbers; sums are split by the number
//! of rows alone, so the same rows give the same bits on any number of threads.

mod model;
mod multinomial;
mod params;

pub use model::LogisticModel;
pub use multinomial::{
    CheckedMultinomialLogistic, MultinomialLogistic, MultinomialLogisticModel, MultinomialLogisticParams,
};
pub use params::{CheckedLogistic, Logistic, LogisticParams, Penalty};
