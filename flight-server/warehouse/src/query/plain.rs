//! What goes in: columns as the engine has them. What comes out: the same with types that every client reads: no views,
//! and dictionaries only for who wants them.
//!
//! Older clients cannot read views, and some expect one dictionary for all batches. Texts are most of what a scan
//! sends, so that they are written out here: the general cast appends them one by one, and took more than a third of its time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ByteView, RecordBatch, RecordBatchOptions, StringArray, StringViewArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::{Error, Result};

/// A text of so many bytes stands in the view itself, behind four bytes of its length.
const INLINE: usize = 12;

/// The schema without metadata, which two plans of the same query need not agree on, and with types
/// that every client reads.
pub(super) fn plain_schema(schema: &Schema, dictionaries: bool) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().map(|field| plain_field(field, dictionaries)).collect::<Vec<_>>()))
}

fn plain_field(field: &FieldRef, dictionaries: bool) -> FieldRef {
    Arc::new(Field::new(field.name(), plain_type(field.data_type(), dictionaries), field.is_nullable()))
}

/// Without views and, unless they are wanted, dictionaries, also inside of lists and structs.
pub(super) fn plain_type(data_type: &DataType, dictionaries: bool) -> DataType {
    let plain_field = |field: &FieldRef| plain_field(field, dictionaries);
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(key, values) if dictionaries => {
            DataType::Dictionary(key.clone(), Box::new(plain_type(values, dictionaries)))
        }
        DataType::Dictionary(_, values) => plain_type(values, dictionaries),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type(), dictionaries),
        DataType::List(item) | DataType::ListView(item) => DataType::List(plain_field(item)),
        DataType::LargeList(item) | DataType::LargeListView(item) => DataType::LargeList(plain_field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(plain_field(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    }
}

pub(super) fn plain_batch(batch: RecordBatch, target: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(target.fields()).map(|(column, field)| plain(column, field.data_type()));
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    columns
        .collect::<std::result::Result<Vec<_>, _>>()
        .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(target), columns, &rows))
        .map_err(Error::data("send a batch"))
}

pub(super) fn plain(
    column: &ArrayRef,
    data_type: &DataType,
) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    if column.data_type() == data_type {
        return Ok(Arc::clone(column));
    }
    let views = column.as_string_view_opt().filter(|_| *data_type == DataType::Utf8);
    match views.and_then(written_out) {
        Some(texts) => Ok(Arc::new(texts)),
        None => cast(column, data_type),
    }
}

/// The texts one after another. `None` where they are too many for 32-bit offsets or not as views have to be, which
/// the cast tells.
fn written_out(views: &StringViewArray) -> Option<StringArray> {
    let mut end = 0_i64;
    // The length stands in the lowest four bytes. What a null has there means nothing. A sum that is too large is seen
    // at the end.
    let mut add = |view: &u128, valid: bool| {
        end += if valid { i64::from(*view as u32) } else { 0 };
        end as i32
    };
    let mut ends: Vec<i32> = Vec::with_capacity(views.len() + 1);
    ends.push(0);
    match views.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => ends.extend(views.views().iter().map(|view| add(view, true))),
        Some(nulls) => ends.extend(views.views().iter().zip(nulls.iter()).map(|(view, valid)| add(view, valid))),
    }
    let bytes = usize::try_from(i32::try_from(end).ok()?).ok()?;
    // Each short text is copied with what stands behind it, which the next one overwrites.
    let mut values = vec![0_u8; bytes + INLINE];
    let mut start = 0;
    for (view, end) in views.views().iter().zip(ends.get(1..)?) {
        let end = *end as usize;
        let room = values.get_mut(start..)?;
        if end - start <= INLINE {
            *room.first_chunk_mut()? = inline(*view);
        } else {
            let view = ByteView::from(*view);
            let from = view.offset as usize;
            let text = views.data_buffers().get(view.buffer_index as usize)?.get(from..from + view.length as usize)?;
            room.get_mut(..end - start)?.copy_from_slice(text);
        }
        start = end;
    }
    values.truncate(bytes);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    // SAFETY: between two offsets stands a whole text of an array of texts, or nothing; none is looked at again, which
    // takes as long as copying them.
    Some(unsafe { StringArray::new_unchecked(offsets, values.into(), views.nulls().cloned()) })
}

/// The bytes of a view behind its length.
fn inline(view: u128) -> [u8; INLINE] {
    let mut bytes = [0; INLINE];
    let (first, last) = bytes.split_at_mut(8);
    first.copy_from_slice(&((view >> 32) as u64).to_le_bytes());
    last.copy_from_slice(&((view >> 96) as u32).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of all lengths around the one that fits into a view, in several buffers, with nulls.
    fn texts(rows: usize) -> StringViewArray {
        let text = |row: usize| match row % 7 {
            0 => None,
            1 => Some(String::new()),
            2 => Some("열두 글자가 넘는 글".repeat(row % 5)),
            _ => Some("x".repeat(row % 31)),
        };
        StringViewArray::from_iter((0..rows).map(text))
    }

    #[test]
    fn texts_are_what_the_cast_makes_of_them() {
        for rows in [0, 1, 7, 8192] {
            let views = texts(rows);
            for (start, length) in [(0, rows), (rows / 3, rows / 2), (rows, 0)] {
                let slice: ArrayRef = Arc::new(views.slice(start, length));
                let expected = cast(&slice, &DataType::Utf8).unwrap();
                assert_eq!(&plain(&slice, &DataType::Utf8).unwrap(), &expected);
                // The last resort of `plain` is the cast: it must not have come to that.
                assert_eq!(&written_out(slice.as_string_view()).unwrap(), expected.as_string::<i32>());
            }
        }
    }

    #[test]
    fn what_stands_in_a_null_is_left_out() {
        // Lengths 2 and 1, then the letters.
        let views = ScalarBuffer::from(vec![0x7878_0000_0002_u128, 0x61_0000_0001]);
        let nulls = arrow::buffer::NullBuffer::from(vec![false, true]);
        let texts = written_out(&StringViewArray::new(views, vec![], Some(nulls))).unwrap();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [None, Some("a")]);
        assert_eq!(texts.value_data(), b"a");
    }
}
