//! Two points -> what a kernel makes of them: eight at a time.

use crate::file::stored;
use crate::lanes::{LANES, Lanes, squared_distances, wide};
use rayon::prelude::*;

/// What two rows have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// The sum of products: a plane in the features themselves.
    Linear,
    /// `exp(-gamma * squared distance)`.
    Rbf,
    /// `(gamma * sum of products + constant) ^ degree`.
    Polynomial {
        /// The power, 1 to 16.
        degree: u32,
        /// What is added before.
        constant: f64,
    },
}

/// A kernel with its scale.
#[derive(Debug, Clone, Copy)]
pub(in crate::svm) struct Function {
    pub(in crate::svm) kernel: Kernel,
    pub(in crate::svm) gamma: f64,
}

/// Blocks of points that are one task; fixed, though values do not depend on it.
const TASK: usize = 128;

impl Function {
    /// Values with eight points; of those that only fill the last block, none that means something.
    #[inline(always)]
    fn values(&self, point: &[f64], block: &[Lanes]) -> Lanes {
        match self.kernel {
            Kernel::Rbf => squared_distances(point, block).map(|square| exp_of_negative(-self.gamma * square)),
            Kernel::Linear => products(point, block),
            Kernel::Polynomial { degree, constant } => {
                products(point, block).map(|product| power(self.gamma * product + constant, degree))
            }
        }
    }

    /// The value of a point with itself.
    pub(in crate::svm) fn own(&self, point: &[f64]) -> f64 {
        let square = || point.iter().map(|x| x * x).sum::<f64>();
        match self.kernel {
            Kernel::Rbf => 1.0,
            Kernel::Linear => square(),
            Kernel::Polynomial { degree, constant } => power(self.gamma * square() + constant, degree),
        }
    }

    /// What no value of a point with one that is no longer goes beyond, without its sign. With itself a polynomial kernel
    /// may make less of a point than that, where its constant is below 0.
    pub(super) fn most(&self, point: &[f64]) -> f64 {
        match self.kernel {
            Kernel::Polynomial { degree, constant } => {
                power(self.gamma * point.iter().map(|x| x * x).sum::<f64>() + constant.abs(), degree)
            }
            Kernel::Linear | Kernel::Rbf => self.own(point),
        }
    }

    /// The values of `point` with all points of `blocks`, on all threads; `row` has room for whole blocks.
    pub(super) fn row(&self, point: &[f64], blocks: &[Lanes], row: &mut [f32]) {
        let (columns, all) = (point.len(), row.len());
        if all <= TASK * LANES {
            return fill(self, point, blocks, row);
        }
        let tasks = row.par_chunks_mut(TASK * LANES).zip(blocks.par_chunks(TASK * columns));
        tasks.for_each(|(row, blocks)| fill(self, point, blocks, row));
    }

    /// The sum of the values of `point` with all points of `blocks`, each times its factor.
    pub(in crate::svm) fn sum(&self, point: &[f64], blocks: &[Lanes], factors: &[f64]) -> f64 {
        weighted(self, point, blocks, factors)
    }

    /// The values of `point` with all points of `blocks`.
    pub(in crate::svm) fn all(&self, point: &[f64], blocks: &[Lanes], values: &mut [f64]) {
        exact(self, point, blocks, values);
    }
}

wide! {
    fn fill(function: &Function, point: &[f64], blocks: &[Lanes], row: &mut [f32]) {
        for (block, row) in blocks.chunks_exact(point.len()).zip(row.chunks_exact_mut(LANES)) {
            let values = function.values(point, block);
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough to find the margin by")]
            row.iter_mut().zip(values).for_each(|(place, value)| *place = value as f32);
        }
    }
}

wide! {
    fn weighted(function: &Function, point: &[f64], blocks: &[Lanes], factors: &[f64]) -> f64 {
        let mut sums = [0.0; LANES];
        for (block, factors) in blocks.chunks_exact(point.len()).zip(factors.chunks(LANES)) {
            let values = function.values(point, block);
            for ((sum, value), factor) in sums.iter_mut().zip(values).zip(factors) {
                *sum += value * factor;
            }
        }
        sums.iter().sum()
    }
}

