//! What a submission may use.

use std::time::Duration;

/// Bounds on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for one cell.
    pub cell: Duration,
    /// Time for the whole file.
    pub all: Duration,
    /// Memory of all processes of a run, in bytes.
    pub memory: u64,
    /// Processes of a run at a time.
    pub processes: usize,
    /// Output that is kept of one cell, in bytes.
    pub output: u64,
    /// Whether Rust cells of a file run, where its exercise asks for Rust. What they do is held by the isolation alone.
    pub rust: bool,
}

impl Default for Limits {
    fn default() -> Self {
        let (cell, all) = (Duration::from_secs(20), Duration::from_secs(300));
        Self { cell, all, memory: 3 << 30, processes: 256, output: 100_000, rust: false }
    }
}
