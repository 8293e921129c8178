//! Rows, target and penalty -> what is to be as small as it can, and how it changes with the weights.

use super::encode::{Design, add_rows, dot_rows};
use super::loss::{Loss, class_of};
use crate::{Error, Result};
use rayon::prelude::*;

/// Parts into which rows are split for sums; fixed, so that sums do not depend on the threads.
const PARTS: usize = 16;

/// The mean loss, with half of `penalty` times the squared weights. Weights go class after class, where there are several.
///
/// Of several classes with free intercepts, half the square of their mean is added for each: the same number more on all
/// of them changes no probability, and so the least is where their mean is 0.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) design: &'a Design<'a>,
    pub(crate) target: &'a [f64],
    /// What a row of each class weighs.
    pub(crate) classes: &'a [f64],
    /// What each row weighs besides, 1 in the mean; empty where that is 1 of all.
    pub(crate) own: &'a [f64],
    pub(crate) penalty: f64,
    pub(crate) loss: Loss,
    /// Whether intercepts go without a penalty.
    pub(crate) free_intercept: bool,
}

impl Problem<'_> {
    /// Refuses rows whose squares are no finite numbers: no step would be one.
    pub(super) fn check(&self) -> Result<()> {
        let far = |&row: &usize| !self.design.square(row).is_finite();
        match (0..self.design.rows).into_par_iter().with_min_len(4096).find_first(far) {
            None => Ok(()),
            Some(row) => Err(Error::TooFar { row }),
        }
    }

    /// How many weights there are.
    pub(super) fn weights(&self) -> usize {
        self.loss.width() * self.design.weights
    }

    /// How many weighted sums there are.
    pub(super) fn sums(&self) -> usize {
        self.loss.width() * self.design.rows
    }

    fn rows(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rows = self.design.rows as f64;
        rows
    }

    fn width(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "few classes")]
        let width = self.loss.width() as f64;
        width
    }

    fn part(&self) -> usize {
        self.design.rows.div_ceil(PARTS).max(1024)
    }

    pub(super) fn dots(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sums()];
        let part = self.part();
        let classes = sums.par_chunks_mut(self.design.rows).zip(weights.par_chunks(self.design.weights));
        classes.for_each(|(sums, own)| {
            sums.par_chunks_mut(part).enumerate().for_each(|(i, chunk)| dot_rows(self.design, i * part, own, chunk));
        });
        sums
    }

    /// Sum over rows of `factor * row`, divided by the number of rows, for each class.
    fn weighted(&self, factors: &[f64], squared: bool) -> Vec<f64> {
        let of_class = |factors: &[f64]| self.weighted_of_class(factors, squared);
        let classes: Vec<Vec<f64>> = factors.par_chunks(self.design.rows).map(of_class).collect();
        classes.concat()
    }

    fn weighted_of_class(&self, factors: &[f64], squared: bool) -> Vec<f64> {
        let part = self.part();
        let parts: Vec<Vec<f64>> = factors
            .par_chunks(part)
            .enumerate()
            .map(|(i, chunk)| {
                let mut sums = vec![0.0; self.design.weights];
                add_rows(self.design, i * part, chunk, squared, &mut sums);
                sums
            })
            .collect();
        let mut total = vec![0.0; self.design.weights];
        for sums in parts {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        let rows = self.rows();
        total.iter_mut().for_each(|total| *total /= rows);
        total
    }

    /// How many of the weights of a class are penalised; they come first.
    fn held(&self) -> usize {
        self.design.weights - usize::from(self.free_intercept)
    }

    /// Whether a weight is penalised.
    pub(super) fn is_held(&self, weight: usize) -> bool {
        weight % self.design.weights < self.held()
    }

    fn weight(&self, row: usize) -> f64 {
        self.classes[class_of(self.target[row])] * self.own.get(row).copied().unwrap_or(1.0)
    }

    /// Numbers of rows, times what these weigh.
    fn weighed(&self, mut values: Vec<f64>) -> Vec<f64> {
        if self.own.is_empty() && self.classes.iter().all(|weight| *weight == 1.0) {
            return values;
        }
        for of_class in values.chunks_mut(self.design.rows) {
            let rows = of_class.par_iter_mut().enumerate().with_min_len(4096);
            rows.for_each(|(row, value)| *value *= self.weight(row));
        }
        values
    }

    /// The mean of the intercepts, where nothing else holds it.
    fn mean_intercept(&self, weights: &[f64]) -> Option<f64> {
        let last = self.design.weights - 1;
        let all = || weights.iter().skip(last).step_by(self.design.weights).sum::<f64>();
        (self.free_intercept && self.loss.width() > 1).then(|| all() / self.width())
    }

    /// Adds how the penalty changes where the weights change.
    fn penalised(&self, values: &mut [f64], weights: &[f64]) {
        let (each, held) = (self.design.weights, self.held());
        for (values, weights) in values.chunks_mut(each).zip(weights.chunks(each)) {
            for (value, weight) in values.iter_mut().zip(&weights[..held]) {
                *value += self.penalty * weight;
            }
        }
        if let Some(mean) = self.mean_intercept(weights) {
            let last = self.design.weights - 1;
            values.iter_mut().skip(last).step_by(self.design.weights).for_each(|value| *value += mean);
        }
    }

    pub(super) fn loss(&self, weights: &[f64], sums: &[f64]) -> f64 {
        let losses = self.weighed(self.loss.values(sums, self.target));
        let held = weights.chunks(self.design.weights).flat_map(|own| &own[..self.held()]);
        let squares: f64 = held.map(|weight| weight * weight).sum();
        let loss = losses.iter().sum::<f64>() / self.rows() + self.penalty * squares / 2.0;
        self.mean_intercept(weights).map_or(loss, |mean| loss + self.width() * mean * mean / 2.0)
    }

    pub(super) fn gradient(&self, weights: &[f64], sums: &[f64]) -> Vec<f64> {
        let mut gradient = self.weighted(&self.weighed(self.loss.slopes(sums, self.target)), false);
        self.penalised(&mut gradient, weights);
        gradient
    }

    /// How strongly the loss bends at most along each weight.
    pub(super) fn curves(&self) -> Vec<f64> {
        let most: Vec<f64> = (0..self.design.rows).map(|row| self.weight(row) * self.loss.most_bend()).collect();
        let curves: Vec<f64> = self.weighted(&most, true).into_iter().map(|curve| curve.max(1e-12)).collect();
        curves.repeat(self.loss.width())
    }

    /// How the rows bend at these sums, as [`Problem::diagonal`] and [`Problem::bent`] need it.
    pub(super) fn bends(&self, sums: &[f64]) -> Vec<f64> {
        self.loss.bends(sums, self.target)
    }

    /// How all of it bends along each weight.
    pub(super) fn diagonal(&self, bends: &[f64]) -> Vec<f64> {
        let mut diagonal = self.weighted(&self.weighed(self.loss.along(bends)), true);
        // What a mean changes by one of its parts.
        let share = 1.0 / self.width();
        let ones: Vec<f64> = (0..diagonal.len()).map(|i| if self.is_held(i) { 1.0 } else { share }).collect();
        self.penalised(&mut diagonal, &ones);
        diagonal
    }

    /// How the gradient changes along a direction.
    pub(super) fn bent(&self, bends: &[f64], direction: &[f64]) -> Vec<f64> {
        let moved = self.loss.bent(bends, &self.dots(direction), self.design.rows);
        let mut bent = self.weighted(&self.weighed(moved), false);
        self.penalised(&mut bent, direction);
        bent
    }
}
