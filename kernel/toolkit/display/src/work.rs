//! How far the work of the running cell has come: said by the loop that does it, read by the bar that shows it. One piece of
//! work at a time is known, the one that spoke last.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// What is counted: trees, rounds …
    pub what: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are, or may be at most.
    pub of: usize,
}

static NOW: Mutex<Option<Work>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Work>> {
    NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So much is done. Threads may speak in any order: less than was said before is not taken, but for 0, with which a piece
/// of work begins.
pub fn say(what: &'static str, done: usize, of: usize) {
    let mut now = lock();
    let late = |known: &Work| known.what == what && known.of == of && known.done > done && done > 0;
    if !now.as_ref().is_some_and(late) {
        *now = Some(Work { what, done, of });
    }
}

/// What was said last.
pub fn now() -> Option<Work> {
    *lock()
}

/// Forgets it, before a bar begins.
pub fn clear() {
    *lock() = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_late_is_not_taken_and_a_new_beginning_is() {
        let told = |done| now().map(|work| (work.what, work.done)) == Some(("trees", done));
        say("trees", 0, 9);
        say("trees", 5, 9);
        say("trees", 4, 9);
        assert!(told(5));
        say("trees", 0, 9);
        assert!(told(0));
        say("rounds", 3, 9);
        say("trees", 1, 9);
        assert!(told(1));
        clear();
        assert_eq!(now(), None);
    }
}
