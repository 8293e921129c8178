//! The layers of a net, and how they learn from rows.

use crate::Result;
use crate::nets::dense::{Dense, Dropout, LayerNorm, Relu};
use crate::nets::front::{Encoder, Front, Inputs};
use crate::nets::goal::Goal;
use crate::nets::layer::{Layer, Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::real::Real;
use crate::nets::training::Learner;
use crate::nets::weights::{Net, in_blocks};
use crate::random::Random;

/// Rows that are scored at a time.
pub(super) const SCORED: usize = 1024;

/// One layer between inputs and score.
#[derive(Debug, Clone)]
struct Block<T> {
    dense: Dense<T>,
    norm: Option<LayerNorm<T>>,
    relu: Relu<T>,
    dropout: Dropout<T>,
}

/// The layers.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Mlp<T> {
    front: Front<T>,
    blocks: Vec<Block<T>>,
    pub(super) score: Dense<T>,
}

impl<T: Real> Mlp<T> {
    pub(in crate::nets) fn new(encoder: &Encoder, hidden: &[usize], layer_norm: bool, dropout: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, 0);
        let front = Front::new(encoder.numbers(), &encoder.embeddings(), &mut random);
        let mut width = front.width();
        let block = |&next: &usize| {
            let dense = Dense::new(std::mem::replace(&mut width, next), next, &mut random);
            let norm = layer_norm.then(|| LayerNorm::new(next));
            Block { dense, norm, relu: Relu::default(), dropout: Dropout::new(dropout) }
        };
        let blocks = hidden.iter().map(block).collect();
        Self { front, blocks, score: Dense::small(width, 1, &mut random) }
    }

    pub(in crate::nets) fn forward(&mut self, inputs: &Inputs, rows: &[usize], pass: &mut Pass) -> Matrix<T> {
        let mut matrix = self.front.forward(inputs, rows, pass.training);
        for Block { dense, norm, relu, dropout } in &mut self.blocks {
            matrix = dense.forward(matrix, pass);
            if let Some(norm) = norm {
                matrix = norm.forward(matrix, pass);
            }
            matrix = relu.forward(matrix, pass);
            matrix = dropout.forward(matrix, pass);
        }
        self.score.forward(matrix, pass)
    }

    pub(in crate::nets) fn backward(&mut self, gradient: Matrix<T>) {
        let mut gradient = self.score.backward(gradient);
        for (number, Block { dense, norm, relu, dropout }) in self.blocks.iter_mut().enumerate().rev() {
            gradient = dropout.backward(gradient);
            gradient = relu.backward(gradient);
            if let Some(norm) = norm {
                gradient = norm.backward(gradient);
            }
            if number == 0 && !self.front.learns() {
                dense.backward_here(&gradient);
                return;
            }
            gradient = dense.backward(gradient);
        }
        self.front.backward(&gradient);
    }
}

impl<T: Real> Net<T> for Mlp<T> {
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        self.front.weights(each);
        for Block { dense, norm, .. } in &mut self.blocks {
            dense.weights(each);
            norm.iter_mut().for_each(|norm| norm.weights(each));
        }
        self.score.weights(each);
    }
}

/// A net and the rows that it learns from.
pub(super) struct Rows {
    pub(super) net: Mlp<f32>,
    pub(super) goal: Goal,
    pub(super) inputs: Inputs,
    /// Scaled, as those of the validation rows.
    pub(super) target: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) valid: Option<(Inputs, Vec<f64>, Vec<f64>)>,
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
impl Learner<f32> for Rows {
    fn learn(&mut self, cases: &[usize], pass: &mut Pass) -> Result<(f64, f64)> {
        let mut sums = self.net.forward(&self.inputs, cases, pass);
        let of = |values: &[f64]| cases.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let loss = self.goal.loss(&mut sums.values, &of(&self.target), &of(&self.weights), cases.len() as f64);
        self.net.backward(sums);
        Ok((loss, cases.len() as f64))
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        let Some((inputs, target, weights)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..target.len()).collect();
        let losses = in_blocks(&self.net, &all, SCORED, &|net, rows| {
            let mut sums = net.forward(inputs, rows, &mut Pass::scoring());
            let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            vec![self.goal.loss(&mut sums.values, &of(target), &of(weights), 1.0)]
        })?;
        Ok(Some(losses.into_iter().flatten().sum::<f64>() / target.len() as f64))
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f32>)) {
        self.net.weights(each);
    }
}
