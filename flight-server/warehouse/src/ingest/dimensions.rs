//! What goes in: the identifiers that declarations mention. What comes out: rows for the dimension
//! tables that lack them, with everything but the identifier unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use haetae_schema::Table;

use super::keys::read_columns;
use super::layout::schema_table;
use crate::store::Transaction;
use crate::{Error, Result};

/// (column of the fact table, dimension table, its key column).
const MENTIONS: [(&str, &str, &str); 8] = [
    ("importer_id", "dim_importer", "importer_id"),
    ("declarant_id", "dim_declarant", "declarant_id"),
    ("seller_id", "dim_seller", "seller_id"),
    ("courier_id", "dim_courier", "courier_id"),
    ("office_id", "dim_office", "office_id"),
    ("hs6", "dim_hs", "hs6"),
    ("departure_country", "dim_country", "country_code"),
    ("origin_country", "dim_country", "country_code"),
];

/// Identifiers seen, by dimension table.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    seen: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Mentioned {
    /// Notes what the rows of the fact table mention.
    pub(super) fn note(&mut self, items: &RecordBatch) {
        for (column, dimension, _) in MENTIONS {
            let Some(values) = items.column_by_name(column).and_then(|values| values.as_string_opt::<i32>()) else {
                continue;
            };
            let seen = self.seen.entry(dimension).or_default();
            for value in values.iter().flatten() {
                if !seen.contains(value) {
                    seen.insert(value.to_owned());
                }
            }
        }
    }

    /// Rows for the identifiers that the tables do not have yet, sorted by identifier.
    pub(super) fn missing(
        mut self,
        transaction: &Transaction,
        schema: &str,
    ) -> Result<Vec<(&'static Table, RecordBatch)>> {
        let mut found = Vec::new();
        for (_, dimension, key) in MENTIONS {
            let Some(mut wanted) = self.seen.remove(dimension) else { continue };
            read_columns(transaction, schema, dimension, &[key], |batch| {
                for known in batch.column(0).as_string::<i32>().iter().flatten() {
                    wanted.remove(known);
                }
                Ok(())
            })?;
            if !wanted.is_empty() {
                let table = schema_table(dimension)?;
                found.push((table, rows(table, key, &wanted)?));
            }
        }
        Ok(found)
    }
}

fn rows(table: &'static Table, key: &str, identifiers: &BTreeSet<String>) -> Result<RecordBatch> {
    let text = |of: &dyn Fn(&str) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(identifiers.iter().map(|id| of(id))))
    };
    let start = |length: usize| move |code: &str| code.get(..length).unwrap_or(code).to_owned();
    let columns = table.columns.iter().map(|column| match column.name {
        name if name == key => text(&str::to_owned),
        "hs2" => text(&start(2)),
        "hs4" => text(&start(4)),
        _ => new_null_array(&column.data_type, identifiers.len()),
    });
    RecordBatch::try_new(table.arrow_schema(), columns.collect())
        .map_err(Error::data(format!("build rows of {}", table.name)))
}
