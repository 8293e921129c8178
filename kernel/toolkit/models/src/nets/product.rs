//! Two matrices -> their product, on all threads and with the same bits for any number of them.
//!
//! The right side is packed into strips of [`WIDE`] columns, the left one into strips of [`HIGH`] rows; a tile of the
//! result stays in registers while `DEPTH` products are summed (Goto and van de Geijn, *Anatomy of high-performance
//! matrix multiplication*, 2008). Every element is the same chain of fused steps, in whatever tile and thread it lies:
//! a row's result does not depend on the rows beside it.

use super::matrix::View;
use super::real::Real;
use rayon::prelude::*;

/// Rows of a tile.
pub(crate) const HIGH: usize = 6;
/// Columns of a tile.
pub(crate) const WIDE: usize = 16;
/// Products that are summed before a tile is added to the result: two strips of so many stay in the cache.
const DEPTH: usize = 256;
/// Most rows that a thread takes at a time.
const ROWS: usize = 96;
/// Products below which other threads are not worth waking.
const FEW: usize = 1 << 20;

/// A right side, ready to be multiplied with many left ones.
#[derive(Debug, Clone)]
pub(crate) struct Packed<T> {
    depth: usize,
    columns: usize,
    /// Block of depth after block of depth, in each strip after strip, in each row after row.
    values: Vec<T>,
}

impl<T: Real> Packed<T> {
    pub(crate) fn new(right: View<'_, T>) -> Self {
        let (depth, columns) = (right.rows, right.columns);
        let strips = columns.div_ceil(WIDE);
        let mut values = vec![T::ZERO; depth * strips * WIDE];
        for from in (0..depth).step_by(DEPTH) {
            let deep = DEPTH.min(depth - from);
            for strip in 0..strips {
                let start = from * strips * WIDE + strip * deep * WIDE;
                let width = WIDE.min(columns - strip * WIDE);
                for (row, into) in values[start..start + deep * WIDE].chunks_exact_mut(WIDE).enumerate() {
                    right.copy_row(from + row, strip * WIDE, &mut into[..width]);
                }
            }
        }
        Self { depth, columns, values }
    }

    /// Adds `left` times this to `result`, row-major.
    pub(crate) fn add_product(&self, left: View<'_, T>, result: &mut [T]) {
        debug_assert!(left.columns == self.depth && result.len() == left.rows * self.columns);
        if result.is_empty() || self.depth == 0 {
            return;
        }
        let work = left.rows * self.depth * self.columns;
        if work < FEW {
            self.add_rows(left, 0, result);
            return;
        }
        let share = left.rows.div_ceil(rayon::current_num_threads()).next_multiple_of(HIGH).min(ROWS);
        let chunks = result.par_chunks_mut(share * self.columns).enumerate();
        chunks.for_each(|(chunk, rows)| self.add_rows(left, chunk * share, rows));
    }

    /// The rows of `left` from `first` on.
    fn add_rows(&self, left: View<'_, T>, first: usize, result: &mut [T]) {
        let rows = result.len() / self.columns;
        let strips = self.columns.div_ceil(WIDE);
        let mut packed = vec![T::ZERO; rows.min(ROWS).next_multiple_of(HIGH) * DEPTH.min(self.depth)];
        for (block, result) in result.chunks_mut(ROWS * self.columns).enumerate() {
            let first = first + block * ROWS;
            let rows = result.len() / self.columns;
            for from in (0..self.depth).step_by(DEPTH) {
                let deep = DEPTH.min(self.depth - from);
                pack_left(left, first, rows, from, deep, &mut packed);
                for strip in 0..strips {
                    let start = from * strips * WIDE + strip * deep * WIDE;
                    let right = &self.values[start..start + deep * WIDE];
                    let width = WIDE.min(self.columns - strip * WIDE);
                    for (number, left) in packed.chunks_exact(deep * HIGH).take(rows.div_ceil(HIGH)).enumerate() {
                        let mut sums = [[T::ZERO; WIDE]; HIGH];
                        T::tile(left, right, &mut sums);
                        let high = HIGH.min(rows - number * HIGH);
                        for (i, sums) in sums.iter().enumerate().take(high) {
                            let at = (number * HIGH + i) * self.columns + strip * WIDE;
                            let into = &mut result[at..at + width];
                            into.iter_mut().zip(sums).for_each(|(into, sum)| *into += *sum);
                        }
                    }
                }
            }
        }
    }
}

