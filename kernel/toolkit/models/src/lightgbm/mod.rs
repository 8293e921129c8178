//! Gradient-boosted trees: LightGBM behind a safe face.
//!
//! Parameters that concern binning are given to the data set as well as to the model; buffers are
//! as long as the library says; nothing is written to stdout; the same input, parameters and
//! number of threads give the same model byte for byte.

mod ffi;
mod fit;
mod model;
mod params;

pub use fit::{Progress, Step};
pub(crate) use fit::{check_rows, same_features};
pub use model::{Contributions, LightGbmModel};
pub use params::{CheckedLightGbm, LightGbm, LightGbmParams, Metric, Objective};
