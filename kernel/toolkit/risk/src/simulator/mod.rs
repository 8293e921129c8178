//! Items with their truth, and a policy of inspection -> what would have been found, day by day.

mod choose;
mod difference;
mod explore;
mod items;
mod learner;
mod policy;
mod replay;
mod report;
mod schemes;
mod trade;

pub use difference::{Difference, paired_difference};
pub use items::DriftingItems;
pub use policy::Policy;
pub use replay::Replay;
pub use report::Replayed;
pub use trade::{Drift, TradeItems};
