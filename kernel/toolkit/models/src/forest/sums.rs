//! What a bin holds of a node's rows: how much weight of each class.

/// Most classes: their numbers have five bits.
pub(super) const MOST_CLASSES: usize = 32;

/// One training row in a tree's bag: the row, how often it was drawn (below 2^27), and its class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry(u64);

impl Entry {
    pub(super) fn new(row: u32, draws: u32, class: u8) -> Self {
        Self(u64::from(draws) << 37 | u64::from(class) << 32 | u64::from(row))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the row")]
    pub(super) fn row(self) -> usize {
        self.0 as u32 as usize
    }

    fn draws(self) -> u64 {
        self.0 >> 37
    }

    fn class(self) -> u64 {
        self.0 >> 32 & (MOST_CLASSES as u64 - 1)
    }
}

/// Sums over rows that a split is judged by.
pub(super) trait Sums: Copy + Default + Send {
    fn of(entry: Entry, weights: &[f64]) -> Self;
    fn add(&mut self, other: Self);
    fn minus(self, other: Self) -> Self;
    /// Draws of rows.
    fn rows(self) -> u64;
    /// Weight of the rows of a class, that of the class itself left out.
    fn of_class(self, class: usize) -> f64;
    /// The Gini impurity times half the weight, with the weights of the classes.
    fn impurity(self, classes: &[f64]) -> f64;
}

/// Of two classes it is their product over their sum.
#[inline(always)]
fn impurity_of_two(zero: f64, one: f64) -> f64 {
    let product = zero * one;
    if product > 0.0 { product / (zero + one) } else { 0.0 }
}

/// Rows that all weigh the same: both counts in one number, so that a row costs one addition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts(u64);

impl Sums for Counts {
    #[inline(always)]
    fn of(entry: Entry, _: &[f64]) -> Self {
        let draws = entry.draws();
        Self((draws << 32) | (draws * entry.class()))
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
    #[expect(clippy::cast_precision_loss, reason = "at most 2^32 rows")]
    fn of_class(self, class: usize) -> f64 {
        let positive = self.0 & u64::from(u32::MAX);
        if class == 1 { positive as f64 } else { (self.rows() - positive) as f64 }
    }

    #[inline(always)]
    fn impurity(self, classes: &[f64]) -> f64 {
        impurity_of_two(self.of_class(0) * classes[0], self.of_class(1) * classes[1])
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
        let (zero, one) = if entry.class() == 1 { (0.0, weight) } else { (weight, 0.0) };
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
    fn of_class(self, class: usize) -> f64 {
        if class == 1 { self.one } else { self.zero }
    }

    #[inline(always)]
    fn impurity(self, classes: &[f64]) -> f64 {
        impurity_of_two(self.zero * classes[0], self.one * classes[1])
    }
}

/// Rows of up to `K` classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Many<const K: usize> {
    rows: u64,
    weights: [f64; K],
}

impl<const K: usize> Default for Many<K> {
    fn default() -> Self {
        Self { rows: 0, weights: [0.0; K] }
    }
}

impl<const K: usize> Sums for Many<K> {
    #[inline(always)]
    fn of(entry: Entry, weights: &[f64]) -> Self {
        let weight = if weights.is_empty() { 1.0 } else { weights.get(entry.row()).copied().unwrap_or(0.0) };
        let mut sums = Self { rows: entry.draws(), weights: [0.0; K] };
        #[expect(clippy::cast_precision_loss, reason = "at most 2^31 draws")]
        let weight = weight * entry.draws() as f64;
        // Of 5 bits; classes are checked.
        if let Some(own) = usize::try_from(entry.class()).ok().and_then(|class| sums.weights.get_mut(class)) {
            *own = weight;
        }
        sums
    }

    #[inline(always)]
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        for (own, other) in self.weights.iter_mut().zip(other.weights) {
            *own += other;
        }
    }

    #[inline(always)]
    fn minus(mut self, other: Self) -> Self {
        self.rows -= other.rows;
        // Rounding must not leave a negative weight.
        for (own, other) in self.weights.iter_mut().zip(other.weights) {
            *own = (*own - other).max(0.0);
        }
        self
    }

    #[inline(always)]
    fn rows(self) -> u64 {
        self.rows
    }

    #[inline(always)]
    fn of_class(self, class: usize) -> f64 {
        self.weights.get(class).copied().unwrap_or(0.0)
    }

    #[inline(always)]
    fn impurity(self, classes: &[f64]) -> f64 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (own, class) in self.weights.iter().zip(classes) {
            let weight = own * class;
            sum += weight;
            squares += weight * weight;
        }
        // Of whole numbers exact but for the division, so that equal splits are equal.
        if sum > 0.0 { (sum * sum - squares).max(0.0) / (2.0 * sum) } else { 0.0 }
    }
}
