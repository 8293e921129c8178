//! Training rows -> binned rows in the library's memory.

use super::{Entry, c_len, c_string, check};
use crate::{Error, Result};
use lightgbm3_sys as sys;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

/// Binned training rows.
#[derive(Debug)]
pub(in crate::lightgbm) struct Dataset {
    pub(super) handle: sys::DatasetHandle,
    /// On which it is made and learnt from: the library keeps room for as many.
    pub(super) threads: usize,
}

// SAFETY: the handle owns its data and is not tied to a thread.
unsafe impl Send for Dataset {}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: the handle came from the library and is freed once.
        unsafe { sys::LGBM_DatasetFree(self.handle) };
    }
}

impl Dataset {
    /// Bins column-major `values`; with `reference`, into the bins of that data set.
    pub(in crate::lightgbm) fn new(
        values: &[f64],
        rows: usize,
        columns: usize,
        parameters: &str,
        threads: usize,
        reference: Option<&Dataset>,
    ) -> Result<Self> {
        const CALL: &str = "making a data set";
        let _entry = Entry::with(threads);
        if values.len() != rows * columns {
            return Err(Error::Rows { what: "values of a matrix", expected: rows * columns, found: values.len() });
        }
        let parameters = c_string(parameters, CALL)?;
        let mut handle: sys::DatasetHandle = ptr::null_mut();
        // SAFETY: `values` holds rows * columns numbers, read during the call only.
        let code = unsafe {
            sys::LGBM_DatasetCreateFromMat(
                values.as_ptr().cast::<c_void>(),
                sys::C_API_DTYPE_FLOAT64 as c_int,
                c_len(rows, CALL)?,
                c_len(columns, CALL)?,
                0,
                parameters.as_ptr(),
                reference.map_or(ptr::null_mut(), |reference| reference.handle),
                &mut handle,
            )
        };
        check(code, CALL)?;
        Ok(Self { handle, threads })
    }

    pub(in crate::lightgbm) fn set_names(&mut self, names: &[String]) -> Result<()> {
        const CALL: &str = "naming features";
        let _entry = Entry::with(self.threads);
        let names = names.iter().map(|name| c_string(name, CALL)).collect::<Result<Vec<_>>>()?;
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: as many zero-terminated texts as said, alive during the call, which copies them.
        let code =
            unsafe { sys::LGBM_DatasetSetFeatureNames(self.handle, pointers.as_mut_ptr(), c_len(names.len(), CALL)?) };
        check(code, CALL)
    }

    pub(in crate::lightgbm) fn set_target(&mut self, target: &[f64]) -> Result<()> {
        self.set(c"label", target, "setting the target")
    }

    pub(in crate::lightgbm) fn set_weights(&mut self, weights: &[f64]) -> Result<()> {
        self.set(c"weight", weights, "setting the weights")
    }

    fn set(&mut self, field: &CStr, values: &[f64], call: &'static str) -> Result<()> {
        let _entry = Entry::with(self.threads);
        #[expect(clippy::cast_possible_truncation, reason = "the library keeps labels and weights as f32")]
        let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        // SAFETY: `narrow` holds as many f32 as said, and is copied during the call.
        let code = unsafe {
            sys::LGBM_DatasetSetField(
                self.handle,
                field.as_ptr(),
                narrow.as_ptr().cast::<c_void>(),
                c_len(narrow.len(), call)?,
                sys::C_API_DTYPE_FLOAT32 as c_int,
            )
        };
        check(code, call)
    }
}
