//! Rows of numbers, one behind the other, and views of them as they are or turned.

use super::product::Packed;
use super::real::Real;

/// Row-major numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Matrix<T> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<T>,
}

/// A matrix as one side of a product sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a, T> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Row-major, of `columns`; or of `rows` where it is turned.
    values: &'a [T],
    turned: bool,
}

impl<T: Real> Matrix<T> {
    pub(crate) fn new(rows: usize, columns: usize, values: Vec<T>) -> Self {
        debug_assert!(values.len() == rows * columns);
        Self { rows, columns, values }
    }

    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self::new(rows, columns, vec![T::ZERO; rows * columns])
    }

    pub(crate) fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The rows from `from` up to `to`, one behind the other.
    pub(crate) fn rows_of(&self, from: usize, to: usize) -> &[T] {
        &self.values[from * self.columns..to * self.columns]
    }

    pub(crate) fn view(&self) -> View<'_, T> {
        View::of(self.rows, self.columns, &self.values)
    }

    #[cfg(test)]
    pub(crate) fn transposed(&self) -> Self {
        let mut turned = Self::zeros(self.columns, self.rows);
        for row in 0..self.rows {
            for (column, &value) in self.row(row).iter().enumerate() {
                turned.values[column * self.rows + row] = value;
            }
        }
        turned
    }

    /// Adds to each column's sum.
    pub(crate) fn add_column_sums(&self, sums: &mut [T]) {
        for row in self.values.chunks_exact(self.columns.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
        }
    }

    /// The same row everywhere.
    pub(crate) fn of_rows(rows: usize, row: &[T]) -> Self {
        let mut values = Vec::with_capacity(rows * row.len());
        (0..rows).for_each(|_| values.extend_from_slice(row));
        Self::new(rows, row.len(), values)
    }
}

impl<'a, T: Real> View<'a, T> {
    pub(crate) fn of(rows: usize, columns: usize, values: &'a [T]) -> Self {
        debug_assert!(values.len() == rows * columns);
        Self { rows, columns, values, turned: false }
    }

    /// Rows as columns.
    pub(crate) fn turned(self) -> Self {
        Self { rows: self.columns, columns: self.rows, values: self.values, turned: !self.turned }
    }

    pub(crate) fn times(self, right: View<'_, T>) -> Matrix<T> {
        let mut result = Matrix::zeros(self.rows, right.columns);
        Packed::new(right).add_product(self, &mut result.values);
        result
    }

    /// Numbers of one row from a column on.
    pub(crate) fn copy_row(&self, row: usize, column: usize, into: &mut [T]) {
        if self.turned {
            let from = self.values[column * self.rows..].chunks(self.rows);
            into.iter_mut().zip(from).for_each(|(into, from)| *into = from[row]);
        } else {
            into.copy_from_slice(&self.values[row * self.columns + column..][..into.len()]);
        }
    }

    /// Numbers of `high` rows, column after column from `column` on, into columns of a strip.
    pub(crate) fn copy_strip(&self, row: usize, high: usize, column: usize, strip: &mut [T]) {
        let width = super::product::HIGH;
        if self.turned {
            for (into, from) in strip.chunks_exact_mut(width).zip(self.values[column * self.rows..].chunks(self.rows)) {
                into[..high].copy_from_slice(&from[row..row + high]);
            }
        } else {
            let deep = strip.len() / width;
            for i in 0..high {
                let from = &self.values[(row + i) * self.columns + column..][..deep];
                for (into, &value) in strip.iter_mut().skip(i).step_by(width).zip(from) {
                    *into = value;
                }
            }
        }
    }
}
