//! Features and target -> boosted trees -> a weight for each of their leaves -> probabilities.
//!
//! Sources: He et al., *Practical lessons from predicting clicks on ads at Facebook*, 2014; as a baseline for customs
//! fraud, Kim et al., *DATE*, KDD 2020.

mod model;
mod params;

pub use model::LeafLogisticModel;
pub use params::{CheckedLeafLogistic, LeafLogistic, LeafLogisticParams};
