//! A net in the library: batches -> steps, losses and scores; and its weights back.

use super::library::{Functions, List, Rows, Wrong, hinted, library};
use super::{Device, Form};
use crate::nets::layer::Weights;
use crate::nets::training::Training;
use crate::{Error, Result};
use haetae_display::stop;
use std::ffi::c_void;

/// Rows of a batch, as the library takes them (`kernel/device/src/batch.rs`). Which lists are full depends on the net.
#[derive(Debug, Clone, Default)]
pub(in crate::nets) struct Batch {
    pub(in crate::nets) rows: usize,
    /// Numbers of each row, or its picture.
    pub(in crate::nets) inputs: Vec<f32>,
    /// Places of each row in the tables.
    pub(in crate::nets) codes: Vec<u32>,
    /// Leaves of each row; or how many rows each step has.
    pub(in crate::nets) places: Vec<u32>,
    /// What dropout multiplies with.
    pub(in crate::nets) masks: Vec<f32>,
    /// Head after head, targets and weights.
    pub(in crate::nets) said: Vec<f32>,
}

/// Targets and weights of some rows, of one head.
pub(in crate::nets) fn said(rows: &[usize], target: &[f64], weights: &[f64]) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "nets reckon in f32")]
    [target, weights].iter().flat_map(|values| rows.iter().map(|&row| values[row] as f32)).collect()
}

impl Batch {
    fn rows(&self) -> Rows {
        Rows {
            rows: self.rows,
            inputs: List::of(&self.inputs),
            codes: List::of(&self.codes),
            places: List::of(&self.places),
            masks: List::of(&self.masks),
            said: List::of(&self.said),
        }
    }
}

/// Calls what it is given with each list of weights.
type All<'a> = &'a mut dyn FnMut(&mut dyn FnMut(&mut Weights<f32>));

/// A net on a device.
#[derive(Debug)]
pub(in crate::nets) struct Remote {
    functions: &'static Functions,
    device: Device,
    net: *mut c_void,
    size: usize,
    heads: usize,
}

// SAFETY: the library lets a net be used by any thread, by one at a time; nothing here shares it.
unsafe impl Send for Remote {}

impl Remote {
    /// A net with the first weights that `all` shows one list after the other, which learns where there is a training.
    /// None for our own layers.
    pub(super) fn new(
        device: Option<Device>,
        form: &Form,
        training: Option<&Training>,
        all: All<'_>,
    ) -> Result<Option<Self>> {
        let device = device.unwrap_or_else(Device::chosen);
        let Some(name) = device.in_library() else { return Ok(None) };
        let functions = library().map_err(|reason| Error::Device { device: device.to_string(), reason })?;
        let (mut weights, mut decays) = (Vec::new(), Vec::new());
        all(&mut |list| {
            weights.extend_from_slice(&list.values);
            decays.push(list.decays);
        });
        let text = form.json(&decays, training);
        let mut net = std::ptr::null_mut();
        // SAFETY: texts and numbers live as long as the call, which writes one pointer.
        let made = unsafe {
            (functions.net)(List::of(name.as_bytes()), List::of(text.as_bytes()), List::of(&weights), &raw mut net)
        };
        functions.check(made).map_err(|wrong| error(device, wrong))?;
        Ok(Some(Self { functions, device, net, size: weights.len(), heads: form.heads.len() }))
    }

    fn check(&self, number: i32) -> Result<()> {
        self.functions.check(number).map_err(|wrong| error(self.device, wrong))
    }

    /// A step of length `rate` along the gradient of the losses' sum by `of`.
    pub(super) fn step(&mut self, batch: &Batch, rate: f64, of: f64) -> Result<()> {
        // SAFETY: the net is there, and the lists live as long as the call.
        self.check(unsafe { (self.functions.step)(self.net, batch.rows(), rate, of) })
    }

    /// The sum of all losses since the last call, and that of the lengths of all gradients.
    pub(super) fn losses(&mut self) -> Result<[f64; 2]> {
        let mut sums = [0.0; 2];
        // SAFETY: the net is there, and there is room for two numbers.
        self.check(unsafe { (self.functions.losses)(self.net, sums.as_mut_ptr()) })?;
        Ok(sums)
    }

    /// The sums of the last layers, head after head.
    fn score(&mut self, batch: &Batch) -> Result<Vec<f32>> {
        let mut sums = vec![0.0; batch.rows * self.heads];
        // SAFETY: the net is there, the lists live as long as the call, and there is room for as many numbers as it is told.
        self.check(unsafe { (self.functions.score)(self.net, batch.rows(), sums.as_mut_ptr(), sums.len()) })?;
        Ok(sums)
    }

    /// What `each` makes of the sums of each block of cases.
    pub(in crate::nets) fn in_blocks<R>(
        &mut self,
        cases: &[usize],
        block: usize,
        batch: &dyn Fn(&[usize]) -> Batch,
        each: &dyn Fn(&[usize], Vec<f32>) -> R,
    ) -> Result<Vec<R>> {
        let one = |(number, own): (usize, &[usize])| {
            if stop::requested() {
                return Err(Error::Cancelled { what: "scores", done: number * block, of: cases.len() });
            }
            Ok(each(own, self.score(&batch(own))?))
        };
        cases.chunks(block).enumerate().map(one).collect()
    }

    /// All weights, one list behind the other.
    pub(super) fn weights(&mut self) -> Result<Vec<f32>> {
        let mut weights = vec![0.0; self.size];
        // SAFETY: the net is there, and there is room for as many numbers as it is told.
        self.check(unsafe { (self.functions.weights)(self.net, weights.as_mut_ptr(), weights.len()) })?;
        Ok(weights)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // SAFETY: the net is there, and is used no more.
        unsafe { (self.functions.free)(self.net) };
    }
}

fn error(device: Device, wrong: Wrong) -> Error {
    let device = device.to_string();
    match wrong {
        Wrong { full: true, reason } => Error::DeviceMemory { device, reason },
        Wrong { full: false, reason } => Error::Device { device, reason: hinted(reason) },
    }
}
