//! What linear models share: features as rows of a solver, sparse rows, and Newton's method.

mod encode;
mod lasso;
mod loss;
mod newton;
mod problem;
mod rows;
mod sparse;

pub(crate) use encode::{Design, Encoder, dot_rows};
pub(crate) use lasso::solve_absolute;
pub(crate) use loss::{Loss, probability, softmax};
pub(crate) use newton::{dot, solve};
pub(crate) use problem::Problem;
pub(crate) use rows::{coefficients, finite_sums, of_features, of_sparse, trainable};
pub use sparse::SparseMatrix;
