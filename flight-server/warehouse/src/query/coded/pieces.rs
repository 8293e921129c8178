//! What goes in: rows of columns, each with a value that is new, in the order of the numbers. What comes out: the values
//! of numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_empty_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use datafusion::error::Result;

/// Values in the order of their numbers.
#[derive(Debug)]
pub(super) struct Pieces {
    data_type: DataType,
    pieces: Vec<ArrayRef>,
    /// The number of the first value of each.
    begins: Vec<usize>,
    values: usize,
    bytes: usize,
}

impl Pieces {
    pub(super) fn new(data_type: DataType) -> Self {
        Self { data_type, pieces: Vec::new(), begins: Vec::new(), values: 0, bytes: 0 }
    }

    pub(super) fn size(&self) -> usize {
        self.bytes
    }

    /// The values in these rows have the next numbers.
    pub(super) fn keep(&mut self, column: &dyn Array, rows: Vec<u32>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let piece = take(column, &UInt32Array::from(rows), None)?;
        // Views hold on to all texts of the batch that they come from.
        let piece = match piece.as_string_view_opt() {
            Some(views) => Arc::new(views.gc()) as ArrayRef,
            None => piece,
        };
        self.begins.push(self.values);
        self.values += piece.len();
        self.bytes += piece.get_array_memory_size();
        self.pieces.push(piece);
        Ok(())
    }

    pub(super) fn values(&self, numbers: Vec<u32>) -> Result<ArrayRef> {
        match self.pieces.as_slice() {
            [] => Ok(new_empty_array(&self.data_type)),
            [one] => Ok(take(one, &UInt32Array::from(numbers), None)?),
            // Never all of them together, which may be too many for one array of texts.
            some => {
                let place = |number: u32| {
                    let piece = self.begins.partition_point(|begin| *begin <= number as usize) - 1;
                    (piece, number as usize - self.begins[piece])
                };
                let places: Vec<(usize, usize)> = numbers.into_iter().map(place).collect();
                Ok(interleave(&some.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>(), &places)?)
            }
        }
    }
}
