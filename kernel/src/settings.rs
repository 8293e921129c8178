//! What commands have set for the cells that come.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Environment variable of whoever starts the kernel: `1` lets `%%bash` run.
pub const BASH_VARIABLE: &str = "HAETAE_ALLOW_BASH";

/// Settings of one kernel. A new worker changes none of them.
#[derive(Debug)]
pub struct Settings {
    progress: AtomicBool,
    level: AtomicU8,
    bash: bool,
}

impl Settings {
    /// Those that a kernel starts with.
    pub fn of_environment() -> Self {
        let bash = std::env::var(BASH_VARIABLE).is_ok_and(|text| text == "1");
        Self { progress: AtomicBool::new(true), level: AtomicU8::new(0), bash }
    }

    /// Whether cells show progress bars.
    pub fn progress(&self) -> bool {
        self.progress.load(Ordering::Relaxed)
    }

    /// Shows progress bars from here on, or does not.
    pub fn set_progress(&self, shown: bool) {
        self.progress.store(shown, Ordering::Relaxed);
    }

    /// How far cells are optimised, 0 to 3.
    pub fn level(&self) -> u8 {
        self.level.load(Ordering::Relaxed)
    }

    /// Notes how far cells are optimised.
    pub fn set_level(&self, level: u8) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// Whether `%%bash` may run. Nothing that a notebook holds can change it.
    pub fn bash(&self) -> bool {
        self.bash
    }
}
