//! Columns of plain values, to rows for a table of the schema `course`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int32Array, RecordBatch, StringArray};
use haetae_client::Addition;
use sha2::{Digest, Sha256};

use super::{SCHEMA, refused};
use crate::error::Result;

/// A column that may have nulls.
pub(super) fn maybe<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

pub(super) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    maybe(values.into_iter().map(Some))
}

/// Points and sizes, none of which comes near the largest number.
pub(super) fn numbers(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    let values = values.into_iter().map(|value| i32::try_from(value).unwrap_or(i32::MAX));
    Arc::new(Int32Array::from_iter_values(values))
}

pub(super) fn days(values: impl IntoIterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Date32Array>())
}

pub(super) fn addition(table: &str, columns: Vec<(&str, ArrayRef)>) -> Result<Addition> {
    let columns = columns.into_iter().map(|(name, values)| (name, values, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| refused(format!("rows for {SCHEMA}.{table}: {error}")))?;
    Ok(Addition { schema: SCHEMA.to_owned(), table: table.to_owned(), rows, replaces: false })
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The same for the same file of the same trainee in a cohort, so that handing it in twice is handing it in once.
pub(super) fn submission_id(cohort: &str, trainee: &str, module: &str, file_sha256: &str) -> String {
    sha256(format!("{cohort}\0{trainee}\0{module}\0{file_sha256}").as_bytes())
}
