//! Decisions and the lines of a log -> more lines, each bound to the one before; and lines -> whether they are whole.
//!
//! Pure: lines in, lines out. Whoever keeps the lines keeps the [`Head`] elsewhere, so that a missing end, or a chain that
//! somebody computed anew, is seen too.

mod chain;
mod decision_log;
mod verify;

pub use chain::Head;
pub use decision_log::{DecisionLog, Origin};
pub use verify::{Fault, Verified, verify, verify_after};
