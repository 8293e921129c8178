//! Sequences -> what gated recurrent units say after each step.
//!
//! Source: Cho et al., *Learning phrase representations using RNN encoder-decoder*, 2014; the reset gate works on the
//! product with the hidden state, as in cuDNN and PyTorch.

use super::layer::{Weights, by_width};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use super::steps::{State, Steps};
use crate::random::Random;

/// Gates of a row stand one behind the other: reset, keep, and what is new.
#[derive(Debug, Clone)]
pub(crate) struct Gru<T> {
    inputs: usize,
    pub(super) width: usize,
    of_input: Weights<T>,
    of_hidden: Weights<T>,
    bias: Weights<T>,
    bias_of_hidden: Weights<T>,
    kept: Option<Kept<T>>,
}

/// What the pass backward needs of the last one forward.
#[derive(Debug, Clone)]
struct Kept<T> {
    steps: Steps,
    input: Matrix<T>,
    gates: Matrix<T>,
    /// What the hidden state says of what is new, before the reset gate.
    reset: Matrix<T>,
    before: Matrix<T>,
}

impl<T: Real> Gru<T> {
    pub(super) fn new(inputs: usize, width: usize, random: &mut Random) -> Self {
        let bound = by_width(width);
        Self {
            inputs,
            width,
            of_input: Weights::drawn(inputs * 3 * width, bound, random),
            of_hidden: Weights::drawn(width * 3 * width, bound, random),
            bias: Weights::constant(3 * width, 0.0),
            bias_of_hidden: Weights::constant(3 * width, 0.0),
            kept: None,
        }
    }

    fn view_of_hidden(&self) -> View<'_, T> {
        View::of(self.width, 3 * self.width, &self.of_hidden.values)
    }

    fn view_of_input(&self) -> View<'_, T> {
        View::of(self.inputs, 3 * self.width, &self.of_input.values)
    }

    pub(super) fn forward(
        &mut self,
        input: Matrix<T>,
        steps: &Steps,
        state: &mut State<T>,
        training: bool,
    ) -> Matrix<T> {
        let width = self.width;
        let mut gates = Matrix::of_rows(input.rows, &self.bias.values);
        Packed::new(self.view_of_input()).add_product(input.view(), &mut gates.values);
        let of_hidden = Packed::new(self.view_of_hidden());
        let start = training.then(|| state.hidden.clone());
        let mut hidden = Matrix::zeros(input.rows, width);
        let mut reset = if training { Matrix::zeros(input.rows, width) } else { Matrix::default() };
        for (step, &count) in steps.counts.iter().enumerate() {
            let from = steps.starts[step];
            let mut recalled = Matrix::of_rows(count, &self.bias_of_hidden.values);
            of_hidden.add_product(View::of(count, width, state.hidden.rows_of(0, count)), &mut recalled.values);
            for row in 0..count {
                let (recalled, past) = (recalled.row(row), state.hidden.row_mut(row));
                let (doors, news) = gates.row_mut(from + row).split_at_mut(2 * width);
                doors.iter_mut().zip(recalled).for_each(|(door, &recalled)| *door += recalled);
                T::sigmoid(doors);
                for (i, news) in news.iter_mut().enumerate() {
                    *news += doors[i] * recalled[2 * width + i];
                }
                T::tanh(news);
                for (i, past) in past.iter_mut().enumerate() {
                    let keep = doors[width + i];
                    *past = (T::ONE - keep) * news[i] + keep * *past;
                }
                hidden.row_mut(from + row).copy_from_slice(past);
                if training {
                    reset.row_mut(from + row).copy_from_slice(&recalled[2 * width..]);
                }
            }
        }
        if let Some(start) = start {
            let before = steps.before(&hidden, &start);
            self.kept = Some(Kept { steps: steps.clone(), input, gates, reset, before });
        }
        hidden
    }

    pub(super) fn backward(&mut self, gradient: &Matrix<T>) -> Matrix<T> {
        let Some(Kept { steps, input, mut gates, reset, before }) = self.kept.take() else {
            return Matrix::default();
        };
        let width = self.width;
        let back = Packed::new(self.view_of_hidden().turned());
        let first = steps.counts.first().copied().unwrap_or(0);
        let mut by_hidden = Matrix::<T>::zeros(first, width);
        // By what the hidden state gave to the gates: as by the gates, but for the reset.
        let mut recalled = Matrix::zeros(gates.rows, 3 * width);
        for (step, &count) in steps.counts.iter().enumerate().rev() {
            let from = steps.starts[step];
            for row in 0..count {
                let (gates, recalled) = (gates.row_mut(from + row), recalled.row_mut(from + row));
                let (reset, past) = (reset.row(from + row), before.row(from + row));
                let above = gradient.row(from + row);
                for (i, here) in by_hidden.row_mut(row).iter_mut().enumerate() {
                    let (open, keep, news) = (gates[i], gates[width + i], gates[2 * width + i]);
                    let said = above[i] + *here;
                    let by_news = said * (T::ONE - keep) * (T::ONE - news * news);
                    gates[2 * width + i] = by_news;
                    gates[width + i] = said * (past[i] - news) * keep * (T::ONE - keep);
                    gates[i] = by_news * reset[i] * open * (T::ONE - open);
                    recalled[i] = gates[i];
                    recalled[width + i] = gates[width + i];
                    recalled[2 * width + i] = by_news * open;
                    *here = said * keep;
                }
            }
            let recalled = View::of(count, 3 * width, recalled.rows_of(from, from + count));
            back.add_product(recalled, &mut by_hidden.values[..count * width]);
        }
        Packed::new(gates.view()).add_product(input.view().turned(), self.of_input.gradient());
        Packed::new(recalled.view()).add_product(before.view().turned(), self.of_hidden.gradient());
        gates.add_column_sums(self.bias.gradient());
        recalled.add_column_sums(self.bias_of_hidden.gradient());
        gates.view().times(self.view_of_input().turned())
    }

    pub(super) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.of_input);
        each(&mut self.of_hidden);
        each(&mut self.bias);
        each(&mut self.bias_of_hidden);
    }
}
