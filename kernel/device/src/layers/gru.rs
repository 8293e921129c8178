//! Sequences -> what gated recurrent units say after each step.
//!
//! Gates of a row stand one behind the other: reset, keep, and what is new. The reset gate works on the product with the
//! hidden state, as in cuDNN and PyTorch.

use super::steps::{State, widened};
use super::{sigmoid, slope, slope_of_tanh, taken};
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

pub(crate) struct Gru {
    width: usize,
    of_input: Weights,
    of_hidden: Weights,
    bias: Weights,
    bias_of_hidden: Weights,
    kept: Option<(Tensor, Vec<Step>)>,
}

/// What the pass backward needs of one step.
struct Step {
    reset: Tensor,
    keep: Tensor,
    news: Tensor,
    /// What the hidden state says of what is new, before the reset gate.
    recalled: Tensor,
    before: Tensor,
}

impl Gru {
    pub(super) fn new(feed: &mut Feed<'_>, inputs: usize, width: usize) -> Result<Self> {
        Ok(Self {
            width,
            of_input: feed.take(&[inputs, 3 * width])?,
            of_hidden: feed.take(&[width, 3 * width])?,
            bias: feed.take(&[3 * width])?,
            bias_of_hidden: feed.take(&[3 * width])?,
            kept: None,
        })
    }

    pub(super) fn forward(&mut self, input: Tensor, counts: &[usize], state: &mut State, keep: bool) -> Result<Tensor> {
        let width = self.width;
        let gates = input.matmul(&self.of_input.values)?.broadcast_add(&self.bias.values)?;
        let (mut said, mut steps, mut from) = (Vec::with_capacity(counts.len()), Vec::new(), 0);
        for &count in counts {
            let before = state.first(count)?.hidden;
            let of_hidden = before.matmul(&self.of_hidden.values)?.broadcast_add(&self.bias_of_hidden.values)?;
            let gates = gates.narrow(0, from, count)?;
            let doors = sigmoid(&(gates.narrow(1, 0, 2 * width)? + of_hidden.narrow(1, 0, 2 * width)?)?)?;
            let (open, stay) = (doors.narrow(1, 0, width)?.contiguous()?, doors.narrow(1, width, width)?.contiguous()?);
            let recalled = of_hidden.narrow(1, 2 * width, width)?.contiguous()?;
            let news = (gates.narrow(1, 2 * width, width)? + (&open * &recalled)?)?.tanh()?;
            // (1 - keep) * news + keep * before.
            let hidden = (&news + (&stay * (&before - &news)?)?)?;
            said.push(hidden.clone());
            *state = State { cell: hidden.clone(), hidden };
            if keep {
                steps.push(Step { reset: open, keep: stay, news, recalled, before });
            }
            from += count;
        }
        self.kept = keep.then_some((input, steps));
        Tensor::cat(&said, 0)
    }

    pub(super) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (input, steps) = taken(&mut self.kept)?;
        let back = self.of_hidden.values.t()?.contiguous()?;
        let (mut by_hidden, mut from) = (None, gradient.dim(0)?);
        let (mut by_gates, mut by_recalled, mut past) = (Vec::new(), Vec::new(), Vec::new());
        for Step { reset, keep, news, recalled, before } in steps.into_iter().rev() {
            let count = news.dim(0)?;
            from -= count;
            let said = (gradient.narrow(0, from, count)? + widened(by_hidden.take(), count, &news)?)?;
            let by_news = ((&said - (&said * &keep)?)? * slope_of_tanh(&news)?)?;
            let by_keep = ((&said * (&before - &news)?)? * slope(&keep)?)?;
            let by_reset = ((&by_news * &recalled)? * slope(&reset)?)?;
            let of_hidden = Tensor::cat(&[&by_reset, &by_keep, &(&by_news * &reset)?], 1)?;
            by_hidden = Some(((&said * &keep)? + of_hidden.matmul(&back)?)?);
            by_gates.push(Tensor::cat(&[&by_reset, &by_keep, &by_news], 1)?);
            by_recalled.push(of_hidden);
            past.push(before);
        }
        for list in [&mut by_gates, &mut by_recalled, &mut past] {
            list.reverse();
        }
        let (gates, recalled) = (Tensor::cat(&by_gates, 0)?, Tensor::cat(&by_recalled, 0)?);
        self.of_input.add(input.t()?.matmul(&gates)?)?;
        self.of_hidden.add(Tensor::cat(&past, 0)?.t()?.matmul(&recalled)?)?;
        self.bias.add(gates.sum(0)?)?;
        self.bias_of_hidden.add(recalled.sum(0)?)?;
        gates.matmul(&self.of_input.values.t()?)
    }

    pub(super) fn weights(&mut self) -> [&mut Weights; 4] {
        [&mut self.of_input, &mut self.of_hidden, &mut self.bias, &mut self.bias_of_hidden]
    }
}
