//! Pictures -> the greatest number of each window, or the mean of each channel.
//!
//! The greatest is found by comparing the numbers of a window one after the other: the first of equal ones gets the whole
//! gradient. Candle's own pool gives a gradient that is too small by the size of the window.

use super::taken;
use candle_core::{Result, Tensor};

/// Windows do not overlap; at the right and the lower edge they may be smaller.
pub(crate) struct Pool {
    window: (usize, usize),
    /// For each number of a window but the first, where it was greater than all before it; and the size of the pictures.
    kept: Option<(Vec<Tensor>, (usize, usize))>,
}

impl Pool {
    pub(crate) fn greatest(window: (usize, usize)) -> Self {
        Self { window, kept: None }
    }

    pub(crate) fn forward(&mut self, input: &Tensor, keep: bool) -> Result<Tensor> {
        let (pictures, height, width, channels) = input.dims4()?;
        let (lines, pixels) = self.window;
        let (down, across) = (height.div_ceil(lines), width.div_ceil(pixels));
        // A copy of the last line or pixel is never greater than it.
        let whole = input.pad_with_same(1, 0, down * lines - height)?.pad_with_same(2, 0, across * pixels - width)?;
        let whole = whole.contiguous()?.reshape(vec![pictures, down, lines, across, pixels, channels])?;
        let number = |line: usize, pixel: usize| {
            whole.narrow(2, line, 1)?.narrow(4, pixel, 1)?.contiguous()?.reshape((pictures, down, across, channels))
        };
        let (mut best, mut greater) = (number(0, 0)?, Vec::new());
        for place in 1..lines * pixels {
            let other = number(place / pixels, place % pixels)?;
            let above = other.gt(&best)?;
            best = above.where_cond(&other, &best)?;
            greater.push(above);
        }
        self.kept = keep.then_some((greater, (height, width)));
        Ok(best)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (greater, (height, width)) = taken(&mut self.kept)?;
        let (pictures, down, across, channels) = gradient.dims4()?;
        let (lines, pixels) = self.window;
        let none = gradient.zeros_like()?;
        let (mut parts, mut rest) = (Vec::with_capacity(lines * pixels), gradient.contiguous()?);
        // The last that was greater than all before it has won.
        for above in greater.iter().rev() {
            parts.push(above.where_cond(&rest, &none)?);
            rest = above.where_cond(&none, &rest)?;
        }
        parts.push(rest);
        parts.reverse();
        let line = |parts: &[Tensor]| Tensor::stack(parts, 3);
        let stacked = parts.chunks(pixels).map(line).collect::<Result<Vec<_>>>()?;
        let whole = Tensor::stack(&stacked, 2)?.reshape((pictures, down * lines, across * pixels, channels))?;
        whole.narrow(1, 0, height)?.narrow(2, 0, width)?.contiguous()
    }
}

/// The mean of each channel over the whole picture.
#[derive(Default)]
pub(crate) struct Mean {
    size: (usize, usize),
}

impl Mean {
    pub(crate) fn forward(&mut self, input: &Tensor) -> Result<Tensor> {
        let (pictures, height, width, channels) = input.dims4()?;
        self.size = (height, width);
        input.reshape((pictures, height * width, channels))?.mean_keepdim(1)?.reshape((pictures, 1, 1, channels))
    }

    #[expect(clippy::cast_precision_loss, reason = "pictures are small")]
    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (pictures, _, _, channels) = gradient.dims4()?;
        let (height, width) = self.size;
        let share = gradient.affine(1.0 / (height * width) as f64, 0.0)?;
        share.broadcast_as((pictures, height, width, channels))?.contiguous()
    }
}
