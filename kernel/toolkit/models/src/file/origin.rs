//! Which fit a model comes from.

use super::{In, Stored, Taken};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

/// The parameters of a fit, and a number that no other fit of this process has. Copies of a model share it, and a model
/// does not change: two of the same number are equal.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    parameters: String,
    number: u64,
}

impl Origin {
    pub(crate) fn of(parameters: &dyn Debug) -> Self {
        Self::new(format!("{parameters:?}"))
    }

    fn new(parameters: String) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { parameters, number: LAST.fetch_add(1, Ordering::Relaxed) }
    }

    /// Of a model that was made of this one.
    pub(crate) fn renewed(&self) -> Self {
        Self::new(self.parameters.clone())
    }

    pub(super) fn parts(&self) -> (&str, u64) {
        (&self.parameters, self.number)
    }
}

impl Stored for Origin {
    fn put(&self, out: &mut Vec<u8>) {
        self.parameters.put(out);
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        String::take(input).map(Self::new)
    }
}
