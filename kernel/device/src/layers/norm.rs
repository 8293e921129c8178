//! Rows -> the same, each brought to mean 0 and deviation 1, then by a gain and a shift of each column.

use super::taken;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// Written out: the gradient of candle's own layer norm is missing without a word.
pub(crate) struct LayerNorm {
    gain: Weights,
    shift: Weights,
    /// The rows before gain and shift, and one by the deviation of each.
    kept: Option<(Tensor, Tensor)>,
}

impl LayerNorm {
    pub(crate) fn new(feed: &mut Feed<'_>, width: usize) -> Result<Self> {
        Ok(Self { gain: feed.take(&[width])?, shift: feed.take(&[width])?, kept: None })
    }

    pub(crate) fn forward(&mut self, input: &Tensor, keep: bool) -> Result<Tensor> {
        let centred = input.broadcast_sub(&input.mean_keepdim(1)?)?;
        let scale = centred.sqr()?.mean_keepdim(1)?.affine(1.0, 1e-5)?.sqrt()?.recip()?;
        let normal = centred.broadcast_mul(&scale)?;
        let output = normal.broadcast_mul(&self.gain.values)?.broadcast_add(&self.shift.values)?;
        self.kept = keep.then_some((normal, scale));
        Ok(output)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (normal, scale) = taken(&mut self.kept)?;
        self.shift.add(gradient.sum(0)?)?;
        self.gain.add((gradient * &normal)?.sum(0)?)?;
        let gradient = gradient.broadcast_mul(&self.gain.values)?;
        let along = (&gradient * &normal)?.mean_keepdim(1)?;
        let gradient = gradient.broadcast_sub(&gradient.mean_keepdim(1)?)?;
        (gradient - normal.broadcast_mul(&along)?)?.broadcast_mul(&scale)
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 2] {
        [&mut self.gain, &mut self.shift]
    }
}
