//! Tokens of cases, and a row of numbers for each case -> one row a case: the tokens weighed by how they suit the row.
//!
//! Source: Bahdanau, Cho and Bengio, *Neural machine translation by jointly learning to align and translate*, 2015, with
//! a rectifier for the hyperbolic tangent.

use super::layer::{Weights, by_width, he};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use crate::random::Random;

/// The score of a token is `score * relu(token * of_token + context * of_context + bias)`; shares are its softmax.
#[derive(Debug, Clone)]
pub(crate) struct Focus<T> {
    tokens: usize,
    width: usize,
    context: usize,
    hidden: usize,
    of_token: Weights<T>,
    of_context: Weights<T>,
    bias: Weights<T>,
    score: Weights<T>,
    kept: Option<Kept<T>>,
}

/// What the pass backward needs of the last one forward.
#[derive(Debug, Clone)]
struct Kept<T> {
    tokens: Matrix<T>,
    context: Matrix<T>,
    hidden: Matrix<T>,
    shares: Vec<T>,
}

impl<T: Real> Focus<T> {
    /// Of so many tokens a case, `width` numbers each, by a row of `context` numbers.
    pub(crate) fn new(tokens: usize, width: usize, context: usize, hidden: usize, random: &mut Random) -> Self {
        let bound = he(width + context);
        Self {
            tokens,
            width,
            context,
            hidden,
            of_token: Weights::drawn(width * hidden, bound, random),
            of_context: Weights::drawn(context * hidden, bound, random),
            bias: Weights::constant(hidden, 0.0),
            score: Weights::drawn(hidden, by_width(hidden), random),
            kept: None,
        }
    }

    fn view_of_token(&self) -> View<'_, T> {
        View::of(self.width, self.hidden, &self.of_token.values)
    }

    fn view_of_context(&self) -> View<'_, T> {
        View::of(self.context, self.hidden, &self.of_context.values)
    }

    pub(crate) fn forward(&mut self, tokens: Matrix<T>, context: &Matrix<T>, training: bool) -> Matrix<T> {
        let mut of_case = Matrix::of_rows(context.rows, &self.bias.values);
        Packed::new(self.view_of_context()).add_product(context.view(), &mut of_case.values);
        let mut hidden = tokens.view().times(self.view_of_token());
        for (row, values) in hidden.values.chunks_exact_mut(self.hidden).enumerate() {
            for (value, &of_case) in values.iter_mut().zip(of_case.row(row / self.tokens)) {
                let sum = *value + of_case;
                // What is no number stays none.
                *value = if sum < T::ZERO { T::ZERO } else { sum };
            }
        }
        let mut shares = hidden.view().times(View::of(self.hidden, 1, &self.score.values)).values;
        T::softmax(&mut shares, self.tokens);
        let mut result = Matrix::zeros(context.rows, self.width);
        for (row, (token, &share)) in tokens.values.chunks_exact(self.width).zip(&shares).enumerate() {
            let into = result.row_mut(row / self.tokens);
            into.iter_mut().zip(token).for_each(|(into, &value)| *into += share * value);
        }
        if training {
            self.kept = Some(Kept { tokens, context: context.clone(), hidden, shares });
        }
        result
    }

    /// The gradient by the rows of the cases -> those by tokens and by contexts.
    pub(crate) fn backward(&mut self, gradient: &Matrix<T>) -> (Matrix<T>, Matrix<T>) {
        let Some(Kept { tokens, context, mut hidden, shares }) = self.kept.take() else {
            return (Matrix::default(), Matrix::default());
        };
        let mut by_tokens = Matrix::zeros(tokens.rows, self.width);
        let mut by_scores = Vec::with_capacity(shares.len());
        for (row, (token, &share)) in tokens.values.chunks_exact(self.width).zip(&shares).enumerate() {
            let above = gradient.row(row / self.tokens);
            by_tokens.row_mut(row).iter_mut().zip(above).for_each(|(into, &above)| *into = share * above);
            by_scores.push(token.iter().zip(above).map(|(&value, &above)| value * above).sum::<T>());
        }
        for (scores, shares) in by_scores.chunks_exact_mut(self.tokens).zip(shares.chunks_exact(self.tokens)) {
            let along: T = scores.iter().zip(shares).map(|(&score, &share)| score * share).sum();
            scores.iter_mut().zip(shares).for_each(|(score, &share)| *score = (*score - along) * share);
        }
        let by_scores = Matrix::new(tokens.rows, 1, by_scores);
        Packed::new(by_scores.view()).add_product(hidden.view().turned(), self.score.gradient());
        for (row, &by_score) in hidden.values.chunks_exact_mut(self.hidden).zip(&by_scores.values) {
            for (value, &factor) in row.iter_mut().zip(&self.score.values) {
                *value = if *value > T::ZERO { by_score * factor } else { T::ZERO };
            }
        }
        let mut of_case = Matrix::zeros(context.rows, self.hidden);
        for (row, values) in hidden.values.chunks_exact(self.hidden).enumerate() {
            of_case.row_mut(row / self.tokens).iter_mut().zip(values).for_each(|(into, &value)| *into += value);
        }
        Packed::new(hidden.view()).add_product(tokens.view().turned(), self.of_token.gradient());
        Packed::new(of_case.view()).add_product(context.view().turned(), self.of_context.gradient());
        of_case.add_column_sums(self.bias.gradient());
        Packed::new(self.view_of_token().turned()).add_product(hidden.view(), &mut by_tokens.values);
        (by_tokens, of_case.view().times(self.view_of_context().turned()))
    }

    pub(crate) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.of_token);
        each(&mut self.of_context);
        each(&mut self.bias);
        each(&mut self.score);
    }
}
