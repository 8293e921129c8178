//! Random forests: many deep trees on drawn rows and features, whose mean is the score.
//!
//! Values are put into at most 255 bins once; a split is then searched in sums over bins, not in sorted values.
//! Each tree draws from a stream of its own, so the forest is the same for any number of threads.

mod bag;
mod bins;
mod fit;
mod grow;
mod model;
mod order;
mod params;
mod quadrature;
mod shap;
mod sums;
mod tree;

pub use bag::OutOfBag;
pub use model::RandomForestModel;
pub use params::{CheckedRandomForest, RandomForest, RandomForestParams};
