//! What goes in: a file and what is wanted of it. What comes out: under what name a column of a row group is kept, and
//! how many bytes it takes.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::object_store::ObjectMeta;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

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

    /// As the manifest has it.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

/// The column without what none of its values needs: a page that short texts came from.
pub(super) fn lean(column: &ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) if !texts.data_buffers().is_empty() && texts.total_buffer_bytes_used() == 0 => Arc::new(texts.gc()),
        _ => Arc::clone(column),
    }
}

/// The bytes that a batch of a column holds beside the buffers that were seen before.
pub(super) fn bytes_of(batch: &ArrayRef, seen: &mut HashSet<usize>) -> usize {
    size_of::<ArrayData>() + held(&batch.to_data(), seen)
}

fn held(data: &ArrayData, seen: &mut HashSet<usize>) -> usize {
    let nulls = data.nulls().map(|nulls| nulls.buffer());
    let buffers = data.buffers().iter().chain(nulls);
    let own = buffers.filter(|buffer| seen.insert(buffer.data_ptr().as_ptr() as usize)).map(|buffer| buffer.capacity());
    own.sum::<usize>() + data.child_data().iter().map(|child| held(child, seen)).sum::<usize>()
}

/// About how many bytes columns of a row group take when they are decoded. A text that stands in a dictionary is written
/// once in views, and as often as it occurs one after another.
pub(super) fn expected(group: &RowGroupMetaData, columns: &Schema) -> usize {
    let bytes = |count: i64| usize::try_from(count).unwrap_or_default();
    let rows = bytes(group.num_rows());
    let of_column = |field: &Arc<Field>| {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == *field.name());
        let packed = chunk.map_or(0, |chunk| bytes(chunk.uncompressed_size()));
        let texts = chunk.and_then(ColumnChunkMetaData::unencoded_byte_array_data_bytes).map_or(packed, bytes);
        match field.data_type() {
            DataType::Utf8 => rows.saturating_mul(size_of::<i32>()).saturating_add(texts),
            DataType::Utf8View => rows.saturating_mul(size_of::<u128>()).saturating_add(packed),
            other => other.primitive_width().map_or(packed, |width| rows.saturating_mul(width)),
        }
    };
    columns.fields().iter().map(of_column).fold(0, usize::saturating_add)
}
