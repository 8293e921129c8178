//! Rows of few numbers -> a checked matrix that stores nothing but these.

use crate::{Error, Result};

/// Rows most of whose values are 0: texts, or more categories than fit into memory as columns. Only the others are
/// stored, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseMatrix {
    columns: usize,
    /// Where each row starts, and where the last one ends.
    starts: Vec<usize>,
    positions: Vec<u32>,
    values: Vec<f64>,
}

impl SparseMatrix {
    /// A matrix in compressed rows: those of row `i` are `positions[starts[i]..starts[i + 1]]`, each the number of a
    /// column, rising within the row, with the value beside it. That is `indptr`, `indices` and `data` of SciPy's
    /// `csr_matrix` after `sort_indices`.
    ///
    /// # Errors
    /// [`Error::Sparse`] when `starts` does not rise from 0 to the number of values, the lists differ in length, a
    /// position is not below `columns` or not above the one before it, or a value is no finite number.
    pub fn new(columns: usize, starts: Vec<usize>, positions: Vec<u32>, values: Vec<f64>) -> Result<Self> {
        let fail = |row: usize, reason: String| Err(Error::Sparse { row, reason });
        if positions.len() != values.len() {
            return fail(0, format!("expected as many positions as values, found {}", positions.len()));
        }
        if starts.first() != Some(&0) || starts.last() != Some(&values.len()) {
            return fail(0, format!("expected `starts` to go from 0 to the number of values, {}", values.len()));
        }
        if u32::try_from(columns).is_err() {
            return fail(0, format!("expected at most {} columns, found {columns}", u32::MAX));
        }
        if let Some(row) = starts.windows(2).position(|pair| pair[0] > pair[1]) {
            return fail(row, "it ends before it starts".to_owned());
        }
        for (row, pair) in starts.windows(2).enumerate() {
            let (own, numbers) = (&positions[pair[0]..pair[1]], &values[pair[0]..pair[1]]);
            if let Some(found) = own.iter().find(|&&position| position as usize >= columns) {
                return fail(row, format!("expected positions below {columns}, found {found}"));
            }
            if let Some(found) = own.windows(2).find(|pair| pair[0] >= pair[1]) {
                return fail(row, format!("expected positions that rise, found {} before {}", found[0], found[1]));
            }
            if let Some(found) = numbers.iter().find(|value| !value.is_finite()) {
                return fail(row, format!("expected finite numbers, found {found}"));
            }
        }
        Ok(Self { columns, starts, positions, values })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Numbers that are stored.
    pub fn stored(&self) -> usize {
        self.values.len()
    }

    /// Positions and values of a row; empty outside.
    #[inline(always)]
    pub fn row(&self, row: usize) -> (&[u32], &[f64]) {
        match (self.starts.get(row), self.starts.get(row + 1)) {
            (Some(&from), Some(&to)) => (&self.positions[from..to], &self.values[from..to]),
            _ => (&[], &[]),
        }
    }
}
