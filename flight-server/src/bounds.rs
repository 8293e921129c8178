//! What goes in: what whoever runs the server says. What comes out: how much of it queries may use at a time, and for
//! how long.

use std::num::NonZero;
use std::time::Duration;

/// How many queries run and wait, and how long they may wait, for the server and for their clients.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Queries of the interactive class that run at a time.
    pub interactive: NonZero<usize>,
    /// Queries of the bulk class that run at a time.
    pub bulk: NonZero<usize>,
    /// Queries of each class that wait for their turn; 0 = those that cannot run at once are refused.
    pub waiting: usize,
    /// How long a query waits for its turn.
    pub patience: Duration,
    /// How long a result waits for a client that reads nothing.
    pub unread: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            interactive: NonZero::<usize>::MIN.saturating_add(15),
            bulk: NonZero::<usize>::MIN.saturating_add(1),
            waiting: 100,
            patience: Duration::from_secs(60),
            unread: Duration::from_secs(300),
        }
    }
}

/// The class of a query: each has its own places, so that long queries do not hold up short ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Class {
    #[default]
    Interactive,
    Bulk,
}

impl Class {
    pub(crate) const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];
    /// The names of all.
    pub(crate) const NAMES: &str = "interactive, bulk";

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }
}

/// What the policy says of the queries of a role; `None` = nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RoleBounds {
    /// The most rows of one result.
    pub(crate) rows: Option<u64>,
    /// The most bytes of one result, before compression.
    pub(crate) bytes: Option<u64>,
    /// The class that all its queries have.
    pub(crate) class: Option<Class>,
}

impl RoleBounds {
    /// Whether results of the role have a greatest size.
    pub(crate) fn limits_results(&self) -> bool {
        self.rows.is_some() || self.bytes.is_some()
    }
}
