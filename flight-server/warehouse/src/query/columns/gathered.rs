//! What goes in: the batches of a row group as they come from a file. What comes out: its columns among those that are
//! kept, once all rows came.
//!
//! Until then they count as kept ones do. Where there is no room for more of them, they are given up.

use std::collections::HashSet;
use std::mem::take;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::kept::Columns;
use super::place::{Place, bytes_of, lean};

/// A row group on its way.
pub(super) struct Gathered {
    columns: Arc<Columns>,
    parts: Vec<Part>,
    /// Rows that have not come.
    missing: i64,
    bytes: usize,
}

/// What came of one column.
pub(super) struct Part {
    pub(super) place: Place,
    pub(super) batches: Vec<ArrayRef>,
    pub(super) bytes: usize,
    /// The buffers that are counted: batches share some of them.
    seen: HashSet<usize>,
}

impl Gathered {
    pub(super) fn new(columns: &Arc<Columns>, places: Vec<Place>, rows: i64) -> Self {
        let part = |place| Part { place, batches: Vec::new(), bytes: 0, seen: HashSet::new() };
        let parts = places.into_iter().map(part).collect();
        Self { columns: Arc::clone(columns), parts, missing: rows, bytes: 0 }
    }

    /// With one more batch; `None` after the last one, and where there is no room for it.
    pub(super) fn with(mut self, batch: &[ArrayRef]) -> Option<Self> {
        self.missing -= batch.first().map_or(0, |column| column.len()) as i64;
        let more = self.parts.iter_mut().zip(batch).map(|(part, column)| part.add(lean(column))).sum();
        if !self.columns.gather(self.parts.iter().map(|part| &part.place), more) {
            return None;
        }
        self.bytes += more;
        if self.missing != 0 {
            return Some(self);
        }
        let (columns, parts) = (Arc::clone(&self.columns), take(&mut self.parts));
        // From here on they count as what is kept.
        drop(self);
        columns.put(parts);
        None
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.columns.give_back(self.bytes);
    }
}

impl Part {
    fn add(&mut self, batch: ArrayRef) -> usize {
        let bytes = bytes_of(&batch, &mut self.seen);
        self.batches.push(batch);
        self.bytes += bytes;
        bytes
    }
}
