//! Items with their truth, and a policy of inspection -> what would have been found, day by day.

mod difference;
mod items;
mod policy;
mod replay;
mod report;

pub use difference::{Difference, paired_difference};
pub use items::DriftingItems;
pub use policy::Policy;
pub use replay::Replay;
pub use report::Replayed;
