//! The gates of gated recurrent units: reset, keep, and what is new.
//!
//! The reset gate works on the product with the hidden state, as in cuDNN and PyTorch. The cell is the hidden state: the
//! part of it that is kept.

use super::steps::{Back, Gates, State};
use super::{gate, sigmoid, slope, slope_of_tanh};
use candle_core::{Result, Tensor};

pub(crate) struct Gru;

pub(crate) struct Step {
    reset: Tensor,
    keep: Tensor,
    news: Tensor,
    /// What the hidden state says of what is new, before the reset gate.
    recalled: Tensor,
    before: Tensor,
}

impl Gates for Gru {
    const COUNT: usize = 3;
    const BIAS: bool = true;
    type Step = Step;

    fn forward(of_input: &Tensor, of_hidden: &Tensor, State { cell: before, .. }: State) -> Result<(State, Step)> {
        let width = of_input.dim(1)? / Self::COUNT;
        let doors = sigmoid(&(of_input.narrow(1, 0, 2 * width)? + of_hidden.narrow(1, 0, 2 * width)?)?)?;
        let (reset, keep, recalled) = (gate(&doors, 0, width)?, gate(&doors, 1, width)?, gate(of_hidden, 2, width)?);
        let news = (of_input.narrow(1, 2 * width, width)? + (&reset * &recalled)?)?.tanh()?;
        // (1 - keep) * news + keep * before.
        let hidden = (&news + (&keep * (&before - &news)?)?)?;
        Ok((State { cell: hidden.clone(), hidden }, Step { reset, keep, news, recalled, before }))
    }

    fn backward(step: Step, by: State) -> Result<Back> {
        let Step { reset, keep, news, recalled, before } = step;
        let said = (by.hidden + by.cell)?;
        let kept = (&said * &keep)?;
        let by_news = ((&said - &kept)? * slope_of_tanh(&news)?)?;
        let by_keep = ((&said * (&before - &news)?)? * slope(&keep)?)?;
        let by_reset = ((&by_news * &recalled)? * slope(&reset)?)?;
        let of_hidden = Tensor::cat(&[&by_reset, &by_keep, &(&by_news * &reset)?], 1)?;
        Ok(Back { of_input: Tensor::cat(&[by_reset, by_keep, by_news], 1)?, of_hidden, cell: kept })
    }
}
