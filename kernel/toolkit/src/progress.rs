//! A bar for work that takes more than a moment: steps in, one picture that is replaced as they go.

use crate::Show;
use crate::display::Bundle;
use crate::display::progress::{NAMES, bar};
use crate::watch::Watch;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// At most ten pictures a second: more would only keep the front end busy.
const INTERVAL: Duration = Duration::from_millis(100);

/// How far a piece of work has come, shown below the cell.
///
/// ```no_run
/// use haetae::Progress;
/// let mut progress = Progress::new("files", 12);
/// for _file in 0..12 {
///     progress.advance(1);
/// }
/// ```
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: usize,
    done: usize,
    id: String,
    shown: Instant,
}

impl Progress {
    /// Shows an empty bar for `total` steps.
    pub fn new(label: &str, total: usize) -> Self {
        let progress = Self { label: label.to_owned(), total, done: 0, id: new_id(), shown: Instant::now() };
        progress.show_as(&progress.id);
        progress
    }

    /// Shows how far fits and other long work of the toolkit have come, while `work` runs:
    ///
    /// ```no_run
    /// # use haetae::{Progress, features::FeatureMatrix, models::RandomForest};
    /// # fn fit(features: FeatureMatrix, target: Vec<f64>) -> Result<(), Box<dyn std::error::Error>> {
    /// let forest = Progress::during("forest", || RandomForest::params().fit(&features, &target))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What is counted stands beside the label; rounds may end before the most that they may be.
    pub fn during<T>(label: &str, work: impl FnOnce() -> T) -> T {
        let _watch = Watch::start(label, &new_id());
        work()
    }

    /// Steps done since the last call; more than there are count as all.
    pub fn advance(&mut self, steps: usize) {
        self.set(self.done.saturating_add(steps));
    }

    /// Steps done in all. The picture is renewed at most ten times a second, and at the end. Ends the cell
    /// where the stop button was pressed.
    pub fn set(&mut self, done: usize) {
        crate::cell::stop_if_asked();
        let before = self.done;
        self.done = done.min(self.total);
        let finished = self.done == self.total && before != self.done;
        if finished || self.shown.elapsed() >= INTERVAL {
            self.shown = Instant::now();
            self.update(&self.id);
        }
    }

    /// The work in other words from here on.
    pub fn label(&mut self, label: &str) {
        self.label = label.to_owned();
        self.update(&self.id);
    }
}

/// Each bar of a kernel needs a name of its own; which one is nowhere to be seen.
fn new_id() -> String {
    static BARS: AtomicUsize = AtomicUsize::new(0);
    format!("{NAMES}{}", BARS.fetch_add(1, Ordering::Relaxed))
}

impl Show for Progress {
    fn to_bundle(&self) -> Bundle {
        bar(&self.label, self.done, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is_and_stops_at_the_end() {
        let mut progress = Progress::new("<files>", 1200);
        progress.advance(300);
        assert_eq!(progress.to_bundle().plain(), "<files>: 25 % (300 of 1,200)");
        progress.set(5000);
        assert_eq!(progress.to_bundle().plain(), "<files>: 100 % (1,200 of 1,200)");
    }
}
