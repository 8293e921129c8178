//! The layers of a net over pictures, and how they learn from them.

use crate::Result;
use crate::nets::Pictures;
use crate::nets::dense::{Dense, Dropout, Relu};
use crate::nets::device::{self, Batch, Batches, Remote, said};
use crate::nets::goal::Goal;
use crate::nets::layer::{Layer, Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::picture::{Conv, Pool, Size};
use crate::nets::real::Real;
use crate::nets::training::Learner;
use crate::nets::weights::{Net, in_blocks};
use crate::random::Random;
use serde_json::json;

/// Pictures that are scored at a time: as many as half a million numbers, because their windows, laid out, take many
/// times their memory on each thread.
pub(super) fn scored_at_once(size: Size) -> usize {
    ((1 << 19) / size.values().max(1)).clamp(1, 32)
}

/// What the layers are like.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::nets) struct Form {
    pub(in crate::nets) size: Size,
    pub(in crate::nets) channels: Vec<usize>,
    pub(in crate::nets) window: usize,
    pub(in crate::nets) hidden: usize,
    /// Whether the last stage is averaged over the picture.
    pub(in crate::nets) mean: bool,
}

impl Form {
    /// Of pictures of one line: windows along it.
    fn line(&self) -> bool {
        self.size.height == 1
    }

    pub(super) fn windows(&self) -> (usize, usize) {
        (if self.line() { 1 } else { self.window }, self.window)
    }

    /// The net as a device knows it.
    pub(super) fn there(&self, goal: Goal) -> device::Form {
        let Self { size: Size { height, width, channels }, channels: stages, hidden, mean, .. } = self;
        let own = json!({
            "height": height, "width": width, "channels": channels,
            "stages": stages, "window": self.windows(), "hidden": hidden, "mean": mean,
        });
        device::Form::new(json!({"cnn": own}), goal)
    }
}

/// The layers.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Stages<T> {
    stages: Vec<(Conv<T>, Relu<T>, Pool<T>)>,
    mean: Option<Pool<T>>,
    hidden: Dense<T>,
    relu: Relu<T>,
    dropout: Dropout<T>,
    pub(super) score: Dense<T>,
}

impl<T: Real> Stages<T> {
    pub(in crate::nets) fn new(form: &Form, dropout: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, 0);
        let mut size = form.size;
        let pooled = (if form.line() { 1 } else { 2 }, 2);
        let stage = |(number, &channels): (usize, &usize)| {
            let conv = Conv::new(size, form.windows(), channels, number > 0, &mut random);
            let pool = Pool::greatest(conv.result(), pooled);
            size = pool.result();
            (conv, Relu::default(), pool)
        };
        let stages = form.channels.iter().enumerate().map(stage).collect();
        let mean = form.mean.then(|| Pool::mean(size));
        let size = mean.as_ref().map_or(size, Pool::result);
        let hidden = Dense::new(size.values(), form.hidden, &mut random);
        let score = Dense::small(form.hidden, 1, &mut random);
        Self { stages, mean, hidden, relu: Relu::default(), dropout: Dropout::new(dropout), score }
    }

    pub(in crate::nets) fn forward(&mut self, mut matrix: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        for (conv, relu, pool) in &mut self.stages {
            matrix = conv.forward(matrix, pass);
            matrix = relu.forward(matrix, pass);
            matrix = pool.forward(matrix, pass);
        }
        if let Some(mean) = &mut self.mean {
            matrix = mean.forward(matrix, pass);
        }
        matrix = self.hidden.forward(matrix, pass);
        matrix = self.relu.forward(matrix, pass);
        matrix = self.dropout.forward(matrix, pass);
        self.score.forward(matrix, pass)
    }

    pub(in crate::nets) fn backward(&mut self, gradient: Matrix<T>) {
        let mut gradient = self.score.backward(gradient);
        gradient = self.dropout.backward(gradient);
        gradient = self.relu.backward(gradient);
        gradient = self.hidden.backward(gradient);
        if let Some(mean) = &mut self.mean {
            gradient = mean.backward(gradient);
        }
        for (conv, relu, pool) in self.stages.iter_mut().rev() {
            gradient = pool.backward(gradient);
            gradient = relu.backward(gradient);
            gradient = conv.backward(gradient);
        }
    }
}

