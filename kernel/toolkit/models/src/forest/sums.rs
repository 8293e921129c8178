//! What a bin holds of a node's rows: how much weight, and how much of it with target 1.

/// One training row in a tree's bag: the row, how often it was drawn, and its target.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry(u64);

impl Entry {
    pub(super) fn new(row: u32, draws: u32, positive: bool) -> Self {
        Self(u64::from(draws) << 33 | u64::from(positive) << 32 | u64::from(row))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the row")]
    pub(super) fn row(self) -> usize {
        self.0 as u32 as usize
    }

    fn draws(self) -> u64 {
        self.0 >> 33
    }

    fn positive(self) -> u64 {
        self.0 >> 32 & 1
    }
}

/// Sums over rows that a split is judged by.
pub(super) trait Sums: Copy + Default + Send {
    fn of(entry: Entry, weights: &[f64]) -> Self;
    fn add(&mut self, other: Self);
    fn minus(self, other: Self) -> Self;
    /// Draws of rows.
    fn rows(self) -> u64;
    /// Weight of the rows with target 0, and of those with target 1.
    fn classes(self) -> (f64, f64);
}

/// Rows that all weigh the same: both counts in one number, so that a row costs one addition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts(u64);

impl Sums for Counts {
    #[inline(always)]
    fn of(entry: Entry, _: &[f64]) -> Self {
        let draws = entry.draws();
        Self((draws << 32) | (draws * entry.positive()))
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    #[inline(always)]
    fn rows(self) -> u64 {
        self.0 >> 32
    }

    #[inline(always)]
    fn classes(self) -> (f64, f64) {
        let positive = self.0 & u64::from(u32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "at most 2^32 rows")]
        let classes = ((self.rows() - positive) as f64, positive as f64);
        classes
    }
}

/// Rows with weights of their own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weighed {
    rows: u64,
    zero: f64,
    one: f64,
}

impl Sums for Weighed {
    #[inline(always)]
    fn of(entry: Entry, weights: &[f64]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^31 draws")]
        let weight = weights.get(entry.row()).copied().unwrap_or(0.0) * entry.draws() as f64;
        let (zero, one) = if entry.positive() == 1 { (0.0, weight) } else { (weight, 0.0) };
        Self { rows: entry.draws(), zero, one }
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.zero += other.zero;
        self.one += other.one;
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        // Rounding must not leave a negative weight.
        let (zero, one) = ((self.zero - other.zero).max(0.0), (self.one - other.one).max(0.0));
        Self { rows: self.rows - other.rows, zero, one }
    }

    #[inline(always)]
    fn rows(self) -> u64 {
        self.rows
    }

    #[inline(always)]
    fn classes(self) -> (f64, f64) {
        (self.zero, self.one)
    }
}
