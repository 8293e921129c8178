//! Sequences of any length side by side -> rows step by step, without padding.
//!
//! The sequences of a batch are put in order of length, the longest first. Rows lie step after step; at each step only
//! those sequences have a row that are still going. No row is made up, so no mask is needed and none can be wrong.

use super::gru::Gru;
use super::layer::Pass;
use super::layer::Weights;
use super::lstm::Lstm;
use super::matrix::Matrix;
use super::real::Real;
use crate::random::Random;

/// How many sequences have a row at each step: never more than at the step before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    pub(crate) counts: Vec<usize>,
    /// First row of each step, and the number of all rows.
    pub(crate) starts: Vec<usize>,
}

/// What goes from one window of steps to the next: a row for each sequence.
#[derive(Debug, Clone)]
pub(crate) struct State<T> {
    pub(crate) hidden: Matrix<T>,
    pub(crate) cell: Matrix<T>,
}

/// A layer that goes along sequences.
#[derive(Debug, Clone)]
pub(crate) enum Along<T> {
    Lstm(Lstm<T>),
    Gru(Gru<T>),
}

impl Steps {
    /// Of falling lengths.
    pub(crate) fn of(lengths: &[usize]) -> Self {
        let most = lengths.first().copied().unwrap_or(0);
        let mut steps = Self { counts: Vec::with_capacity(most), starts: vec![0] };
        let (mut going, mut rows) = (lengths.len(), 0);
        for step in 0..most {
            while going > 0 && lengths[going - 1] <= step {
                going -= 1;
            }
            rows += going;
            steps.counts.push(going);
            steps.starts.push(rows);
        }
        steps
    }

    /// From step `from` up to `to`.
    pub(crate) fn window(&self, from: usize, to: usize) -> Self {
        let starts = self.starts[from..=to].iter().map(|start| start - self.starts[from]).collect();
        Self { counts: self.counts[from..to].to_vec(), starts }
    }

    /// For each row what its sequence had at the step before; `first` holds what it had before the first.
    pub(crate) fn before<T: Real>(&self, rows: &Matrix<T>, first: &Matrix<T>) -> Matrix<T> {
        let mut values = Vec::with_capacity(rows.values.len());
        for (step, &count) in self.counts.iter().enumerate() {
            match step.checked_sub(1) {
                None => values.extend_from_slice(first.rows_of(0, count)),
                Some(last) => values.extend_from_slice(rows.rows_of(self.starts[last], self.starts[last] + count)),
            }
        }
        Matrix::new(rows.rows, rows.columns, values)
    }
}

impl<T: Real> State<T> {
    /// Of sequences that have not begun.
    pub(crate) fn new(sequences: usize, width: usize) -> Self {
        Self { hidden: Matrix::zeros(sequences, width), cell: Matrix::zeros(sequences, width) }
    }
}

impl<T: Real> Along<T> {
    pub(crate) fn new(gru: bool, inputs: usize, width: usize, random: &mut Random) -> Self {
        if gru { Self::Gru(Gru::new(inputs, width, random)) } else { Self::Lstm(Lstm::new(inputs, width, random)) }
    }

    /// Numbers that it remembers of each sequence.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Lstm(layer) => layer.width,
            Self::Gru(layer) => layer.width,
        }
    }

    /// What the layer says after each row; the state is moved on.
    pub(crate) fn forward(&mut self, input: Matrix<T>, steps: &Steps, state: &mut State<T>, pass: &Pass) -> Matrix<T> {
        match self {
            Self::Lstm(layer) => layer.forward(input, steps, state, pass.training),
            Self::Gru(layer) => layer.forward(input, steps, state, pass.training),
        }
    }

    /// As [`super::layer::Layer::backward`]; nothing goes back beyond the first step of the window.
    pub(crate) fn backward(&mut self, gradient: &Matrix<T>) -> Matrix<T> {
        match self {
            Self::Lstm(layer) => layer.backward(gradient),
            Self::Gru(layer) => layer.backward(gradient),
        }
    }

    pub(crate) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        match self {
            Self::Lstm(layer) => layer.weights(each),
            Self::Gru(layer) => layer.weights(each),
        }
    }
}
