//! The analyst's wish that the running cell should stop: set by the kernel's worker, asked by every
//! loop of the toolkit that may take long.
//!
//! A thread cannot be stopped from outside without losing what it holds. So the stop button sets this
//! flag, and queries, fits and printing ask for it; what does not ask can only be ended with its process.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether the cell that runs should stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Asks the running cell to stop. Safe to call from a signal handler.
pub fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// Forgets the wish, before the next cell.
pub fn clear() {
    REQUESTED.store(false, Ordering::Relaxed);
}
