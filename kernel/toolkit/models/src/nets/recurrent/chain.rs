//! The layers of a net along sequences, and how it learns from them.

use super::params::{Gates, RecurrentParams};
use crate::Result;
use crate::nets::Sequences;
use crate::nets::dense::{Dense, Dropout};
use crate::nets::device::{Batch, Batches, Form, Remote, said};
use crate::nets::front::{Encoder, Front, Inputs};
use crate::nets::goal::Goal;
use crate::nets::layer::{Layer, Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::real::Real;
use crate::nets::steps::{Along, State, Steps};
use crate::nets::training::Learner;
use crate::nets::weights::{Net, in_blocks};
use crate::random::Random;
use serde_json::json;

/// Sequences that are scored at a time.
pub(super) const SCORED: usize = 64;

/// Sequences that are scored at a time on a device.
pub(super) const SCORED_THERE: usize = 8 * SCORED;

/// The net as a device knows it.
pub(super) fn form(encoder: &Encoder, (gru, width, layers): (bool, usize, usize), window: usize, goal: Goal) -> Form {
    let (numbers, tables) = (encoder.numbers(), encoder.embeddings());
    let own =
        json!({"numbers": numbers, "tables": tables, "gru": gru, "width": width, "layers": layers, "window": window});
    Form::new(json!({"recurrent": own}), goal)
}

/// Sequences with their inputs, and target and weight of each row.
pub(super) struct Cases<'a> {
    pub(super) goal: Goal,
    pub(super) sequences: &'a Sequences,
    pub(super) inputs: Inputs,
    /// Scaled.
    pub(super) target: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) per_key: bool,
}

/// Gets rows and what the net says of them; gives back the gradient where it wants one to go back.
type Each<'a, T> = &'a mut dyn FnMut(&[usize], Matrix<T>) -> Option<Matrix<T>>;

/// The layers.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Chain<T> {
    front: Front<T>,
    layers: Vec<Along<T>>,
    dropout: Dropout<T>,
    pub(super) score: Dense<T>,
}

impl<T: Real> Chain<T> {
    pub(in crate::nets) fn new(encoder: &Encoder, params: &RecurrentParams, seed: u64) -> Self {
        let form = (params.gates == Gates::Gru, params.width, params.layers);
        Self::of(encoder, form, params.training.dropout, seed)
    }

    pub(super) fn of(encoder: &Encoder, (gru, width, layers): (bool, usize, usize), dropout: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, 0);
        let front = Front::new(encoder.numbers(), &encoder.embeddings(), &mut random);
        let inputs = |layer: usize| if layer == 0 { front.width() } else { width };
        let layers = (0..layers).map(|layer| Along::new(gru, inputs(layer), width, &mut random)).collect();
        Self { front, layers, dropout: Dropout::new(dropout), score: Dense::small(width, 1, &mut random) }
    }

    /// Goes along sequences, the longest first, and calls `each` window after window.
    pub(in crate::nets) fn along(
        &mut self,
        inputs: &Inputs,
        sequences: &[&[usize]],
        window: usize,
        pass: &mut Pass,
        each: Each<'_, T>,
    ) {
        let (all, steps) = in_steps(sequences);
        let width = |layer: &Along<T>| State::new(sequences.len(), layer.width());
        let mut states: Vec<State<T>> = self.layers.iter().map(width).collect();
        let most = steps.counts.len();
        for from in (0..most).step_by(window.min(most).max(1)) {
            let to = from.saturating_add(window).min(most);
            let (rows, steps) = (&all[steps.starts[from]..steps.starts[to]], steps.window(from, to));
            let mut matrix = self.front.forward(inputs, rows, pass.training);
            for (layer, state) in self.layers.iter_mut().zip(&mut states) {
                matrix = layer.forward(matrix, &steps, state, pass);
            }
            matrix = self.dropout.forward(matrix, pass);
            if let Some(gradient) = each(rows, self.score.forward(matrix, pass)) {
                self.backward(gradient);
            }
        }
    }

    /// Numbers that a layer says of each row.
    fn width(&self) -> usize {
        self.layers.last().map_or(0, Along::width)
    }

    fn backward(&mut self, gradient: Matrix<T>) {
        let mut gradient = self.score.backward(gradient);
        gradient = self.dropout.backward(gradient);
        for layer in self.layers.iter_mut().rev() {
            gradient = layer.backward(&gradient);
        }
        self.front.backward(&gradient);
    }
}

impl<T: Real> Net<T> for Chain<T> {
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        self.front.weights(each);
        self.layers.iter_mut().for_each(|layer| layer.weights(each));
        self.score.weights(each);
    }
}

