//! A model in the library's memory: read from text, asked for predictions.

use super::{Entry, c_len, c_string, check};
use crate::{Error, Result};
use lightgbm3_sys as sys;
use std::ffi::{c_int, c_void};
use std::ptr;

/// What a prediction is to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::lightgbm) enum Predict {
    /// Probabilities or values.
    Normal,
    /// Scores before the link function.
    Raw,
    /// Contributions of each feature, and the expected value last.
    Contributions,
    /// The number of the leaf that a row falls into, for each tree.
    Leaves,
}

impl Predict {
    fn code(self) -> c_int {
        let code = match self {
            Self::Normal => sys::C_API_PREDICT_NORMAL,
            Self::Raw => sys::C_API_PREDICT_RAW_SCORE,
            Self::Contributions => sys::C_API_PREDICT_CONTRIB,
            Self::Leaves => sys::C_API_PREDICT_LEAF_INDEX,
        };
        code as c_int
    }
}

/// A model: while it learns, tied to its data sets; read from text, on its own.
#[derive(Debug)]
pub(in crate::lightgbm) struct Booster(pub(super) sys::BoosterHandle);

// SAFETY: the handle owns its data and is not tied to a thread.
unsafe impl Send for Booster {}
// SAFETY: every function below that takes `&self` only predicts or reads, which the library guards
// with a shared lock inside the handle; those that change the model take `&mut self`. What the first
// prediction of contributions changes is done where a model is read.
unsafe impl Sync for Booster {}

impl Drop for Booster {
    fn drop(&mut self) {
        // SAFETY: the handle came from the library and is freed once.
        unsafe { sys::LGBM_BoosterFree(self.0) };
    }
}

impl Booster {
    /// Read on so many threads.
    pub(in crate::lightgbm) fn from_text(text: &str, threads: usize) -> Result<Self> {
        const CALL: &str = "reading a model from text";
        let _entry = Entry::with(threads);
        let text = c_string(text, CALL)?;
        let mut handle: sys::BoosterHandle = ptr::null_mut();
        let mut iterations: c_int = 0;
        // SAFETY: a zero-terminated text, and places for a number and a handle.
        check(unsafe { sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &mut iterations, &mut handle) }, CALL)?;
        let booster = Self(handle);
        // The depths of its trees are measured at the first contributions, and whether they have been is asked without a lock.
        booster.predict(&[], Predict::Contributions, &mut [])?;
        Ok(booster)
    }

    pub(in crate::lightgbm) fn classes(&self) -> Result<usize> {
        let mut classes: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetNumClasses(self.0, &mut classes) }, "counting classes")?;
        Ok(usize::try_from(classes).unwrap_or(1).max(1))
    }

    pub(in crate::lightgbm) fn features(&self) -> Result<usize> {
        let mut features: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetNumFeature(self.0, &mut features) }, "counting features")?;
        Ok(usize::try_from(features).unwrap_or(0))
    }

    /// Total gain of the splits on each feature.
    pub(in crate::lightgbm) fn gains(&self) -> Result<Vec<f64>> {
        let _entry = Entry::with(1);
        let mut gains = vec![0.0; self.features()?];
        // SAFETY: one number a feature, as the function asks.
        let code = unsafe {
            sys::LGBM_BoosterFeatureImportance(
                self.0,
                0,
                sys::C_API_FEATURE_IMPORTANCE_GAIN as c_int,
                gains.as_mut_ptr(),
            )
        };
        check(code, "weighing features")?;
        Ok(gains)
    }

    /// Numbers that a prediction has for each row.
    pub(in crate::lightgbm) fn width(&self, kind: Predict) -> Result<usize> {
        let mut width: i64 = 0;
        // SAFETY: a live handle and a place for one number.
        let code = unsafe { sys::LGBM_BoosterCalcNumPredict(self.0, 1, kind.code(), 0, 0, &mut width) };
        check(code, "counting numbers of a prediction")?;
        Ok(usize::try_from(width).unwrap_or(0))
    }

    /// Predicts row-major `values` of as many columns as the model has features, on this thread; `out` takes as many numbers
    /// for each row as [`Booster::width`] says.
    pub(in crate::lightgbm) fn predict(&self, values: &[f64], kind: Predict, out: &mut [f64]) -> Result<()> {
        const CALL: &str = "predicting";
        let _entry = Entry::with(1);
        let columns = self.features()?;
        let rows = values.len() / columns.max(1);
        if values.len() != rows * columns {
            return Err(Error::Rows { what: "values of a matrix", expected: rows * columns, found: values.len() });
        }
        let expected = rows * self.width(kind)?;
        if out.len() != expected {
            return Err(Error::Rows { what: "numbers of a prediction", expected, found: out.len() });
        }
        let mut len: i64 = 0;
        let (rows, columns) = (c_len(rows, CALL)?, c_len(columns, CALL)?);
        // SAFETY: `values` holds rows * columns numbers; `out` has the length that the library says it writes.
        let code = unsafe {
            sys::LGBM_BoosterPredictForMat(
                self.0,
                values.as_ptr().cast::<c_void>(),
                sys::C_API_DTYPE_FLOAT64 as c_int,
                rows,
                columns,
                1,
                kind.code(),
                0,
                0,
                c"verbosity=-1".as_ptr(),
                &mut len,
                out.as_mut_ptr(),
            )
        };
        check(code, CALL)
    }
}
