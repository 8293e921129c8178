//! What goes in: a mutex whose content is whole after every change. What comes out: its content.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Also where somebody panicked who held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