/// A net and the sequences that it learns from.
pub(super) struct Rows<'a> {
    pub(super) net: Chain<f32>,
    pub(super) window: usize,
    pub(super) train: Cases<'a>,
    pub(super) valid: Option<Cases<'a>>,
}

/// The rows of sequences, the longest first.
pub(super) fn by_length<'a>(sequences: &'a Sequences, which: &[usize]) -> Vec<&'a [usize]> {
    let mut rows: Vec<&[usize]> = which.iter().map(|&sequence| sequences.rows(sequence)).collect();
    rows.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    rows
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
impl Cases<'_> {
    /// How many losses sequences have.
    fn count(&self, sequences: &[&[usize]]) -> f64 {
        if self.per_key {
            sequences.len() as f64
        } else {
            sequences.iter().map(|rows| rows.len()).sum::<usize>() as f64
        }
    }

    /// The losses' sum; `sums` become the gradient of their mean over `count`.
    fn loss(&self, rows: &[usize], sums: &mut [f32], count: f64) -> f64 {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        self.goal.loss(sums, &of(&self.target), &of(&self.weights), count)
    }
}

impl Learner<f32> for Rows<'_> {
    fn learn(&mut self, cases: &[usize], pass: &mut Pass) -> Result<(f64, f64)> {
        let train = &self.train;
        let sequences = by_length(train.sequences, cases);
        let (mut loss, count) = (0.0, train.count(&sequences));
        self.net.along(&train.inputs, &sequences, self.window, pass, &mut |rows, mut sums| {
            loss += train.loss(rows, &mut sums.values, count);
            // Nothing is said of the windows before the last one where there is one target for each sequence.
            sums.values.iter().any(|&gradient| gradient != 0.0).then_some(sums)
        });
        Ok((loss, count))
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        let Some(valid) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..valid.sequences.len()).collect();
        let losses = in_blocks(&self.net, &all, SCORED, &|net, cases| {
            let sequences = by_length(valid.sequences, cases);
            let mut loss = 0.0;
            net.along(&valid.inputs, &sequences, self.window, &mut Pass::scoring(), &mut |rows, mut sums| {
                loss += valid.loss(rows, &mut sums.values, 1.0);
                None
            });
            vec![loss, valid.count(&sequences)]
        })?;
        let sum = |which: usize| losses.iter().map(|loss| loss[which]).sum::<f64>();
        Ok(Some(sum(0) / sum(1)))
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f32>)) {
        self.net.weights(each);
    }
}

/// Rows of sequences, the longest first, step after step.
pub(super) fn in_steps(sequences: &[&[usize]]) -> (Vec<usize>, Steps) {
    let lengths: Vec<usize> = sequences.iter().map(|rows| rows.len()).collect();
    let steps = Steps::of(&lengths);
    let of_step = |(step, &count): (usize, &usize)| sequences[..count].iter().map(move |sequence| sequence[step]);
    let rows = steps.counts.iter().enumerate().flat_map(of_step).collect();
    (rows, steps)
}

/// The same as a device takes them, without what was found in them.
pub(super) fn batch(inputs: &Inputs, (rows, steps): &(Vec<usize>, Steps)) -> Batch {
    let (numbers, codes) = inputs.of(rows);
    let count = |&count: &usize| u32::try_from(count).unwrap_or(u32::MAX);
    let places = steps.counts.iter().map(count).collect();
    Batch { rows: rows.len(), inputs: numbers, codes, places, ..Batch::default() }
}

impl Batches for Rows<'_> {
    fn batch(&self, cases: &[usize], pass: &mut Pass) -> (Batch, f64) {
        let train = &self.train;
        let sequences = by_length(train.sequences, cases);
        let rows = in_steps(&sequences);
        let masks = self.net.dropout.drawn(rows.0.len() * self.net.width(), &mut pass.random);
        let said = said(&rows.0, &train.target, &train.weights);
        (Batch { masks, said, ..batch(&train.inputs, &rows) }, train.count(&sequences))
    }

    fn valid_loss_of(&self, net: &mut Remote) -> Result<Option<f64>> {
        let Some(valid) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..valid.sequences.len()).collect();
        let batch = |cases: &[usize]| batch(&valid.inputs, &in_steps(&by_length(valid.sequences, cases)));
        let losses = net.in_blocks(&all, SCORED_THERE, &batch, &|cases, mut sums| {
            let (rows, _) = in_steps(&by_length(valid.sequences, cases));
            valid.loss(&rows, &mut sums, 1.0)
        })?;
        let count = valid.count(&by_length(valid.sequences, &all));
        Ok(Some(losses.iter().sum::<f64>() / count))
    }
}
