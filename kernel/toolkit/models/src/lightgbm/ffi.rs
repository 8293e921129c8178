//! LightGBM's C functions -> owned handles and `Result`. The only unsafe code of this crate.

use crate::{Error, Result};
use lightgbm3_sys as sys;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// What a prediction is to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Predict {
    /// Probabilities or values.
    Normal,
    /// Scores before the link function.
    Raw,
    /// Contributions of each feature, and the expected value last.
    Contributions,
}

unsafe extern "C" fn swallow(_line: *const c_char) {}

/// Takes this thread's log lines away from stdout, where a kernel speaks another language. The
/// library keeps the callback for each thread, so every entry from outside comes through here.
fn quiet() {
    // SAFETY: `swallow` has the type asked for and lives as long as the program.
    unsafe { sys::LGBM_RegisterLogCallback(Some(swallow)) };
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

/// Binned training rows.
#[derive(Debug)]
pub(super) struct Dataset(sys::DatasetHandle);

// SAFETY: the handle owns its data and is not tied to a thread.
unsafe impl Send for Dataset {}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: the handle came from the library and is freed once.
        unsafe { sys::LGBM_DatasetFree(self.0) };
    }
}

impl Dataset {
    /// Bins column-major `values`; with `reference`, into the bins of that data set.
    pub(super) fn new(
        values: &[f64],
        rows: usize,
        columns: usize,
        parameters: &str,
        reference: Option<&Dataset>,
    ) -> Result<Self> {
        const CALL: &str = "making a data set";
        quiet();
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
                reference.map_or(ptr::null_mut(), |reference| reference.0),
                &mut handle,
            )
        };
        check(code, CALL)?;
        Ok(Self(handle))
    }

    pub(super) fn set_names(&mut self, names: &[String]) -> Result<()> {
        const CALL: &str = "naming features";
        quiet();
        let names = names.iter().map(|name| c_string(name, CALL)).collect::<Result<Vec<_>>>()?;
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: as many zero-terminated texts as said, alive during the call, which copies them.
        let code =
            unsafe { sys::LGBM_DatasetSetFeatureNames(self.0, pointers.as_mut_ptr(), c_len(names.len(), CALL)?) };
        check(code, CALL)
    }

    pub(super) fn set_target(&mut self, target: &[f64]) -> Result<()> {
        const CALL: &str = "setting the target";
        quiet();
        #[expect(clippy::cast_possible_truncation, reason = "the library keeps labels as f32")]
        let label: Vec<f32> = target.iter().map(|&value| value as f32).collect();
        // SAFETY: `label` holds as many f32 as said, and is copied during the call.
        let code = unsafe {
            sys::LGBM_DatasetSetField(
                self.0,
                c"label".as_ptr(),
                label.as_ptr().cast::<c_void>(),
                c_len(label.len(), CALL)?,
                sys::C_API_DTYPE_FLOAT32 as c_int,
            )
        };
        check(code, CALL)
    }
}

/// A model: while it learns, tied to its data sets; read from text, on its own.
#[derive(Debug)]
pub(super) struct Booster(sys::BoosterHandle);

// SAFETY: the handle owns its data and is not tied to a thread.
unsafe impl Send for Booster {}
// SAFETY: every function below that takes `&self` only predicts or reads, which the library guards
// with a shared lock inside the handle; those that change the model take `&mut self`.
unsafe impl Sync for Booster {}

impl Drop for Booster {
    fn drop(&mut self) {
        // SAFETY: the handle came from the library and is freed once.
        unsafe { sys::LGBM_BoosterFree(self.0) };
    }
}

/// A model that learns: it borrows the data sets, whose memory the library goes on reading.
#[derive(Debug)]
pub(super) struct Learner<'a> {
    booster: Booster,
    valid: bool,
    _data: std::marker::PhantomData<&'a Dataset>,
}

impl<'a> Learner<'a> {
    pub(super) fn new(train: &'a Dataset, valid: Option<&'a Dataset>, parameters: &str) -> Result<Self> {
        const CALL: &str = "making a model";
        quiet();
        let parameters = c_string(parameters, CALL)?;
        let mut handle: sys::BoosterHandle = ptr::null_mut();
        // SAFETY: `train` outlives the learner by the lifetime above.
        check(unsafe { sys::LGBM_BoosterCreate(train.0, parameters.as_ptr(), &mut handle) }, CALL)?;
        let booster = Booster(handle);
        if let Some(valid) = valid {
            // SAFETY: `valid` outlives the learner by the lifetime above.
            check(unsafe { sys::LGBM_BoosterAddValidData(booster.0, valid.0) }, "adding validation rows")?;
        }
        Ok(Self { booster, valid: valid.is_some(), _data: std::marker::PhantomData })
    }

