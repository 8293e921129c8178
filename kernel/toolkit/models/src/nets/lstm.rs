//! Sequences -> what a long short-term memory says after each step.
//!
//! Source: Hochreiter and Schmidhuber, *Long short-term memory*, 1997, with the forget gate of Gers, Schmidhuber and
//! Cummins, 2000.

use super::layer::{Weights, by_width};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use super::steps::{State, Steps};
use crate::random::Random;

/// Gates of a row stand one behind the other: in, forget, out, and what is to be remembered.
#[derive(Debug, Clone)]
pub(crate) struct Lstm<T> {
    inputs: usize,
    pub(super) width: usize,
    of_input: Weights<T>,
    of_hidden: Weights<T>,
    bias: Weights<T>,
    kept: Option<Kept<T>>,
}

/// What the pass backward needs of the last one forward.
#[derive(Debug, Clone)]
struct Kept<T> {
    steps: Steps,
    input: Matrix<T>,
    gates: Matrix<T>,
    before: State<T>,
    /// The cell after each row, through tanh.
    bent: Matrix<T>,
}

impl<T: Real> Lstm<T> {
    pub(super) fn new(inputs: usize, width: usize, random: &mut Random) -> Self {
        let bound = by_width(width);
        let of_input = Weights::drawn(inputs * 4 * width, bound, random);
        let of_hidden = Weights::drawn(width * 4 * width, bound, random);
        let mut bias = Weights::constant(4 * width, 0.0);
        // An open forget gate lets gradients through from the start (Jozefowicz, Zaremba and Sutskever 2015).
        bias.values[width..2 * width].fill(T::ONE);
        Self { inputs, width, of_input, of_hidden, bias, kept: None }
    }

    fn view_of_hidden(&self) -> View<'_, T> {
        View::of(self.width, 4 * self.width, &self.of_hidden.values)
    }

    fn view_of_input(&self) -> View<'_, T> {
        View::of(self.inputs, 4 * self.width, &self.of_input.values)
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
        let start = training.then(|| state.clone());
        let (mut hidden, mut bent) = (Matrix::zeros(input.rows, width), Matrix::zeros(input.rows, width));
        let mut cells = if training { Matrix::zeros(input.rows, width) } else { Matrix::default() };
        for (step, &count) in steps.counts.iter().enumerate() {
            let from = steps.starts[step];
            let gates = &mut gates.values[from * 4 * width..(from + count) * 4 * width];
            of_hidden.add_product(View::of(count, width, state.hidden.rows_of(0, count)), gates);
            for (row, gates) in gates.chunks_exact_mut(4 * width).enumerate() {
                let (doors, news) = gates.split_at_mut(3 * width);
                T::sigmoid(doors);
                T::tanh(news);
                let cell = state.cell.row_mut(row);
                for (i, cell) in cell.iter_mut().enumerate() {
                    *cell = doors[width + i] * *cell + doors[i] * news[i];
                }
                let bent = bent.row_mut(from + row);
                bent.copy_from_slice(cell);
                T::tanh(bent);
                let said = hidden.row_mut(from + row);
                for (i, said) in said.iter_mut().enumerate() {
                    *said = doors[2 * width + i] * bent[i];
                }
                state.hidden.row_mut(row).copy_from_slice(said);
                if training {
                    cells.row_mut(from + row).copy_from_slice(state.cell.row(row));
                }
            }
        }
        if let Some(start) = start {
            let before =
                State { hidden: steps.before(&hidden, &start.hidden), cell: steps.before(&cells, &start.cell) };
            self.kept = Some(Kept { steps: steps.clone(), input, gates, before, bent });
        }
        hidden
    }

    pub(super) fn backward(&mut self, gradient: &Matrix<T>) -> Matrix<T> {
        let Some(Kept { steps, input, mut gates, before, bent }) = self.kept.take() else {
            return Matrix::default();
        };
        let width = self.width;
        let back = Packed::new(self.view_of_hidden().turned());
        let first = steps.counts.first().copied().unwrap_or(0);
        let (mut by_hidden, mut by_cell) = (Matrix::<T>::zeros(first, width), Matrix::<T>::zeros(first, width));
        for (step, &count) in steps.counts.iter().enumerate().rev() {
            let from = steps.starts[step];
            for row in 0..count {
                let gates = gates.row_mut(from + row);
                let (bent, cell) = (bent.row(from + row), before.cell.row(from + row));
                let (above, here) = (gradient.row(from + row), by_hidden.row(row));
                for (i, by_cell) in by_cell.row_mut(row).iter_mut().enumerate() {
                    let (open, keep, out, news) =
                        (gates[i], gates[width + i], gates[2 * width + i], gates[3 * width + i]);
                    let said = above[i] + here[i];
                    let of_cell = *by_cell + said * out * (T::ONE - bent[i] * bent[i]);
                    gates[i] = of_cell * news * open * (T::ONE - open);
                    gates[width + i] = of_cell * cell[i] * keep * (T::ONE - keep);
                    gates[2 * width + i] = said * bent[i] * out * (T::ONE - out);
                    gates[3 * width + i] = of_cell * open * (T::ONE - news * news);
                    *by_cell = of_cell * keep;
                }
            }
            let by_hidden = &mut by_hidden.values[..count * width];
            by_hidden.fill(T::ZERO);
            back.add_product(View::of(count, 4 * width, gates.rows_of(from, from + count)), by_hidden);
        }
        let by_gates = Packed::new(gates.view());
        by_gates.add_product(input.view().turned(), self.of_input.gradient());
        by_gates.add_product(before.hidden.view().turned(), self.of_hidden.gradient());
        gates.add_column_sums(self.bias.gradient());
        gates.view().times(self.view_of_input().turned())
    }

    pub(super) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.of_input);
        each(&mut self.of_hidden);
        each(&mut self.bias);
    }
}
