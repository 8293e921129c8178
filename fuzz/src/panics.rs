//! What goes in: a panic. What comes out: the end of the process where our own code is to blame.

use std::backtrace::Backtrace;
use std::panic::{PanicHookInfo, set_hook};
use std::sync::Once;

static ONCE: Once = Once::new();

/// To be called by each target before it does anything: libFuzzer's own hook ends the process for every panic, those
/// that are caught as well.
pub(crate) fn watch() {
    ONCE.call_once(|| set_hook(Box::new(end_if_ours)));
}

fn end_if_ours(panic: &PanicHookInfo<'_>) {
    let ours = panic.location().is_none_or(|at| !at.file().contains("/registry/src/"));
    if ours {
        eprintln!("{panic}\n{}", Backtrace::force_capture());
        std::process::abort();
    }
}
