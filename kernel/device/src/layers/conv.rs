//! Pictures -> sums over small windows of them, as one product over the windows laid out side by side.
//!
//! A picture is line after line, pixel after pixel, its channels together. Candle's own convolution has a slow gradient by
//! the input, on the processor and on CUDA alike.

use super::taken;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// A weighted sum over the window around each pixel, for each channel of the result; outside of the picture is 0.
pub(crate) struct Conv {
    /// Lines and pixels of the window, odd.
    window: (usize, usize),
    channels: usize,
    weights: Weights,
    bias: Weights,
    windows: Option<Tensor>,
    /// Whether a layer before this one learns.
    inner: bool,
}

impl Conv {
    pub(crate) fn new(
        feed: &mut Feed<'_>,
        from: usize,
        window: (usize, usize),
        to: usize,
        inner: bool,
    ) -> Result<Self> {
        let weights = feed.take(&[window.0 * window.1 * from, to])?;
        Ok(Self { window, channels: from, weights, bias: feed.take(&[to])?, windows: None, inner })
    }

    /// Lines and pixels by which the window reaches beyond its middle.
    fn reach(&self) -> (usize, usize) {
        (self.window.0 / 2, self.window.1 / 2)
    }

    fn shifts(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (lines, pixels) = self.window;
        (0..lines).flat_map(move |line| (0..pixels).map(move |pixel| (line, pixel)))
    }

    /// Pictures, lines, pixels, channels.
    pub(crate) fn forward(&mut self, input: &Tensor, keep: bool) -> Result<Tensor> {
        let (pictures, height, width, channels) = input.dims4()?;
        let (up, left) = self.reach();
        let wide = input.pad_with_zeros(1, up, up)?.pad_with_zeros(2, left, left)?;
        let shifted = self.shifts().map(|(line, pixel)| wide.narrow(1, line, height)?.narrow(2, pixel, width));
        let windows = Tensor::cat(&shifted.collect::<Result<Vec<_>>>()?, 3)?;
        let windows = windows.reshape((pictures * height * width, self.window.0 * self.window.1 * channels))?;
        let output = windows.matmul(&self.weights.values)?.broadcast_add(&self.bias.values)?;
        let to = output.dim(1)?;
        self.windows = keep.then_some(windows);
        output.reshape((pictures, height, width, to))
    }

    /// None where no layer before this one learns.
    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (pictures, height, width, to) = gradient.dims4()?;
        let rows = gradient.reshape((pictures * height * width, to))?;
        self.weights.add(taken(&mut self.windows)?.t()?.matmul(&rows)?)?;
        self.bias.add(rows.sum(0)?)?;
        if !self.inner {
            return Ok(None);
        }
        let (up, left) = self.reach();
        let by_windows = rows.matmul(&self.weights.values.t()?)?;
        let by_windows =
            by_windows.reshape((pictures, height, width, self.window.0 * self.window.1 * self.channels))?;
        let mut sum: Option<Tensor> = None;
        for (number, (line, pixel)) in self.shifts().enumerate() {
            let part = by_windows.narrow(3, number * self.channels, self.channels)?;
            let part = part.pad_with_zeros(1, line, 2 * up - line)?.pad_with_zeros(2, pixel, 2 * left - pixel)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        let wide = taken(&mut sum)?;
        Ok(Some(wide.narrow(1, up, height)?.narrow(2, left, width)?.contiguous()?))
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 2] {
        [&mut self.weights, &mut self.bias]
    }
}
