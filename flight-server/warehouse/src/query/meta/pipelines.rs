//! What goes in: a table of `meta` that pipelines write, and what one user may see. What comes out: its rows about
//! tables and columns that the user sees, without counts of rows that a filter hides.

use std::path::Path;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::nullif::nullif;
use haetae_schema::Table as StarTable;

use super::{Seen, hidden};
use crate::META;
use crate::query::policy::Access;
use crate::store::{BATCH_ROWS, Pinned, read_parquet};

/// Counts of rows.
const COUNTS: [&str; 4] = ["rows_read", "left_out", "accepted", "rejected"];

pub(super) fn rows(
    table: &StarTable,
    manifest: &Pinned,
    root: &Path,
    seen: &[Seen],
    access: Option<&Access>,
) -> Result<Vec<RecordBatch>, String> {
    let mut found = Vec::new();
    for file in manifest.files(META, table.name) {
        for batch in read_parquet(&root.join(&file.path), None, BATCH_ROWS).map_err(|error| error.to_string())? {
            let batch = batch.map_err(|error| error.to_string())?;
            found.push(shown(table, &batch, seen, access).map_err(|error| error.to_string())?);
        }
    }
    Ok(found)
}

fn shown(
    table: &StarTable,
    batch: &RecordBatch,
    seen: &[Seen],
    access: Option<&Access>,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.map_or("", |column| column.value(row))
    };
    let sees = |row: usize| {
        let (schema, name) = (text("schema_name", row), text("table_name", row));
        let table = seen.iter().find(|(s, t, _)| s == schema && t == name);
        let column = text("column_name", row);
        table.is_some_and(|(_, _, columns)| column.is_empty() || columns.column_with_name(column).is_some())
    };
    // What a column was made of names columns of other tables as well.
    let sees_source = |row: usize| match text("source_table", row).split_once('.') {
        None => true,
        Some((schema, name)) => seen.iter().any(|(s, t, columns)| {
            s == schema && t == name && columns.column_with_name(text("source_column", row)).is_some()
        }),
    };
    let rows = 0..batch.num_rows();
    let keep: BooleanArray = rows.clone().map(|row| Some(sees(row) && sees_source(row))).collect();
    let hide: BooleanArray =
        rows.map(|row| Some(hidden(access, text("schema_name", row), text("table_name", row)))).collect();
    let column = |(field, values): (&haetae_schema::Column, &ArrayRef)| match COUNTS.contains(&field.name) {
        true => nullif(values, &hide),
        false => Ok(values.clone()),
    };
    let columns = table.columns.iter().zip(batch.columns()).map(column).collect::<Result<Vec<_>, _>>()?;
    filter_record_batch(&RecordBatch::try_new(table.arrow_schema(), columns)?, &keep)
}
