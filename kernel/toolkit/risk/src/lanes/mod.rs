//! Items of a day, a model's probabilities and rules -> a lane for each item, with the reason.

mod decide;
mod decisions;
mod office;
mod order;
mod quota;
mod reasons;
mod rule;
mod table;

pub use decisions::{Decisions, Why};
pub use quota::Quota;
pub use rule::Rule;
pub use table::DecisionTable;

use std::fmt;

/// What happens to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Fast track: released as declared.
    Green,
    /// Documents are checked.
    Yellow,
    /// The goods are inspected.
    Red,
    /// Released, and audited after clearance.
    Blue,
}

impl Lane {
    /// Its name in frames and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Blue => "blue",
        }
    }

    /// Whether an item that is to be in one lane may be in the other instead: an inspection looks at the documents too.
    fn covers(self, other: Self) -> bool {
        self == other || (self == Self::Red && other == Self::Yellow)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
