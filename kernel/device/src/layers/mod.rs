//! Layers: tensors forward, gradients backward. What a pass backward needs is kept where the pass forward is told to.
//!
//! The formulas are those of `kernel/toolkit/models/src/nets`, layer by layer.

mod attention;
mod conv;
mod dense;
mod focus;
mod front;
mod gru;
mod lstm;
mod norm;
mod pool;
mod steps;

pub(crate) use attention::SelfAttention;
pub(crate) use conv::Conv;
pub(crate) use dense::{Dense, Dropout, Relu};
pub(crate) use focus::Focus;
pub(crate) use front::{Front, Table};
#[cfg(test)]
pub(crate) use front::{by_index, by_product};
pub(crate) use gru::Gru;
pub(crate) use lstm::Lstm;
pub(crate) use norm::LayerNorm;
pub(crate) use pool::{Mean, Pool};
pub(crate) use steps::{Along, Gates, State};

use candle_core::{D, Result, Tensor, bail};

/// What was kept by the last pass forward.
fn taken<T>(kept: &mut Option<T>) -> Result<T> {
    match kept.take() {
        Some(kept) => Ok(kept),
        None => bail!("a pass backward without one forward"),
    }
}

/// `1 / (1 + exp(-x))`.
pub(crate) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    x.neg()?.exp()?.affine(1.0, 1.0)?.recip()
}

/// The last numbers of each row to shares that sum to 1.
fn softmax(x: &Tensor) -> Result<Tensor> {
    let grown = x.broadcast_sub(&x.max_keepdim(D::Minus1)?)?.exp()?;
    grown.broadcast_div(&grown.sum_keepdim(D::Minus1)?)
}

/// The gradient by shares -> that by what they were made of.
fn by_scores(gradient: &Tensor, shares: &Tensor) -> Result<Tensor> {
    let along = (gradient * shares)?.sum_keepdim(D::Minus1)?;
    gradient.broadcast_sub(&along)? * shares
}

/// One of the gates of each row, which stand one behind the other.
fn gate(gates: &Tensor, which: usize, width: usize) -> Result<Tensor> {
    gates.narrow(1, which * width, width)?.contiguous()
}

/// `s * (1 - s)`: how a sigmoid that says `s` grows.
fn slope(said: &Tensor) -> Result<Tensor> {
    said - said.sqr()?
}

/// `1 - t^2`: how a tanh that says `t` grows.
fn slope_of_tanh(said: &Tensor) -> Result<Tensor> {
    said.sqr()?.affine(-1.0, 1.0)
}
