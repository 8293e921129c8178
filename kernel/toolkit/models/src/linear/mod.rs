//! What linear models share: features as rows of a solver, sparse rows, and Newton's method.

mod encode;
mod lasso;
mod newton;
mod sparse;

pub(crate) use encode::{Design, Encoder, dot_rows};
pub(crate) use lasso::solve_absolute;
pub(crate) use newton::{Loss, Problem, probability, solve};
pub use sparse::SparseMatrix;
