//! Rows -> weighted sums of them; rectified; partly dropped; brought to one scale.

use super::layer::{Layer, Pass, Weights, he};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use crate::random::Random;

/// `rows * weights + bias`.
#[derive(Debug, Clone)]
pub(crate) struct Dense<T> {
    inputs: usize,
    outputs: usize,
    weights: Weights<T>,
    bias: Weights<T>,
    input: Matrix<T>,
}

impl<T: Real> Dense<T> {
    pub(crate) fn new(inputs: usize, outputs: usize, random: &mut Random) -> Self {
        let weights = Weights::drawn(inputs * outputs, he(inputs), random);
        Self { inputs, outputs, weights, bias: Weights::constant(outputs, 0.0), input: Matrix::default() }
    }

    /// Without weights that say anything: for the layer that gives the score.
    pub(crate) fn small(inputs: usize, outputs: usize, random: &mut Random) -> Self {
        let mut layer = Self::new(inputs, outputs, random);
        layer.weights.values.iter_mut().for_each(|value| *value *= T::of(0.1));
        layer
    }

    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    fn view(&self) -> View<'_, T> {
        View::of(self.inputs, self.outputs, &self.weights.values)
    }

    /// The bias of the first output, which a fit starts from the share of target 1.
    pub(crate) fn set_bias(&mut self, value: f64) {
        self.bias.values.iter_mut().for_each(|bias| *bias = T::of(value));
    }

    /// As [`Layer::backward`], without the gradient by the input.
    pub(crate) fn backward_here(&mut self, gradient: &Matrix<T>) {
        let input = std::mem::take(&mut self.input);
        Packed::new(gradient.view()).add_product(input.view().turned(), self.weights.gradient());
        gradient.add_column_sums(self.bias.gradient());
    }
}

impl<T: Real> Layer<T> for Dense<T> {
    fn forward(&mut self, input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        let mut output = Matrix::of_rows(input.rows, &self.bias.values);
        Packed::new(self.view()).add_product(input.view(), &mut output.values);
        if pass.training {
            self.input = input;
        }
        output
    }

    fn backward(&mut self, gradient: Matrix<T>) -> Matrix<T> {
        self.backward_here(&gradient);
        gradient.view().times(self.view().turned())
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.weights);
        each(&mut self.bias);
    }
}

/// What is above 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relu<T> {
    output: Matrix<T>,
}

impl<T: Real> Layer<T> for Relu<T> {
    fn forward(&mut self, mut input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        // A value that is no number must stay one that is none, so that it is noticed.
        input.values.iter_mut().for_each(|value| *value = if *value < T::ZERO { T::ZERO } else { *value });
        if pass.training {
            self.output = input.clone();
        }
        input
    }

    fn backward(&mut self, mut gradient: Matrix<T>) -> Matrix<T> {
        for (gradient, &output) in gradient.values.iter_mut().zip(&self.output.values) {
            *gradient = if output > T::ZERO { *gradient } else { T::ZERO };
        }
        gradient
    }

    fn weights(&mut self, _: &mut dyn FnMut(&mut Weights<T>)) {}
}

/// Sets a share of the numbers to 0 while learning, and raises the others by as much. Source: Srivastava et al.,
/// *Dropout*, JMLR 15, 2014.
#[derive(Debug, Clone)]
pub(crate) struct Dropout<T> {
    share: f64,
    factors: Vec<T>,
}

impl<T: Real> Dropout<T> {
    pub(crate) fn new(share: f64) -> Self {
        Self { share, factors: Vec::new() }
    }

    /// What so many numbers are multiplied with while learning; empty where nothing is dropped.
    pub(crate) fn drawn(&self, numbers: usize, random: &mut Random) -> Vec<T> {
        if self.share == 0.0 {
            return Vec::new();
        }
        let kept = T::of(1.0 / (1.0 - self.share));
        (0..numbers).map(|_| if random.unit() < self.share { T::ZERO } else { kept }).collect()
    }
}

impl<T: Real> Layer<T> for Dropout<T> {
    fn forward(&mut self, mut input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        self.factors.clear();
        if pass.training && self.share > 0.0 {
            self.factors = self.drawn(input.values.len(), &mut pass.random);
            scale(&mut input, &self.factors);
        }
        input
    }

    fn backward(&mut self, mut gradient: Matrix<T>) -> Matrix<T> {
        if !self.factors.is_empty() {
            scale(&mut gradient, &self.factors);
        }
        gradient
    }

    fn weights(&mut self, _: &mut dyn FnMut(&mut Weights<T>)) {}
}

fn scale<T: Real>(matrix: &mut Matrix<T>, factors: &[T]) {
    matrix.values.iter_mut().zip(factors).for_each(|(value, &factor)| *value *= factor);
}

/// Each row to mean 0 and deviation 1, then by a gain and a shift of each column. Source: Ba, Kiros and Hinton, *Layer
/// normalization*, 2016.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm<T> {
    gain: Weights<T>,
    shift: Weights<T>,
    normal: Matrix<T>,
    /// One by the deviation of each row.
    scales: Vec<T>,
}

impl<T: Real> LayerNorm<T> {
    pub(crate) fn new(width: usize) -> Self {
        let (gain, shift) = (Weights::constant(width, 1.0), Weights::constant(width, 0.0));
        Self { gain, shift, normal: Matrix::default(), scales: Vec::new() }
    }
}

#[expect(clippy::cast_precision_loss, reason = "widths of layers are small")]
fn mean<T: Real>(values: impl Iterator<Item = T>, width: usize) -> T {
    values.sum::<T>() / T::of(width as f64)
}

impl<T: Real> Layer<T> for LayerNorm<T> {
    fn forward(&mut self, mut input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        let width = input.columns;
        self.scales.clear();
        for row in input.values.chunks_exact_mut(width) {
            let center = mean(row.iter().copied(), width);
            row.iter_mut().for_each(|value| *value = *value - center);
            let scale = T::ONE / (mean(row.iter().map(|&value| value * value), width) + T::of(1e-5)).root();
            row.iter_mut().for_each(|value| *value *= scale);
            self.scales.push(scale);
        }
        if pass.training {
            self.normal = input.clone();
        }
        for row in input.values.chunks_exact_mut(width) {
            for (value, (&gain, &shift)) in row.iter_mut().zip(self.gain.values.iter().zip(&self.shift.values)) {
                *value = *value * gain + shift;
            }
        }
        input
    }

    fn backward(&mut self, mut gradient: Matrix<T>) -> Matrix<T> {
        let width = gradient.columns;
        gradient.add_column_sums(self.shift.gradient());
        let gains = self.gain.gradient();
        for (row, normal) in gradient.values.chunks_exact(width).zip(self.normal.values.chunks_exact(width)) {
            gains.iter_mut().zip(row.iter().zip(normal)).for_each(|(gain, (&row, &normal))| *gain += row * normal);
        }
        let normals = self.normal.values.chunks_exact(width);
        for ((row, normal), &scale) in gradient.values.chunks_exact_mut(width).zip(normals).zip(&self.scales) {
            row.iter_mut().zip(&self.gain.values).for_each(|(value, &gain)| *value *= gain);
            let center = mean(row.iter().copied(), width);
            let along = mean(row.iter().zip(normal).map(|(&row, &normal)| row * normal), width);
            row.iter_mut().zip(normal).for_each(|(row, &normal)| *row = (*row - center - normal * along) * scale);
        }
        gradient
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.gain);
        each(&mut self.shift);
    }
}
