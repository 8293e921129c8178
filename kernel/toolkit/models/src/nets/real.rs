//! Numbers that nets reckon with: `f32` in use, `f64` where gradients are compared with differences.
//!
//! The same bits for any number of threads, and on machines with the same system library: `exp` is our own, sums of
//! products are fused (see [`super::product`]), and nothing else is; schedules and losses take `cos` and `ln` from the
//! system.

use super::product::{HIGH, WIDE, tile_f32, tile_of};
use crate::lanes::wide;
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

/// A number of a net.
pub(crate) trait Real:
    Copy
    + Default
    + Debug
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
    + Sum
    + 'static
{
    const ZERO: Self;
    const ONE: Self;

    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
    fn root(self) -> Self;
    /// `1 / (1 + exp(-x))` of each.
    fn sigmoid(values: &mut [Self]);
    fn tanh(values: &mut [Self]);
    /// Each row of so many numbers to shares that sum to 1: `exp(x)` by the sum of its row.
    fn softmax(values: &mut [Self], width: usize);
    /// Sums of products of packed strips; see [`super::product`].
    fn tile(a: &[Self], b: &[Self], sums: &mut [[Self; WIDE]; HIGH]);
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[expect(clippy::cast_possible_truncation, reason = "nets reckon in f32")]
    fn of(value: f64) -> Self {
        value as Self
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    fn sigmoid(values: &mut [Self]) {
        sigmoids(values);
    }

    fn tanh(values: &mut [Self]) {
        tanhs(values);
    }

    fn softmax(values: &mut [Self], width: usize) {
        softmaxes(values, width);
    }

    fn tile(a: &[Self], b: &[Self], sums: &mut [[Self; WIDE]; HIGH]) {
        tile_f32(a, b, sums);
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn of(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }

    fn root(self) -> Self {
        self.sqrt()
    }

    fn sigmoid(values: &mut [Self]) {
        values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
    }

    fn tanh(values: &mut [Self]) {
        values.iter_mut().for_each(|value| *value = value.tanh());
    }

    fn softmax(values: &mut [Self], width: usize) {
        for row in values.chunks_exact_mut(width) {
            let most = row.iter().copied().fold(Self::NEG_INFINITY, Self::max);
            row.iter_mut().for_each(|value| *value = (*value - most).exp());
            let sum: Self = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
    }

    fn tile(a: &[Self], b: &[Self], sums: &mut [[Self; WIDE]; HIGH]) {
        tile_of(a, b, sums);
    }
}

/// 2 to a whole power, from its bits, times the Taylor series of what is left, at most half of ln 2: the term left out
/// is below 6e-9.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding and taking it away rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    #[expect(clippy::excessive_precision, reason = "355/512 in full: so few bits that times a power it is exact")]
    const LN_2_HIGH: f32 = 0.693_359_375;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = x - power * LN_2_HIGH - power * LN_2_LOW;
    let mut series = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * rest + factor;
    }
    // The lowest bits of the shifted number are those of the power.
    let scale = f32::from_bits((shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
    series * scale
}

wide! {
    fn sigmoids(values: &mut [f32]) {
        values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + exp(-*value)));
    }
}

wide! {
    fn tanhs(values: &mut [f32]) {
        values.iter_mut().for_each(|value| *value = 1.0 - 2.0 / (exp(2.0 * *value) + 1.0));
    }
}

wide! {
    fn softmaxes(values: &mut [f32], width: usize) {
        for row in values.chunks_exact_mut(width) {
            // In eight lanes side by side, always the same ones.
            let (mut most, mut sums) = ([f32::NEG_INFINITY; 8], [0.0_f32; 8]);
            for chunk in row.chunks(8) {
                most.iter_mut().zip(chunk).for_each(|(most, &value)| *most = if value > *most { value } else { *most });
            }
            let most = most.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for chunk in row.chunks_mut(8) {
                for (sum, value) in sums.iter_mut().zip(chunk) {
                    *value = exp(*value - most);
                    *sum += *value;
                }
            }
            let scale = 1.0 / sums.iter().sum::<f32>();
            row.iter_mut().for_each(|value| *value *= scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_right_to_the_last_digits_and_sum_to_1() {
        for width in [1, 2, 7, 8, 9, 100] {
            let scores: Vec<f32> = (0..3 * width).map(|i| ((i * 37 % 91) as f32 - 45.0) * 0.7).collect();
            let (mut shares, mut right) = (scores.clone(), scores.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>());
            <f32 as Real>::softmax(&mut shares, width);
            <f64 as Real>::softmax(&mut right, width);
            for (row, right) in shares.chunks(width).zip(right.chunks(width)) {
                assert!((row.iter().map(|&x| f64::from(x)).sum::<f64>() - 1.0).abs() < 1e-6, "{width}: {row:?}");
                let near = |(&x, &y): (&f32, &f64)| (f64::from(x) - y).abs() < 1e-5 * y + 1e-30;
                assert!(row.iter().zip(right).all(near), "{width}: {row:?} {right:?}");
            }
        }
        let mut none = [1.0, f32::NAN, 2.0];
        <f32 as Real>::softmax(&mut none, 3);
        assert!(none.iter().all(|share| share.is_nan()), "what is no number must be noticed");
    }

    #[test]
    fn curves_are_right_to_the_last_digits() {
        for i in -4000..=4000 {
            let x = i as f32 / 40.0;
            let (mut sigmoid, mut tanh) = ([x; 3], [x; 11]);
            f32::sigmoid(&mut sigmoid);
            <f32 as Real>::tanh(&mut tanh);
            let x = f64::from(x);
            let right = 1.0 / (1.0 + f64::exp(-x));
            assert!((f64::from(sigmoid[1]) - right).abs() < 2e-7 * right + 1e-37, "{x}: {}", sigmoid[1]);
            assert!((f64::from(tanh[10]) - f64::tanh(x)).abs() < 2.5e-7, "{x}: {}", tanh[10]);
            assert!(x < -87.0 || (f64::from(exp(x.min(88.0) as f32)) / x.min(88.0).exp() - 1.0).abs() < 3e-7, "{x}");
        }
        let mut wrong = [f32::NAN];
        f32::sigmoid(&mut wrong);
        assert!(wrong[0].is_nan());
    }
}
