//! What a net is shown at once.

/// Rows of a batch. Which lists are full depends on the net; the others are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Batch<'a> {
    pub(crate) rows: usize,
    /// Numbers of each row, one row behind the other; or its picture.
    pub(crate) inputs: &'a [f32],
    /// Places of each row in the tables, one row behind the other.
    pub(crate) codes: &'a [u32],
    /// DATE: the leaves of each row. Along sequences: how many rows each step has, which lie step after step.
    pub(crate) places: &'a [u32],
    /// What dropout multiplies with, layer after layer; empty where nothing is dropped.
    pub(crate) masks: &'a [f32],
    /// Head after head the targets of all rows, then their weights; empty where nothing is learnt.
    pub(crate) said: &'a [f32],
    /// Whether a pass backward follows.
    pub(crate) learning: bool,
}

impl<'a> Batch<'a> {
    /// Target and weight of some rows, of one head.
    pub(crate) fn said(&self, head: usize, rows: std::ops::Range<usize>) -> (&'a [f32], &'a [f32]) {
        let part = |which: usize| {
            let from = (2 * head + which) * self.rows;
            self.said.get(from + rows.start..from + rows.end).unwrap_or(&[])
        };
        (part(0), part(1))
    }
}
