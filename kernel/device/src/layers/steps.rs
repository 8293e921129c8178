//! A layer along sequences, and what it hands from one window of steps to the next.

use super::gru::Gru;
use super::lstm::Lstm;
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// What is remembered of each sequence that still goes on, the longest first.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) hidden: Tensor,
    pub(crate) cell: Tensor,
}

/// Rows lie step after step; each step has at most as many as the one before.
pub(crate) enum Along {
    Lstm(Lstm),
    Gru(Gru),
}

impl State {
    /// Of sequences that have not begun.
    pub(crate) fn new(place: &Place, sequences: usize, width: usize) -> Result<Self> {
        let none = place.zeros((sequences, width))?;
        Ok(Self { hidden: none.clone(), cell: none })
    }

    /// Of the first so many sequences.
    pub(super) fn first(&self, count: usize) -> Result<Self> {
        Ok(Self { hidden: self.hidden.narrow(0, 0, count)?, cell: self.cell.narrow(0, 0, count)? })
    }
}

/// Rows of sequences that ended at this step get a gradient of 0 from those after it.
pub(super) fn widened(gradient: Option<Tensor>, count: usize, like: &Tensor) -> Result<Tensor> {
    match gradient {
        None => like.zeros_like(),
        Some(gradient) => {
            let more = count - gradient.dim(0)?;
            if more > 0 { gradient.pad_with_zeros(0, 0, more) } else { Ok(gradient) }
        }
    }
}

impl Along {
    pub(crate) fn new(feed: &mut Feed<'_>, gru: bool, inputs: usize, width: usize) -> Result<Self> {
        Ok(if gru { Self::Gru(Gru::new(feed, inputs, width)?) } else { Self::Lstm(Lstm::new(feed, inputs, width)?) })
    }

    /// What the layer says after each row; the state is moved on. `counts` has the rows of each step.
    pub(crate) fn forward(&mut self, input: Tensor, counts: &[usize], state: &mut State, keep: bool) -> Result<Tensor> {
        match self {
            Self::Lstm(layer) => layer.forward(input, counts, state, keep),
            Self::Gru(layer) => layer.forward(input, counts, state, keep),
        }
    }

    /// Nothing goes back beyond the first step of the window.
    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        match self {
            Self::Lstm(layer) => layer.backward(gradient),
            Self::Gru(layer) => layer.backward(gradient),
        }
    }

    pub(crate) fn weights(&mut self) -> Vec<&mut Weights> {
        match self {
            Self::Lstm(layer) => layer.weights().into_iter().collect(),
            Self::Gru(layer) => layer.weights().into_iter().collect(),
        }
    }
}
