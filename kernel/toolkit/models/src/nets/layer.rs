//! What every layer of a net does: numbers forward, gradients backward, and weights that are shown to an optimiser.
//!
//! A layer works out its own gradients: there is no tape and no recursion, so that a sequence may be as long as it is.

use super::matrix::Matrix;
use super::real::Real;
use crate::random::Random;

/// Numbers that are learnt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Weights<T> {
    pub(crate) values: Vec<T>,
    /// As long as the values, or empty before the first pass backward.
    pub(crate) gradient: Vec<T>,
    /// Whether weight decay pulls them to 0: not biases and gains.
    pub(crate) decays: bool,
}

/// One way through a net.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Whether a pass backward follows: what it needs is kept, and dropout drops.
    pub(crate) training: bool,
    pub(crate) random: Random,
}

/// A layer between matrices of one row a case.
pub(crate) trait Layer<T: Real> {
    fn forward(&mut self, input: Matrix<T>, pass: &mut Pass) -> Matrix<T>;

    /// The gradient by the output of the last pass forward -> that by its input. Those by the weights are added up.
    fn backward(&mut self, gradient: Matrix<T>) -> Matrix<T>;

    /// Shows all weights, always in the same order.
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>));
}

impl Pass {
    /// Without a pass backward.
    pub(crate) fn scoring() -> Self {
        Self { training: false, random: Random::new(0) }
    }
}

impl<T: Real> Weights<T> {
    /// All the same, without decay.
    pub(crate) fn constant(length: usize, value: f64) -> Self {
        Self { values: vec![T::of(value); length], gradient: Vec::new(), decays: false }
    }

    /// Drawn evenly from `-bound` to `bound`.
    pub(crate) fn drawn(length: usize, bound: f64, random: &mut Random) -> Self {
        let values = (0..length).map(|_| T::of((2.0 * random.unit() - 1.0) * bound)).collect();
        Self { values, gradient: Vec::new(), decays: true }
    }

    /// The gradient, made where there was none yet.
    pub(crate) fn gradient(&mut self) -> &mut [T] {
        if self.gradient.is_empty() {
            self.gradient = vec![T::ZERO; self.values.len()];
        }
        &mut self.gradient
    }
}

/// The bound of evenly drawn weights behind which a rectifier keeps the spread: He et al., *Delving deep into
/// rectifiers*, 2015.
#[expect(clippy::cast_precision_loss, reason = "widths of layers are small")]
pub(crate) fn he(inputs: usize) -> f64 {
    (6.0 / inputs.max(1) as f64).sqrt()
}

/// The bound for gates: one by the root of the width, as is usual for recurrent layers.
#[expect(clippy::cast_precision_loss, reason = "widths of layers are small")]
pub(crate) fn by_width(width: usize) -> f64 {
    1.0 / (width.max(1) as f64).sqrt()
}
