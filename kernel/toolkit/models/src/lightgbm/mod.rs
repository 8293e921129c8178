//! Gradient-boosted trees: LightGBM behind a safe face.
//!
//! Parameters that concern binning are given to the data set as well as to the model; buffers are
//! as long as the library says; nothing is written to stdout; the same input, parameters and
//! number of threads give the same model byte for byte.

mod checked;
mod ffi;
mod fit;
mod goal;
mod model;
mod params;
mod text;

pub use checked::CheckedLightGbm;
pub use fit::{Progress, Step};
pub use goal::{Metric, Objective, OwnLoss};
pub use model::LightGbmModel;
pub use params::{LightGbm, LightGbmParams};