    /// Grows one more tree (one a class); true where there was nothing left to split.
    pub(super) fn step(&mut self) -> Result<bool> {
        quiet();
        let mut empty: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterUpdateOneIter(self.booster.0, &mut empty) }, "growing a tree")?;
        Ok(empty == 1)
    }

    /// The metric on the validation rows; `None` without them.
    pub(super) fn metric(&self) -> Result<Option<f64>> {
        const CALL: &str = "measuring on validation rows";
        quiet();
        if !self.valid {
            return Ok(None);
        }
        let mut len: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetEvalCounts(self.booster.0, &mut len) }, CALL)?;
        let mut results = vec![f64::NAN; usize::try_from(len).unwrap_or(0)];
        // SAFETY: the buffer has the length that the library asked for.
        check(unsafe { sys::LGBM_BoosterGetEval(self.booster.0, 1, &mut len, results.as_mut_ptr()) }, CALL)?;
        Ok(results.first().copied())
    }

    /// The first `trees` trees as text.
    pub(super) fn text(&self, trees: usize) -> Result<String> {
        const CALL: &str = "writing a model as text";
        quiet();
        let trees = c_len(trees, CALL)?;
        let mut len: i64 = 0;
        let mut buffer: Vec<u8> = vec![0; 1 << 20];
        loop {
            // SAFETY: the buffer has the length said; the library writes only what fits whole.
            let code = unsafe {
                sys::LGBM_BoosterSaveModelToString(
                    self.booster.0,
                    0,
                    trees,
                    sys::C_API_FEATURE_IMPORTANCE_GAIN as c_int,
                    i64::try_from(buffer.len()).unwrap_or(i64::MAX),
                    &mut len,
                    buffer.as_mut_ptr().cast::<c_char>(),
                )
            };
            check(code, CALL)?;
            let needed = usize::try_from(len).unwrap_or(0);
            if needed <= buffer.len() {
                buffer.truncate(needed.saturating_sub(1));
                return String::from_utf8(buffer)
                    .map_err(|error| Error::Library { call: CALL, message: error.to_string() });
            }
            buffer.resize(needed, 0);
        }
    }
}

impl Booster {
    pub(super) fn from_text(text: &str) -> Result<Self> {
        const CALL: &str = "reading a model from text";
        quiet();
        let text = c_string(text, CALL)?;
        let mut handle: sys::BoosterHandle = ptr::null_mut();
        let mut iterations: c_int = 0;
        // SAFETY: a zero-terminated text, and places for a number and a handle.
        check(unsafe { sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &mut iterations, &mut handle) }, CALL)?;
        Ok(Self(handle))
    }

    pub(super) fn classes(&self) -> Result<usize> {
        let mut classes: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetNumClasses(self.0, &mut classes) }, "counting classes")?;
        Ok(usize::try_from(classes).unwrap_or(1).max(1))
    }

    pub(super) fn features(&self) -> Result<usize> {
        let mut features: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetNumFeature(self.0, &mut features) }, "counting features")?;
        Ok(usize::try_from(features).unwrap_or(0))
    }

    /// Total gain of the splits on each feature.
    pub(super) fn gains(&self) -> Result<Vec<f64>> {
        quiet();
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

    /// Predicts row-major `values` of as many columns as the model has features.
    pub(super) fn predict(&self, values: &[f64], rows: usize, kind: Predict, threads: usize) -> Result<Vec<f64>> {
        const CALL: &str = "predicting";
        quiet();
        let columns = self.features()?;
        if values.len() != rows * columns {
            return Err(Error::Rows { what: "values of a matrix", expected: rows * columns, found: values.len() });
        }
        let kind = match kind {
            Predict::Normal => sys::C_API_PREDICT_NORMAL,
            Predict::Raw => sys::C_API_PREDICT_RAW_SCORE,
            Predict::Contributions => sys::C_API_PREDICT_CONTRIB,
        } as c_int;
        let rows = c_len(rows, CALL)?;
        let mut len: i64 = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterCalcNumPredict(self.0, rows, kind, 0, 0, &mut len) }, CALL)?;
        let mut result = vec![0.0; usize::try_from(len).unwrap_or(0)];
        let parameters = c_string(&format!("num_threads={threads} verbosity=-1"), CALL)?;
        // SAFETY: `values` holds rows * columns numbers; `result` has the length asked for.
        let code = unsafe {
            sys::LGBM_BoosterPredictForMat(
                self.0,
                values.as_ptr().cast::<c_void>(),
                sys::C_API_DTYPE_FLOAT64 as c_int,
                rows,
                c_len(columns, CALL)?,
                1,
                kind,
                0,
                0,
                parameters.as_ptr(),
                &mut len,
                result.as_mut_ptr(),
            )
        };
        check(code, CALL)?;
        Ok(result)
    }
}

/// LightGBM's reader of Arrow data calls this function of nanoarrow, which lightgbm3-sys 1.0.11 builds
/// and does not link; a dylib with the name left open cannot be loaded. Nothing here hands LightGBM
/// Arrow data, so the function only says that it cannot: 95 is `EOPNOTSUPP`.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
extern "C" fn ArrowSchemaViewInit(_view: *mut c_void, _schema: *const c_void, _error: *mut c_void) -> std::ffi::c_int {
    95
}