impl<T: Real> Net<T> for Stages<T> {
    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        self.stages.iter_mut().for_each(|(conv, _, _)| conv.weights(each));
        self.hidden.weights(each);
        self.score.weights(each);
    }
}

/// Some pictures, each channel by its mean and deviation.
pub(super) fn scaled(pictures: &Pictures, which: &[usize], scale: &(Vec<f64>, Vec<f64>)) -> Matrix<f32> {
    let (each, channels) = (pictures.size.values(), pictures.size.channels);
    let mut values = Vec::with_capacity(which.len() * each);
    for &number in which {
        for pixel in pictures.values[number * each..(number + 1) * each].chunks_exact(channels) {
            let scale = scale.0.iter().zip(&scale.1);
            values.extend(
                pixel
                    .iter()
                    .zip(scale)
                    .map(|(&value, (mean, deviation))| f32::of((f64::from(value) - mean) / deviation)),
            );
        }
    }
    Matrix::new(which.len(), each, values)
}

/// A net and the pictures that it learns from.
pub(super) struct Cases<'a> {
    pub(super) net: Stages<f32>,
    pub(super) goal: Goal,
    pub(super) pictures: &'a Pictures,
    /// Scaled, as those of the validation pictures.
    pub(super) target: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) scale: (Vec<f64>, Vec<f64>),
    pub(super) valid: Option<(&'a Pictures, Vec<f64>, Vec<f64>)>,
}

#[expect(clippy::cast_precision_loss, reason = "numbers of pictures are far below 2^53")]
impl Learner<f32> for Cases<'_> {
    fn learn(&mut self, cases: &[usize], pass: &mut Pass) -> Result<(f64, f64)> {
        let mut sums = self.net.forward(scaled(self.pictures, cases, &self.scale), pass);
        let of = |values: &[f64]| cases.iter().map(|&case| values[case]).collect::<Vec<f64>>();
        let loss = self.goal.loss(&mut sums.values, &of(&self.target), &of(&self.weights), cases.len() as f64);
        self.net.backward(sums);
        Ok((loss, cases.len() as f64))
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        let Some((pictures, target, weights)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..target.len()).collect();
        let losses = in_blocks(&self.net, &all, scored_at_once(pictures.size), &|net, cases| {
            let mut sums = net.forward(scaled(pictures, cases, &self.scale), &mut Pass::scoring());
            let of = |values: &[f64]| cases.iter().map(|&case| values[case]).collect::<Vec<f64>>();
            vec![self.goal.loss(&mut sums.values, &of(target), &of(weights), 1.0)]
        })?;
        Ok(Some(losses.into_iter().flatten().sum::<f64>() / target.len() as f64))
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f32>)) {
        self.net.weights(each);
    }
}

/// Pictures as a device takes them, without what was found in them.
pub(super) fn batch(pictures: &Pictures, cases: &[usize], scale: &(Vec<f64>, Vec<f64>)) -> Batch {
    Batch { rows: cases.len(), inputs: scaled(pictures, cases, scale).values, ..Batch::default() }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of pictures are far below 2^53")]
impl Batches for Cases<'_> {
    fn batch(&self, cases: &[usize], pass: &mut Pass) -> (Batch, f64) {
        let masks = self.net.dropout.drawn(cases.len() * self.net.hidden.outputs(), &mut pass.random);
        let said = said(cases, &self.target, &self.weights);
        (Batch { masks, said, ..batch(self.pictures, cases, &self.scale) }, cases.len() as f64)
    }

    fn valid_loss_of(&self, net: &mut Remote) -> Result<Option<f64>> {
        let Some((pictures, target, weights)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..target.len()).collect();
        let batch = |cases: &[usize]| batch(pictures, cases, &self.scale);
        let losses = net.in_blocks(&all, scored_at_once(pictures.size), &batch, &|cases, mut sums| {
            let of = |values: &[f64]| cases.iter().map(|&case| values[case]).collect::<Vec<f64>>();
            self.goal.loss(&mut sums, &of(target), &of(weights), 1.0)
        })?;
        Ok(Some(losses.iter().sum::<f64>() / target.len() as f64))
    }
}