wide! {
    fn exact(function: &Function, point: &[f64], blocks: &[Lanes], values: &mut [f64]) {
        for (block, values) in blocks.chunks_exact(point.len()).zip(values.chunks_mut(LANES)) {
            values.iter_mut().zip(function.values(point, block)).for_each(|(place, value)| *place = value);
        }
    }
}

#[inline(always)]
fn products(point: &[f64], block: &[Lanes]) -> Lanes {
    let mut sums = [0.0; LANES];
    for (x, others) in point.iter().zip(block) {
        for (sum, other) in sums.iter_mut().zip(others) {
            *sum += x * other;
        }
    }
    sums
}

#[inline(always)]
fn power(base: f64, degree: u32) -> f64 {
    let mut value = 1.0;
    for _ in 0..degree {
        value *= base;
    }
    value
}

/// `exp(x)` for `x` up to 0, to 1 in 10^14 of it: a power of two, and a series for what is left. Written so that eight
/// are computed side by side.
#[inline(always)]
fn exp_of_negative(x: f64) -> f64 {
    /// Added to a small number, it leaves the nearest whole one in the last bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    /// `1 / n!`, from 13 down to 0.
    const SERIES: [f64; 14] = [
        1.605_904_383_682_161_3e-10,
        2.087_675_698_786_81e-9,
        2.505_210_838_544_172e-8,
        2.755_731_922_398_589e-7,
        2.755_731_922_398_589_3e-6,
        2.480_158_730_158_73e-5,
        1.984_126_984_126_984e-4,
        1.388_888_888_888_889e-3,
        8.333_333_333_333_333e-3,
        4.166_666_666_666_666_4e-2,
        0.166_666_666_666_666_66,
        0.5,
        1.0,
        1.0,
    ];
    let x = if x > -708.0 { x } else { -708.0 };
    let moved = x * std::f64::consts::LOG2_E + ROUND;
    let whole = moved - ROUND;
    let rest = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    let mut sum = SERIES[0];
    for factor in &SERIES[1..] {
        sum = sum * rest + factor;
    }
    sum * f64::from_bits((moved.to_bits() << 52).wrapping_add(1.0_f64.to_bits()))
}

stored!(Kernel [0 => Linear {}, 1 => Rbf {}, 2 => Polynomial { degree, constant }]);
stored!(Function { kernel, gamma });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::blocks;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in 0..=70_000 {
            let x = -f64::from(i) / 100.0;
            let (found, expected) = (exp_of_negative(x), x.exp());
            assert!((found / expected - 1.0).abs() < 1e-14, "{x}: {found} and {expected}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(-1e300) < 1e-300);
        assert!(exp_of_negative(f64::NAN) < 1e-300);
    }

    #[test]
    fn a_row_is_the_kernel_of_each_pair() {
        let points: Vec<f64> = (0..33).map(|i| f64::from(i * 7 % 11) / 5.0 - 1.0).collect();
        let inside = blocks(&points, 3);
        for kernel in [Kernel::Linear, Kernel::Rbf, Kernel::Polynomial { degree: 3, constant: 0.5 }] {
            let function = Function { kernel, gamma: 0.7 };
            let (a, mut values) = (&points[3..6], vec![0.0; 11]);
            function.all(a, &inside, &mut values);
            for (b, &value) in points.chunks_exact(3).zip(&values) {
                let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                let expected = match kernel {
                    Kernel::Linear => dot,
                    Kernel::Rbf => (-0.7 * square).exp(),
                    Kernel::Polynomial { .. } => (0.7 * dot + 0.5).powi(3),
                };
                assert!((value - expected).abs() < 1e-13, "{kernel:?}: {value} and {expected}");
            }
            assert!((function.own(a) - values[1]).abs() < 1e-13);
            let factors = [1.0, -2.0, 0.5, 0.0, 3.0, 1.0, 1.0, 1.0, 1.0, -1.0, 2.0];
            let expected: f64 = values.iter().zip(factors).map(|(value, factor)| value * factor).sum();
            assert!((function.sum(a, &inside, &factors) - expected).abs() < 1e-12);
        }
    }
}
