//! Gradients of all weights -> one step of all of them at once.
//!
//! Weights lie in one long tensor, of which the layers have views: a step is some fifteen operations on a device, however
//! many layers there are. The formulas are those of `kernel/toolkit/models/src/nets/optimiser.rs`. Candle's own optimisers
//! have no momentum, and nothing is clipped.

use crate::form::{Learning, Optimiser};
use crate::place::Place;
use crate::weights::Weights;
use candle_core::{DType, Result, Tensor};

/// All weights, and what the optimiser remembers of their gradients.
pub(crate) struct Memory {
    learning: Learning,
    steps: i32,
    all: Tensor,
    /// 1 where weight decay pulls to 0.
    decays: Tensor,
    first: Tensor,
    second: Tensor,
}

const FIRST: f64 = 0.9;
const SECOND: f64 = 0.999;
const SMALL: f64 = 1e-8;

/// All values, one list behind the other.
pub(crate) fn joined(all: &[&mut Weights]) -> Result<Tensor> {
    let flat = all.iter().map(|weights| weights.values.flatten_all()).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&flat, 0)
}

/// All gradients, one list behind the other; they are taken away.
pub(crate) fn gradients(all: &mut [&mut Weights]) -> Result<Tensor> {
    let flat = all.iter_mut().map(|weights| match weights.gradient.take() {
        Some(gradient) => gradient.flatten_all(),
        None => weights.values.zeros_like()?.flatten_all(),
    });
    Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)
}

/// Gives each list its part of all values.
pub(crate) fn share(values: &Tensor, all: &mut [&mut Weights]) -> Result<()> {
    let mut from = 0;
    for weights in all {
        let length = weights.values.elem_count();
        weights.values = values.narrow(0, from, length)?.reshape(weights.values.shape())?;
        from += length;
    }
    Ok(())
}

impl Memory {
    /// `decays` says it of each list, of these lengths.
    pub(crate) fn new(
        learning: Learning,
        all: &mut [&mut Weights],
        lengths: &[usize],
        decays: &[bool],
        place: &Place,
    ) -> Result<Self> {
        let mark = |(&length, &decays): (&usize, &bool)| vec![if decays { 1.0_f32 } else { 0.0 }; length];
        let marks: Vec<f32> = lengths.iter().zip(decays).flat_map(mark).collect();
        let values = joined(all)?;
        share(&values, all)?;
        let none = values.zeros_like()?;
        let decays = place.floats(&marks, marks.len())?;
        Ok(Self { learning, steps: 0, all: values, decays, first: none.clone(), second: none })
    }

    /// Moves all weights by their gradients with a step of length `rate`; how long the gradient was, as a number on the
    /// device.
    pub(crate) fn step(&mut self, rate: f64, all: &mut [&mut Weights]) -> Result<Tensor> {
        let mut gradient = gradients(all)?;
        let length = gradient.sqr()?.sum_all()?.to_dtype(DType::F64)?.sqrt()?;
        if let Some(most) = self.learning.clip {
            // min(1, most / length) = 1 - relu(1 - most / length); a length of 0 gives 1.
            let factor = length.recip()?.affine(-most, 1.0)?.relu()?.affine(-1.0, 1.0)?;
            gradient = gradient.broadcast_mul(&factor.to_dtype(gradient.dtype())?)?;
        }
        self.steps = self.steps.saturating_add(1);
        let (decay, moved) = match self.learning.optimiser {
            Optimiser::AdamW { decay } => {
                let (grown, grown_squares) = (1.0 - FIRST.powi(self.steps), 1.0 - SECOND.powi(self.steps));
                self.first = (self.first.affine(FIRST, 0.0)? + gradient.affine(1.0 - FIRST, 0.0)?)?;
                self.second = (self.second.affine(SECOND, 0.0)? + gradient.sqr()?.affine(1.0 - SECOND, 0.0)?)?;
                let root = self.second.affine(1.0 / grown_squares, 0.0)?.sqrt()?.affine(1.0, SMALL)?;
                (decay, (self.first.affine(rate / grown, 0.0)? / root)?)
            }
            Optimiser::Sgd { momentum, decay } => {
                self.first = (self.first.affine(momentum, 0.0)? + gradient)?;
                (decay, self.first.affine(rate, 0.0)?)
            }
        };
        let kept = if decay > 0.0 { (&self.all * self.decays.affine(-rate * decay, 1.0)?)? } else { self.all.clone() };
        self.all = (kept - moved)?;
        share(&self.all, all)?;
        Ok(length)
    }
}
