//! What goes in: what is being made, and how much is done. What comes out: on a terminal a bar with items a second,
//! elsewhere a line every few seconds and one at the end; always on stderr.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use haetae_synth::Progress as Done;
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

/// Time between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(2);

/// The way of showing progress.
pub enum Progress {
    /// A bar on a terminal.
    Bar(ProgressBar),
    /// Lines in a log.
    Lines {
        /// Number of items to make.
        total: u64,
        /// When the work began.
        began: Instant,
        /// When the last line was written, of how many items, and of what.
        last: Mutex<(Instant, u64, &'static str)>,
    },
}

impl Progress {
    /// Begins to show the making of `total` items.
    pub fn start(total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            let now = Instant::now();
            return Self::Lines { total, began: now, last: Mutex::new((now, 0, "")) };
        }
        let bar = ProgressBar::new(total);
        let form = "making {msg} {bar:32} {human_pos} of {human_len} items, {rate}, {eta} left";
        let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
        // A write into the bar's own text cannot fail.
        let rate = |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{} items/s", HumanCount(state.per_sec() as u64));
        };
        bar.set_style(style.with_key("rate", rate));
        bar.tick();
        Self::Bar(bar)
    }

    /// Shows how much is done.
    pub fn show(&self, done: Done) {
        let Done { doing, items, rows } = done;
        match self {
            Self::Bar(bar) => {
                bar.set_message(if rows > 0 {
                    format!("{doing}, {} rows", HumanCount(rows))
                } else {
                    doing.to_owned()
                });
                bar.set_position(items);
            }
            Self::Lines { total, began, last } => {
                let Ok(mut last) = last.lock() else { return };
                let (then, before, was_doing) = *last;
                if was_doing != doing {
                    eprintln!("making {doing}");
                    last.2 = doing;
                }
                if then.elapsed() >= PAUSE && items > 0 || (items == *total && before < items) {
                    *last = (Instant::now(), items, doing);
                    let rate = items as f64 / began.elapsed().as_secs_f64();
                    eprintln!("made {items} of {total} items ({rows} rows), {rate:.0} items/s");
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
