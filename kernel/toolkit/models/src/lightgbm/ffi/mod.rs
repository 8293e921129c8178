//! LightGBM's C functions -> owned handles and `Result`. All that is unsafe about them is in here.

mod booster;
mod data;
mod learner;

pub(super) use booster::{Booster, Predict};
pub(super) use data::Dataset;
pub(super) use learner::Learner;

use crate::{Error, Result};
use lightgbm3_sys as sys;
use std::ffi::{CStr, CString, c_char, c_int, c_void};

unsafe extern "C" fn swallow(_line: *const c_char) {}

/// Takes this thread's log lines away from stdout, where a kernel speaks another language. The
/// library keeps the callback for each thread, so every entry from outside comes through here.
fn quiet() {
    // SAFETY: `swallow` has the type asked for and lives as long as the program.
    unsafe { sys::LGBM_RegisterLogCallback(Some(swallow)) };
}

unsafe extern "C" {
    // Of OpenMP, with which the library is built: how deep teams of threads may lie in one another, for this thread.
    safe fn omp_get_max_active_levels() -> c_int;
    safe fn omp_set_max_active_levels(levels: c_int);
}

/// Calls the library, which then works on this thread alone, whatever `num_threads` says. That number is one of the whole
/// process: of two calls at the same time, one would have room for its own threads and start those of the other.
fn on_this_thread<T>(call: impl FnOnce() -> T) -> T {
    let levels = omp_get_max_active_levels();
    omp_set_max_active_levels(0);
    let found = call();
    omp_set_max_active_levels(levels);
    found
}

fn check(code: c_int, call: &'static str) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: a pointer to this thread's zero-terminated buffer, read before the next call.
    let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) }.to_string_lossy().into_owned();
    Err(Error::Library { call, message })
}

fn c_string(text: &str, call: &'static str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Library { call, message: "text holds a zero byte".to_owned() })
}

/// Lengths and counts of the C functions are 32 bits wide.
fn c_len(len: usize, call: &'static str) -> Result<c_int> {
    c_int::try_from(len).map_err(|_| Error::Library {
        call,
        message: format!("{len} is more than it can count; give it at most 2147483647"),
    })
}

/// LightGBM's reader of Arrow data calls this function of nanoarrow, which lightgbm3-sys 1.0.11 builds
/// and does not link; a dylib with the name left open cannot be loaded. Nothing here hands LightGBM
/// Arrow data, so the function only says that it cannot: 95 is `EOPNOTSUPP`.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
extern "C" fn ArrowSchemaViewInit(_view: *mut c_void, _schema: *const c_void, _error: *mut c_void) -> std::ffi::c_int {
    95
}
