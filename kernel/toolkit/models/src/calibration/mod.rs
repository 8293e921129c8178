//! Scores -> probabilities that come true as often as they say, and how far they are from it.

mod isotonic;
mod platt;
mod reliability;

pub use isotonic::Isotonic;
pub use platt::Platt;
pub use reliability::{Reliability, ReliabilityBin, reliability};
