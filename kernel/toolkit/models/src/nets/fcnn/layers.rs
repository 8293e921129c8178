//! The layers of a net, and how they learn from rows.

use crate::Result;
use crate::nets::dense::{Dense, Dropout, LayerNorm, Relu};
use crate::nets::device::{Batch, Batches, Form, Remote, said};
use crate::nets::front::{Encoder, Front, Inputs};
use crate::nets::goal::Goal;
use crate::nets::layer::{Layer, Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::real::Real;
use crate::nets::training::Learner;
use crate::nets::weights::{Net, in_blocks};
use crate::random::Random;
use serde_json::json;

/// Rows that are scored at a time.
pub(super) const SCORED: usize = 1024;

/// Rows that are scored at a time on a device.
pub(super) const SCORED_THERE: usize = 16 * SCORED;

/// The net as a device knows it.
pub(super) fn form(encoder: &Encoder, hidden: &[usize], layer_norm: bool, goal: Goal) -> Form {
    let (numbers, tables) = (encoder.numbers(), encoder.embeddings());
    let layers = json!({"numbers": numbers, "tables": tables, "hidden": hidden, "layer_norm": layer_norm});
    Form::new(json!({"fcnn": layers}), goal)
}

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

    /// What dropout multiplies with in a pass over so many rows, layer after layer.
    fn drawn(&self, rows: usize, random: &mut Random) -> Vec<T> {
        self.blocks.iter().flat_map(|block| block.dropout.drawn(rows * block.dense.outputs(), random)).collect()
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

/// Rows as a device takes them, without what was found in them.
pub(super) fn batch(inputs: &Inputs, rows: &[usize]) -> Batch {
    let (numbers, codes) = inputs.of(rows);
    Batch { rows: rows.len(), inputs: numbers, codes, ..Batch::default() }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
impl Batches for Rows {
    fn batch(&self, rows: &[usize], pass: &mut Pass) -> (Batch, f64) {
        let masks = self.net.drawn(rows.len(), &mut pass.random);
        let said = said(rows, &self.target, &self.weights);
        (Batch { masks, said, ..batch(&self.inputs, rows) }, rows.len() as f64)
    }

    fn valid_loss_of(&self, net: &mut Remote) -> Result<Option<f64>> {
        let Some((inputs, target, weights)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..target.len()).collect();
        let losses = net.in_blocks(&all, SCORED_THERE, &|rows| batch(inputs, rows), &|rows, mut sums| {
            let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            self.goal.loss(&mut sums, &of(target), &of(weights), 1.0)
        })?;
        Ok(Some(losses.iter().sum::<f64>() / target.len() as f64))
    }
}