/// Strips of rows, column after column; what is left of the last is 0.
fn pack_left<T: Real>(left: View<'_, T>, first: usize, rows: usize, from: usize, deep: usize, packed: &mut [T]) {
    for (number, strip) in packed.chunks_exact_mut(deep * HIGH).take(rows.div_ceil(HIGH)).enumerate() {
        let high = HIGH.min(rows - number * HIGH);
        if high < HIGH {
            strip.fill(T::ZERO);
        }
        left.copy_strip(first + number * HIGH, high, from, strip);
    }
}

/// Sums of products of a strip of rows and a strip of columns.
#[inline(always)]
pub(crate) fn tile_of<T: Real + Fused>(a: &[T], b: &[T], sums: &mut [[T; WIDE]; HIGH]) {
    for (a, b) in a.chunks_exact(HIGH).zip(b.chunks_exact(WIDE)) {
        for (sums, &a) in sums.iter_mut().zip(a) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = a.fused(b, *sum);
            }
        }
    }
}

/// A product that is added with one rounding.
pub(crate) trait Fused: Copy {
    fn fused(self, by: Self, to: Self) -> Self;
}

impl Fused for f32 {
    #[inline(always)]
    fn fused(self, by: Self, to: Self) -> Self {
        self.mul_add(by, to)
    }
}

impl Fused for f64 {
    #[inline(always)]
    fn fused(self, by: Self, to: Self) -> Self {
        self.mul_add(by, to)
    }
}

/// As [`tile_of`], in the registers of AVX2 where the machine has them. A machine without fused steps gets the same
/// bits slowly.
pub(crate) fn tile_f32(a: &[f32], b: &[f32], sums: &mut [[f32; WIDE]; HIGH]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has been asked for both in the line above.
        unsafe { tile_on_avx2(a, b, sums) };
        return;
    }
    tile_of(a, b, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tile_on_avx2(a: &[f32], b: &[f32], sums: &mut [[f32; WIDE]; HIGH]) {
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps};
    let (mut left, mut right) = ([_mm256_setzero_ps(); HIGH], [_mm256_setzero_ps(); HIGH]);
    for (a, b) in a.chunks_exact(HIGH).zip(b.chunks_exact(WIDE)) {
        // SAFETY: the chunk has twice eight numbers.
        let (low, high) = unsafe { (_mm256_loadu_ps(b.as_ptr()), _mm256_loadu_ps(b.as_ptr().add(8))) };
        for (i, &a) in a.iter().enumerate() {
            let a = _mm256_set1_ps(a);
            left[i] = _mm256_fmadd_ps(a, low, left[i]);
            right[i] = _mm256_fmadd_ps(a, high, right[i]);
        }
    }
    for (i, sums) in sums.iter_mut().enumerate() {
        // SAFETY: a row of the tile has twice eight numbers.
        unsafe {
            _mm256_storeu_ps(sums.as_mut_ptr(), left[i]);
            _mm256_storeu_ps(sums.as_mut_ptr().add(8), right[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use crate::random::Random;

    fn drawn(random: &mut Random, rows: usize, columns: usize) -> Matrix<f32> {
        Matrix::new(rows, columns, (0..rows * columns).map(|_| random.unit() as f32 - 0.5).collect())
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let mut random = Random::new(1);
        for (m, k, n) in [(1, 1, 1), (5, 3, 17), (6, 256, 16), (7, 257, 15), (200, 600, 33), (97, 40, 128), (3, 0, 4)] {
            let (a, b) = (drawn(&mut random, m, k), drawn(&mut random, k, n));
            let product = a.view().times(b.view());
            let (across, down) = (a.transposed(), b.transposed());
            assert_eq!(product.values, across.view().turned().times(down.view().turned()).values);
            for i in 0..m {
                for j in 0..n {
                    let right: f64 = (0..k).map(|l| f64::from(a.row(i)[l]) * f64::from(b.row(l)[j])).sum();
                    assert!((f64::from(product.row(i)[j]) - right).abs() < 2e-5, "{m} {k} {n}: {i} {j}");
                }
                // Alone it is the same as among others.
                let alone = Matrix::new(1, k, a.row(i).to_vec());
                assert_eq!(alone.view().times(b.view()).values, product.row(i));
            }
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            assert_eq!(one.install(|| a.view().times(b.view()).values), product.values);
        }
    }
}
