//! Tokens of cases -> the same tokens, each with what it takes from all others of its case.
//!
//! Source: Vaswani et al., *Attention is all you need*, 2017: scaled products, several heads, and the input added to the
//! result. There are no biases: one of the keys would not change any share.

use super::layer::{Layer, Pass, Weights, by_width};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use crate::random::Random;
use rayon::prelude::*;

/// `input + mixed * out`. A row is a token; those of a case lie one behind the other.
#[derive(Debug, Clone)]
pub(crate) struct SelfAttention<T> {
    tokens: usize,
    heads: usize,
    width: usize,
    /// To queries, keys and values, which stand one behind the other in a row.
    project: Weights<T>,
    out: Weights<T>,
    kept: Option<Kept<T>>,
}

/// What the pass backward needs of the last one forward.
#[derive(Debug, Clone)]
struct Kept<T> {
    input: Matrix<T>,
    projected: Matrix<T>,
    /// Case after case, head after head: how much each token takes from each.
    shares: Vec<T>,
    mixed: Matrix<T>,
}

impl<T: Real> SelfAttention<T> {
    /// Of so many tokens a case; `width` is a multiple of `heads`.
    pub(crate) fn new(tokens: usize, width: usize, heads: usize, random: &mut Random) -> Self {
        let bound = by_width(width);
        let project = Weights::drawn(width * 3 * width, bound, random);
        Self { tokens, heads, width, project, out: Weights::drawn(width * width, bound, random), kept: None }
    }

    fn view_of_project(&self) -> View<'_, T> {
        View::of(self.width, 3 * self.width, &self.project.values)
    }

    fn view_of_out(&self) -> View<'_, T> {
        View::of(self.width, self.width, &self.out.values)
    }

    fn of_head(&self) -> usize {
        self.width / self.heads
    }

    #[expect(clippy::cast_precision_loss, reason = "widths of layers are small")]
    fn scale(&self) -> T {
        T::of(1.0 / (self.of_head() as f64).sqrt())
    }

    /// Numbers of one head in the rows of a case: 0 queries, 1 keys, 2 values; `each` columns a row.
    fn part(&self, rows: &[T], each: usize, which: usize, head: usize) -> Vec<T> {
        let (width, from) = (self.of_head(), which * self.width + head * self.of_head());
        rows.chunks_exact(each).flat_map(|row| &row[from..from + width]).copied().collect()
    }

    fn put(&self, rows: &mut [T], each: usize, which: usize, head: usize, part: &Matrix<T>) {
        let (width, from) = (self.of_head(), which * self.width + head * self.of_head());
        let parts = part.values.chunks_exact(width);
        rows.chunks_exact_mut(each).zip(parts).for_each(|(row, part)| row[from..from + width].copy_from_slice(part));
    }

    /// One case: its shares, and the values mixed by them.
    fn mix(&self, projected: &[T], shares: &mut [T], mixed: &mut [T]) {
        let (tokens, width, each, scale) = (self.tokens, self.of_head(), 3 * self.width, self.scale());
        for (head, shares) in shares.chunks_exact_mut(tokens * tokens).enumerate() {
            let [query, key, value] = [0, 1, 2].map(|which| self.part(projected, each, which, head));
            let view = |part| View::of(tokens, width, part);
            Packed::new(view(&key).turned()).add_product(view(&query), shares);
            shares.iter_mut().for_each(|score| *score *= scale);
            T::softmax(shares, tokens);
            let sums = View::of(tokens, tokens, shares).times(view(&value));
            self.put(mixed, self.width, 0, head, &sums);
        }
    }

    /// One case: the gradient by what was mixed -> that by queries, keys and values.
    fn unmix(&self, projected: &[T], shares: &[T], gradient: &[T], by_projected: &mut [T]) {
        let (tokens, width, each, scale) = (self.tokens, self.of_head(), 3 * self.width, self.scale());
        for (head, shares) in shares.chunks_exact(tokens * tokens).enumerate() {
            let [query, key, value] = [0, 1, 2].map(|which| self.part(projected, each, which, head));
            let view = |part| View::of(tokens, width, part);
            let gradient = self.part(gradient, self.width, 0, head);
            let by_value = View::of(tokens, tokens, shares).turned().times(view(&gradient));
            let mut scores = view(&gradient).times(view(&value).turned());
            for (row, shares) in scores.values.chunks_exact_mut(tokens).zip(shares.chunks_exact(tokens)) {
                let along: T = row.iter().zip(shares).map(|(&row, &share)| row * share).sum();
                row.iter_mut().zip(shares).for_each(|(row, &share)| *row = (*row - along) * share * scale);
            }
            let by_query = scores.view().times(view(&key));
            let by_key = scores.view().turned().times(view(&query));
            for (which, part) in [by_query, by_key, by_value].iter().enumerate() {
                self.put(by_projected, each, which, head, part);
            }
        }
    }
}

impl<T: Real> Layer<T> for SelfAttention<T> {
    fn forward(&mut self, input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        let (tokens, width) = (self.tokens, self.width);
        let projected = input.view().times(self.view_of_project());
        let mut mixed = Matrix::zeros(input.rows, width);
        let mut shares = vec![T::ZERO; input.rows * tokens * self.heads];
        let cases = projected.values.par_chunks_exact(tokens * 3 * width);
        cases
            .zip(shares.par_chunks_exact_mut(self.heads * tokens * tokens))
            .zip(mixed.values.par_chunks_exact_mut(tokens * width))
            .for_each(|((projected, shares), mixed)| self.mix(projected, shares, mixed));
        let mut output = input.clone();
        Packed::new(self.view_of_out()).add_product(mixed.view(), &mut output.values);
        if pass.training {
            self.kept = Some(Kept { input, projected, shares, mixed });
        }
        output
    }

    fn backward(&mut self, mut gradient: Matrix<T>) -> Matrix<T> {
        let Some(Kept { input, projected, shares, mixed }) = self.kept.take() else { return Matrix::default() };
        let (tokens, width) = (self.tokens, self.width);
        Packed::new(gradient.view()).add_product(mixed.view().turned(), self.out.gradient());
        let by_mixed = gradient.view().times(self.view_of_out().turned());
        let mut by_projected = Matrix::zeros(input.rows, 3 * width);
        let cases = by_projected.values.par_chunks_exact_mut(tokens * 3 * width);
        cases
            .zip(projected.values.par_chunks_exact(tokens * 3 * width))
            .zip(shares.par_chunks_exact(self.heads * tokens * tokens))
            .zip(by_mixed.values.par_chunks_exact(tokens * width))
            .for_each(|(((into, projected), shares), gradient)| self.unmix(projected, shares, gradient, into));
        Packed::new(by_projected.view()).add_product(input.view().turned(), self.project.gradient());
        Packed::new(self.view_of_project().turned()).add_product(by_projected.view(), &mut gradient.values);
        gradient
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.project);
        each(&mut self.out);
    }
}
