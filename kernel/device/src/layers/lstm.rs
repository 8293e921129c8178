//! Sequences -> what a long short-term memory says after each step.
//!
//! Gates of a row stand one behind the other: in, forget, out, and what is to be remembered.

use super::steps::{State, widened};
use super::{sigmoid, slope, slope_of_tanh, taken};
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

pub(crate) struct Lstm {
    width: usize,
    of_input: Weights,
    of_hidden: Weights,
    bias: Weights,
    kept: Option<(Tensor, Vec<Step>)>,
}

/// What the pass backward needs of one step.
struct Step {
    /// In, forget, out.
    doors: [Tensor; 3],
    news: Tensor,
    /// The cell through tanh.
    bent: Tensor,
    before: State,
}

impl Lstm {
    pub(super) fn new(feed: &mut Feed<'_>, inputs: usize, width: usize) -> Result<Self> {
        Ok(Self {
            width,
            of_input: feed.take(&[inputs, 4 * width])?,
            of_hidden: feed.take(&[width, 4 * width])?,
            bias: feed.take(&[4 * width])?,
            kept: None,
        })
    }

    pub(super) fn forward(&mut self, input: Tensor, counts: &[usize], state: &mut State, keep: bool) -> Result<Tensor> {
        let width = self.width;
        let gates = input.matmul(&self.of_input.values)?.broadcast_add(&self.bias.values)?;
        let (mut said, mut steps, mut from) = (Vec::with_capacity(counts.len()), Vec::new(), 0);
        for &count in counts {
            let before = state.first(count)?;
            let gates = (gates.narrow(0, from, count)? + before.hidden.matmul(&self.of_hidden.values)?)?;
            let doors = sigmoid(&gates.narrow(1, 0, 3 * width)?)?;
            let door = |which: usize| doors.narrow(1, which * width, width)?.contiguous();
            let doors = [door(0)?, door(1)?, door(2)?];
            let news = gates.narrow(1, 3 * width, width)?.tanh()?;
            let cell = ((&doors[1] * &before.cell)? + (&doors[0] * &news)?)?;
            let bent = cell.tanh()?;
            let hidden = (&doors[2] * &bent)?;
            said.push(hidden.clone());
            *state = State { hidden, cell };
            if keep {
                steps.push(Step { doors, news, bent, before });
            }
            from += count;
        }
        self.kept = keep.then_some((input, steps));
        Tensor::cat(&said, 0)
    }

    pub(super) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (input, steps) = taken(&mut self.kept)?;
        let back = self.of_hidden.values.t()?.contiguous()?;
        let (mut by_hidden, mut by_cell, mut from) = (None, None, gradient.dim(0)?);
        let (mut by_gates, mut past) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
        for Step { doors: [open, keep, out], news, bent, before } in steps.into_iter().rev() {
            let count = bent.dim(0)?;
            from -= count;
            let said = (gradient.narrow(0, from, count)? + widened(by_hidden.take(), count, &bent)?)?;
            let of_cell = (widened(by_cell.take(), count, &bent)? + ((&said * &out)? * slope_of_tanh(&bent)?)?)?;
            let parts = [
                ((&of_cell * &news)? * slope(&open)?)?,
                ((&of_cell * &before.cell)? * slope(&keep)?)?,
                ((&said * &bent)? * slope(&out)?)?,
                ((&of_cell * &open)? * slope_of_tanh(&news)?)?,
            ];
            let gates = Tensor::cat(&parts, 1)?;
            by_hidden = Some(gates.matmul(&back)?);
            by_cell = Some((of_cell * keep)?);
            by_gates.push(gates);
            past.push(before.hidden);
        }
        by_gates.reverse();
        past.reverse();
        let (gates, past) = (Tensor::cat(&by_gates, 0)?, Tensor::cat(&past, 0)?);
        self.of_input.add(input.t()?.matmul(&gates)?)?;
        self.of_hidden.add(past.t()?.matmul(&gates)?)?;
        self.bias.add(gates.sum(0)?)?;
        gates.matmul(&self.of_input.values.t()?)
    }

    pub(super) fn weights(&mut self) -> [&mut Weights; 3] {
        [&mut self.of_input, &mut self.of_hidden, &mut self.bias]
    }
}
