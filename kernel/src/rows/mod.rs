//! The rows of an SQL cell as they come: what its table shows of them, and a file for the next Rust cell.
//! However many there are, only a few are in memory at a time.

mod excerpt;
mod spill;

pub use excerpt::{Excerpt, type_name};
pub use spill::{Spill, SpillError};
