//! Companies with a known outcome -> a score from 0 to 1000, a grade, reasons, and what would move the grade.

mod blend;
mod counterfactual;
mod factor;
mod fit;
mod grade;
mod model;
mod params;
mod reasons;

pub use counterfactual::{Change, Counterfactual};
pub use factor::Factor;
pub use grade::MasterScale;
pub(crate) use grade::written;
pub use model::TaxpayerModel;
pub use params::{Taxpayer, TaxpayerParams};
pub use reasons::{Explanation, Part};

/// Scores lie between these.
const LEAST: i64 = 0;
const MOST: i64 = 1000;
