//! The gates of a long short-term memory: in, forget, out, and what is to be remembered.

use super::steps::{Back, Gates, State};
use super::{gate, sigmoid, slope, slope_of_tanh};
use candle_core::{Result, Tensor};

pub(crate) struct Lstm;

pub(crate) struct Step {
    /// In, forget, out.
    doors: [Tensor; 3],
    news: Tensor,
    /// The cell through tanh.
    bent: Tensor,
    /// The cell before.
    cell: Tensor,
}

impl Gates for Lstm {
    const COUNT: usize = 4;
    const BIAS: bool = false;
    type Step = Step;

    fn forward(of_input: &Tensor, of_hidden: &Tensor, before: State) -> Result<(State, Step)> {
        let gates = (of_input + of_hidden)?;
        let width = gates.dim(1)? / Self::COUNT;
        let doors = sigmoid(&gates.narrow(1, 0, 3 * width)?)?;
        let doors = [gate(&doors, 0, width)?, gate(&doors, 1, width)?, gate(&doors, 2, width)?];
        let news = gates.narrow(1, 3 * width, width)?.tanh()?;
        let cell = ((&doors[1] * &before.cell)? + (&doors[0] * &news)?)?;
        let bent = cell.tanh()?;
        let hidden = (&doors[2] * &bent)?;
        Ok((State { hidden, cell }, Step { doors, news, bent, cell: before.cell }))
    }

    fn backward(step: Step, by: State) -> Result<Back> {
        let Step { doors: [open, keep, out], news, bent, cell } = step;
        let of_cell = (by.cell + ((&by.hidden * &out)? * slope_of_tanh(&bent)?)?)?;
        let parts = [
            ((&of_cell * &news)? * slope(&open)?)?,
            ((&of_cell * &cell)? * slope(&keep)?)?,
            ((&by.hidden * &bent)? * slope(&out)?)?,
            ((&of_cell * &open)? * slope_of_tanh(&news)?)?,
        ];
        let gates = Tensor::cat(&parts, 1)?;
        Ok(Back { of_input: gates.clone(), of_hidden: gates, cell: (of_cell * keep)? })
    }
}
