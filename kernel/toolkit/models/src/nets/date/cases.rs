//! Rows as DATE sees them, what was found in them, and how a net learns from them.

use super::net::Leafy;
use crate::Result;
use crate::file::stored;
use crate::nets::device::{Batch, Batches, Remote, said};
use crate::nets::front::Inputs;
use crate::nets::layer::{Pass, Weights};
use crate::nets::matrix::Matrix;
use crate::nets::training::{Learner, log_loss, squared_loss};
use crate::nets::weights::{Net, in_blocks};

/// Rows that are scored at a time.
pub(super) const SCORED: usize = 128;

/// Rows that are scored at a time on a device.
pub(super) const SCORED_THERE: usize = 16 * SCORED;

/// Rows: the place of each leaf among those of all trees, the codes of the entities, and what the trees of revenue say.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Cases {
    pub(in crate::nets) trees: usize,
    pub(in crate::nets) places: Vec<u32>,
    pub(in crate::nets) entities: Inputs,
    /// Where the head of revenue starts; nothing where it starts from 0.
    pub(in crate::nets) starts: Vec<f64>,
}

impl Cases {
    pub(in crate::nets) fn of(&self, rows: &[usize]) -> Vec<u32> {
        let leaves = rows.iter().flat_map(|row| &self.places[row * self.trees..(row + 1) * self.trees]);
        leaves.copied().collect()
    }

    pub(super) fn start(&self, row: usize) -> f64 {
        self.starts.get(row).copied().unwrap_or(0.0)
    }

    /// Rows as a device takes them, without what was found in them.
    pub(super) fn batch(&self, rows: &[usize]) -> Batch {
        Batch { rows: rows.len(), codes: self.entities.of(rows).1, places: self.of(rows), ..Batch::default() }
    }
}

/// How amounts become what the head of revenue learns: `ln(1 + amount / unit)`, by its deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) unit: f64,
    pub(super) deviation: f64,
}

stored!(Scale { unit, deviation });

impl Scale {
    /// Of amounts that are learnt, of which one at least is above 0.
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    pub(super) fn fit(unit: f64, amounts: &[f64]) -> Self {
        let plain = Self { unit, deviation: 1.0 };
        let known = plain.of(amounts);
        let count = known.len() as f64;
        let mean = known.iter().sum::<f64>() / count;
        let squares: f64 = known.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (squares / count).sqrt();
        // All the same amount, but for rounding: then it is the unit itself that is learnt.
        let deviation = if spread > 1e-9 * mean.abs() { spread } else { 1.0 };
        Self { unit, deviation }
    }

    pub(super) fn of(self, amounts: &[f64]) -> Vec<f64> {
        let logarithm = |amount: &f64| {
            let times = amount / self.unit;
            // An amount of a row that is not learnt may be any.
            if times.is_finite() { times.ln_1p() } else { amount.ln() - self.unit.ln() }
        };
        amounts.iter().map(|amount| logarithm(amount) / self.deviation).collect()
    }

    /// Back to an amount, never below 0; infinite or NaN where it would be beyond all numbers or the head said none.
    pub(super) fn amount(self, said: f64) -> f64 {
        // `max` would make 0 of NaN.
        let logarithm = (said * self.deviation).clamp(0.0, f64::INFINITY);
        let times = logarithm.exp_m1();
        if times.is_finite() { self.unit * times } else { (logarithm + self.unit.ln()).exp() }
    }
}

/// What was found in rows.
#[derive(Debug, Clone)]
pub(in crate::nets) struct Said {
    pub(in crate::nets) fraud: Vec<f64>,
    /// Scaled, and without what the trees say.
    pub(in crate::nets) revenue: Vec<f64>,
    /// What the loss of fraud counts.
    pub(in crate::nets) weights: Vec<f64>,
    /// What the loss of revenue counts, beside that of fraud; 0 for a row whose amount is not learnt.
    pub(in crate::nets) alphas: Vec<f64>,
}

