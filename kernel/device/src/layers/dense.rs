//! Rows -> weighted sums of them; rectified; partly dropped.

use super::taken;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor};

/// `rows * weights + bias`.
pub(crate) struct Dense {
    weights: Weights,
    bias: Weights,
    input: Option<Tensor>,
}

impl Dense {
    pub(crate) fn new(feed: &mut Feed<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self::of(feed.take(&[inputs, outputs])?, feed.take(&[outputs])?))
    }

    pub(super) fn of(weights: Weights, bias: Weights) -> Self {
        Self { weights, bias, input: None }
    }

    pub(crate) fn forward(&mut self, input: Tensor, keep: bool) -> Result<Tensor> {
        let output = input.matmul(&self.weights.values)?.broadcast_add(&self.bias.values)?;
        self.input = keep.then_some(input);
        Ok(output)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        self.backward_here(gradient)?;
        gradient.matmul(&self.weights.values.t()?)
    }

    /// As [`Dense::backward`], without the gradient by the input.
    pub(crate) fn backward_here(&mut self, gradient: &Tensor) -> Result<()> {
        self.weights.add(taken(&mut self.input)?.t()?.matmul(gradient)?)?;
        self.bias.add(gradient.sum(0)?)
    }

    pub(crate) fn weights(&mut self) -> [&mut Weights; 2] {
        [&mut self.weights, &mut self.bias]
    }
}

/// What is above 0. What is no number stays none, so that it is noticed: candle's own rectifier makes it 0.
#[derive(Default)]
pub(crate) struct Relu {
    above: Option<Tensor>,
}

impl Relu {
    pub(crate) fn forward(&mut self, input: &Tensor, keep: bool) -> Result<Tensor> {
        let above = above(input)?;
        let output = (input * &above)?;
        self.above = keep.then_some(above);
        Ok(output)
    }

    pub(crate) fn backward(&mut self, gradient: &Tensor) -> Result<Tensor> {
        gradient * taken(&mut self.above)?
    }
}

/// 1 for numbers above 0, and 0.
pub(super) fn above(input: &Tensor) -> Result<Tensor> {
    input.sign()?.relu()
}

/// Multiplies with factors that the caller has drawn.
#[derive(Default)]
pub(crate) struct Dropout {
    factors: Option<Tensor>,
}

impl Dropout {
    pub(crate) fn forward(&mut self, input: Tensor, factors: Option<Tensor>) -> Result<Tensor> {
        self.factors = factors;
        match &self.factors {
            Some(factors) => input * factors,
            None => Ok(input),
        }
    }

    pub(crate) fn backward(&mut self, gradient: Tensor) -> Result<Tensor> {
        match self.factors.take() {
            Some(factors) => gradient * factors,
            None => Ok(gradient),
        }
    }
}
