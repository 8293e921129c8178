//! What goes in: refused rows. What comes out: rows of the table of rejects.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use haetae_schema::Table;

use super::keys::Seen;
use crate::{Error, Result};

/// So many go into one batch and one file: with the longest texts they stay below the 2 GiB that a column may have.
pub(super) const ROWS: usize = 16_384;

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The table that did not take it.
    pub table: String,
    /// The file as it was given.
    pub file: String,
    /// Physical line in a CSV file (the header is line 1), row number in a Parquet file, from 1.
    pub line_number: u64,
    /// The column as the file calls it; `None` where the row as a whole is wrong.
    pub column: Option<String>,
    /// What was expected and found.
    pub reason: String,
    /// The row as it stood in the file; bytes that are no UTF-8 are replaced.
    pub raw_text: String,
}

/// The columns of the table of rejects.
pub fn rejects_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("load_id", DataType::Int64, false),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("file", DataType::Utf8, false),
        Field::new("line_number", DataType::Int64, false),
        Field::new("column_name", DataType::Utf8, true),
        Field::new("reason", DataType::Utf8, false),
        Field::new("raw_text", DataType::Utf8, false),
    ]))
}

pub(super) fn batch(load_id: u64, rejects: &[Reject]) -> Result<RecordBatch> {
    let text =
        |of: fn(&Reject) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rejects.iter().map(of))) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![load_id as i64; rejects.len()])),
        text(|r| &r.table),
        text(|r| &r.file),
        Arc::new(Int64Array::from_iter_values(rejects.iter().map(|r| r.line_number as i64))),
        Arc::new(rejects.iter().map(|r| r.column.as_deref()).collect::<StringArray>()),
        text(|r| &r.reason),
        text(|r| &r.raw_text),
    ];
    RecordBatch::try_new(rejects_schema(), columns).map_err(Error::data("build rows of rejects"))
}

/// Why a row is refused whose key has been seen.
pub(super) fn duplicate(rows: &RecordBatch, table: &Table, row: usize, seen: Seen) -> String {
    let value = |name: &&str| {
        let column = rows.column_by_name(name)?;
        let text = if column.is_null(row) { "null".to_owned() } else { array_value_to_string(column, row).ok()? };
        let quoted = column.as_string_opt::<i32>().is_some() && !column.is_null(row);
        Some(if quoted { format!("{name} \"{text}\"") } else { format!("{name} {text}") })
    };
    let key = table.key.iter().filter_map(value).collect::<Vec<_>>().join(", ");
    match seen {
        Seen::InTable => format!("duplicate key {key}: {} has it already", table.name),
        Seen::InLoad => format!("duplicate key {key}: an earlier row of this load has it"),
    }
}

/// The beginning of a text that is too long.
pub(super) fn cut(mut text: String, most: usize) -> String {
    let size = text.len();
    if size > most {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text += &format!(" … ({} bytes more)", size - end);
    }
    text
}