impl Said {
    /// The losses' sum; the sums of both heads become gradients of their mean over `count`.
    pub(in crate::nets) fn loss<T: crate::nets::real::Real>(
        &self,
        rows: &[usize],
        [fraud, revenue]: &mut [Matrix<T>; 2],
        count: f64,
    ) -> f64 {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let of_fraud = log_loss(&mut fraud.values, &of(&self.fraud), &of(&self.weights), count);
        of_fraud + squared_loss(&mut revenue.values, &of(&self.revenue), &of(&self.alphas), count)
    }
}

/// A net and the rows that it learns from.
pub(super) struct Rows {
    pub(super) net: Leafy<f32>,
    pub(super) train: (Cases, Said),
    pub(super) valid: Option<(Cases, Said)>,
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
impl Learner<f32> for Rows {
    fn learn(&mut self, rows: &[usize], pass: &mut Pass) -> Result<(f64, f64)> {
        let (cases, said) = &self.train;
        let mut sums = self.net.forward(cases.of(rows), &cases.entities, rows, pass);
        let loss = said.loss(rows, &mut sums, rows.len() as f64);
        self.net.backward(sums);
        Ok((loss, rows.len() as f64))
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        let Some((cases, said)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..said.fraud.len()).collect();
        let losses = in_blocks(&self.net, &all, SCORED, &|net, rows| {
            let mut sums = net.forward(cases.of(rows), &cases.entities, rows, &mut Pass::scoring());
            vec![said.loss(rows, &mut sums, 1.0)]
        })?;
        Ok(Some(losses.into_iter().flatten().sum::<f64>() / said.fraud.len() as f64))
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<f32>)) {
        self.net.weights(each);
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
impl Batches for Rows {
    fn batch(&self, rows: &[usize], pass: &mut Pass) -> (Batch, f64) {
        let (cases, found) = &self.train;
        let masks = self.net.drawn(rows.len(), &mut pass.random);
        let said = [said(rows, &found.fraud, &found.weights), said(rows, &found.revenue, &found.alphas)].concat();
        (Batch { masks, said, ..cases.batch(rows) }, rows.len() as f64)
    }

    fn valid_loss_of(&self, net: &mut Remote) -> Result<Option<f64>> {
        let Some((cases, found)) = &self.valid else { return Ok(None) };
        let all: Vec<usize> = (0..found.fraud.len()).collect();
        let loss = |rows: &[usize], sums: Vec<f32>| found.loss(rows, &mut of_heads(sums), 1.0);
        let losses = net.in_blocks(&all, SCORED_THERE, &|rows| cases.batch(rows), &loss)?;
        Ok(Some(losses.iter().sum::<f64>() / found.fraud.len() as f64))
    }
}

/// The sums of both heads, a column each.
pub(super) fn of_heads(mut sums: Vec<f32>) -> [Matrix<f32>; 2] {
    let revenue = sums.split_off(sums.len() / 2);
    [Matrix::new(sums.len(), 1, sums), Matrix::new(revenue.len(), 1, revenue)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_are_learnt_in_their_unit() {
        // The mean of these is not quite one of them.
        for amounts in [vec![0.1; 10], vec![123_456.7; 7], vec![5.0; 1]] {
            let scale = Scale::fit(3.3, &amounts);
            assert_eq!(scale.deviation, 1.0, "{amounts:?}");
            let said = scale.of(&amounts)[0];
            assert!((scale.amount(said) / amounts[0] - 1.0).abs() < 1e-12);
        }
        let unlike = Scale::fit(1.0, &[0.0, 1.0_f64.exp_m1() * 2.0]);
        assert!(unlike.deviation > 0.1 && unlike.deviation != 1.0);
    }

    #[test]
    fn amounts_come_back_however_far_they_are_from_the_unit_and_what_is_no_number_stays_so() {
        let scale = Scale { unit: 1e-300, deviation: 0.5 };
        for amount in [1e-305, 1e-300, 7.0, 1e300] {
            let found = scale.amount(scale.of(&[amount])[0]);
            assert!((found / amount - 1.0).abs() < 1e-9, "{amount:e}: {found:e}");
        }
        assert_eq!((scale.of(&[0.0])[0], scale.amount(0.0), scale.amount(-1e9)), (0.0, 0.0, 0.0));
        assert!(scale.amount(f64::NAN).is_nan() && scale.amount(1e9).is_infinite());
    }
}
