//! What goes in: a file and what is wanted of it. What comes out: under what name a column of a row group is kept, and
//! how many bytes it takes.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::object_store::ObjectMeta;

/// One column of one row group of one file, of one type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: Arc<FileName>,
    pub(super) group: usize,
    pub(super) column: Arc<str>,
    /// Texts are kept as those who ask want them: as views for computing, one after another for sending.
    pub(super) data_type: DataType,
}

/// A file. Its name is never used again; were it, size and time would tell.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FileName {
    path: String,
    bytes: u64,
    modified: Option<i64>,
}

impl FileName {
    pub(super) fn of(object: &ObjectMeta) -> Self {
        let path = object.location.to_string();
        Self { path, bytes: object.size, modified: object.last_modified.timestamp_nanos_opt() }
    }
}

/// The column without what none of its values needs: a page that short texts came from.
pub(super) fn lean(column: &ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) if !texts.data_buffers().is_empty() && texts.total_buffer_bytes_used() == 0 => Arc::new(texts.gc()),
        _ => Arc::clone(column),
    }
}

/// The bytes that the batches of a column hold, where they share some of them.
pub(super) fn bytes_of(batches: &[ArrayRef]) -> usize {
    let mut seen = HashSet::new();
    batches.iter().map(|batch| size_of::<ArrayData>() + held(&batch.to_data(), &mut seen)).sum()
}

fn held(data: &ArrayData, seen: &mut HashSet<usize>) -> usize {
    let nulls = data.nulls().map(|nulls| nulls.buffer());
    let buffers = data.buffers().iter().chain(nulls);
    let own = buffers.filter(|buffer| seen.insert(buffer.data_ptr().as_ptr() as usize)).map(|buffer| buffer.capacity());
    own.sum::<usize>() + data.child_data().iter().map(|child| held(child, seen)).sum::<usize>()
}
