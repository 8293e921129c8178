//! A model that grows tree by tree.

use super::{Booster, Dataset, Entry, c_len, c_string, check};
use crate::{Error, Result};
use lightgbm3_sys as sys;
use std::ffi::{c_char, c_int};
use std::ptr;

/// A model that learns: it borrows the data sets, whose memory the library goes on reading.
#[derive(Debug)]
pub(in crate::lightgbm) struct Learner<'a> {
    booster: Booster,
    threads: usize,
    valid: bool,
    _data: std::marker::PhantomData<&'a Dataset>,
}

impl<'a> Learner<'a> {
    pub(in crate::lightgbm) fn new(train: &'a Dataset, valid: Option<&'a Dataset>, parameters: &str) -> Result<Self> {
        const CALL: &str = "making a model";
        let threads = train.threads;
        let _entry = Entry::with(threads);
        let parameters = c_string(parameters, CALL)?;
        let mut handle: sys::BoosterHandle = ptr::null_mut();
        // SAFETY: `train` outlives the learner by the lifetime above.
        check(unsafe { sys::LGBM_BoosterCreate(train.handle, parameters.as_ptr(), &mut handle) }, CALL)?;
        let booster = Booster(handle);
        if let Some(valid) = valid {
            // SAFETY: `valid` outlives the learner by the lifetime above.
            check(unsafe { sys::LGBM_BoosterAddValidData(booster.0, valid.handle) }, "adding validation rows")?;
        }
        Ok(Self { booster, threads, valid: valid.is_some(), _data: std::marker::PhantomData })
    }

    /// Grows one more tree (one a class); true where there was nothing left to split.
    pub(in crate::lightgbm) fn step(&mut self) -> Result<bool> {
        let _entry = Entry::with(self.threads);
        let mut empty: c_int = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterUpdateOneIter(self.booster.0, &mut empty) }, "growing a tree")?;
        Ok(empty == 1)
    }

    /// The raw scores of the training rows by the trees so far.
    pub(in crate::lightgbm) fn scores(&self) -> Result<Vec<f64>> {
        const CALL: &str = "scoring training rows";
        let _entry = Entry::with(self.threads);
        let mut scores = vec![0.0; self.rows()?];
        let mut len: i64 = 0;
        // SAFETY: the buffer has the length that the library asked for.
        check(unsafe { sys::LGBM_BoosterGetPredict(self.booster.0, 0, &mut len, scores.as_mut_ptr()) }, CALL)?;
        Ok(scores)
    }

    /// Training rows: each has one score.
    fn rows(&self) -> Result<usize> {
        let mut len: i64 = 0;
        // SAFETY: a live handle and a place for one number.
        check(unsafe { sys::LGBM_BoosterGetNumPredict(self.booster.0, 0, &mut len) }, "counting training rows")?;
        Ok(usize::try_from(len).unwrap_or(0))
    }

    /// As [`Learner::step`], by a gradient and a curvature for each training row.
    pub(in crate::lightgbm) fn step_along(&mut self, gradients: &[f32], curvatures: &[f32]) -> Result<bool> {
        const CALL: &str = "growing a tree";
        let _entry = Entry::with(self.threads);
        let rows = self.rows()?;
        for (what, found) in [("gradients", gradients.len()), ("curvatures", curvatures.len())] {
            if found != rows {
                return Err(Error::Rows { what, expected: rows, found });
            }
        }
        let mut empty: c_int = 0;
        // SAFETY: both hold as many numbers as the library reads, one for each training row.
        let code = unsafe {
            sys::LGBM_BoosterUpdateOneIterCustom(self.booster.0, gradients.as_ptr(), curvatures.as_ptr(), &mut empty)
        };
        check(code, CALL)?;
        Ok(empty == 1)
    }

    /// The metric on the validation rows; `None` without them.
    pub(in crate::lightgbm) fn metric(&self) -> Result<Option<f64>> {
        const CALL: &str = "measuring on validation rows";
        let _entry = Entry::with(self.threads);
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

    /// The first `trees` trees as text; its parameters name the threads on which they were grown.
    pub(in crate::lightgbm) fn text(&self, trees: usize) -> Result<String> {
        const CALL: &str = "writing a model as text";
        let _entry = Entry::with(self.threads);
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
                let text = String::from_utf8(buffer)
                    .map_err(|error| Error::Library { call: CALL, message: error.to_string() })?;
                // As it was not told, the library has written none.
                let threads = format!("\n[num_threads: {}]\n", self.threads);
                return Ok(text.replacen("\n[num_threads: 0]\n", &threads, 1));
            }
            buffer.resize(needed, 0);
        }
    }
}
