//! Rows and a target -> points for each bin, which add up to a score.

mod model;
mod params;
mod weights;

pub use model::{Against, ScorecardModel};
pub(crate) use model::{at, size};
pub use params::{Scale, Scorecard, ScorecardParams};
pub(crate) use weights::Weights;
