//! What goes in: the number of rows done. What comes out: on a terminal a bar with rows a second,
//! elsewhere a line every few seconds and one at the end; always on stderr.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

/// Time between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(2);

/// The way of showing progress.
pub enum Progress {
    /// A bar on a terminal.
    Bar(ProgressBar),
    /// Lines in a log.
    Lines {
        /// Number of rows to make.
        total: u64,
        /// When the work began.
        began: Instant,
        /// When the last line was written.
        last: Mutex<Instant>,
    },
}

impl Progress {
    /// Begins to show the making of `total` rows.
    pub fn start(total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            let now = Instant::now();
            return Self::Lines { total, began: now, last: Mutex::new(now) };
        }
        let bar = ProgressBar::new(total);
        let form = "making items {bar:32} {human_pos} of {human_len} rows, {rate}, {eta} left";
        let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
        // A write into the bar's own text cannot fail.
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{} rows/s", HumanCount(state.per_sec() as u64));
        };
        bar.set_style(style.with_key("rate", rate));
        bar.tick();
        Self::Bar(bar)
    }

    /// Shows that `done` rows are made.
    pub fn show(&self, done: u64) {
        match self {
            Self::Bar(bar) => bar.set_position(done),
            Self::Lines { total, began, last } => {
                let Ok(mut last) = last.lock() else { return };
                if last.elapsed() >= PAUSE || done == *total {
                    *last = Instant::now();
                    let rate = done as f64 / began.elapsed().as_secs_f64();
                    eprintln!("made {done} of {total} rows, {rate:.0} rows/s");
                }
            }
        }
    }

    /// Leaves the bar as it stands.
    pub fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.abandon();
        }
    }
}
