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

unsafe extern "C" {
    // Of OpenMP, with which the library is built: on how many threads work goes that is called from this one.
    safe fn omp_get_max_threads() -> c_int;
    safe fn omp_set_num_threads(threads: c_int);
}

/// A way into the library, until it is dropped: what this thread calls works on so many threads, and its log lines are kept
/// from stdout, where a kernel speaks another language. Every call that works or speaks has one, as both are kept for each
/// thread.
///
/// By its parameter `num_threads` the library is never told: it keeps that for the whole process, and of two calls at the
/// same time one would have room for its own threads and start those of the other.
#[must_use = "it ends where it is dropped"]
struct Entry {
    before: c_int,
}

impl Entry {
    fn with(threads: usize) -> Self {
        // SAFETY: `swallow` has the type asked for and lives as long as the program.
        unsafe { sys::LGBM_RegisterLogCallback(Some(swallow)) };
        let before = omp_get_max_threads();
        omp_set_num_threads(c_int::try_from(threads).unwrap_or(1));
        Self { before }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        omp_set_num_threads(self.before);
    }
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
