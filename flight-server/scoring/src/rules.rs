//! What goes in: the conditions of a definition and a day. What comes out: the day's rows with what each condition says, or
//! the rule and the row on which it fails.

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use haetae_warehouse::query::Snapshot;

use crate::{Definition, Error, Result, read, sql};

/// The day's items with a column `rule:N` for each rule.
pub(crate) async fn items(snapshot: &Snapshot, definition: &Definition, day: NaiveDate) -> Result<RecordBatch> {
    let conditions: Vec<&str> = definition.rules.iter().map(|rule| rule.when.as_str()).collect();
    match read::defined(snapshot, definition, &sql::rows(definition, day, &conditions, sql::ITEM_KEY)).await {
        Ok(batch) => Ok(batch),
        Err(error) => Err(explain(snapshot, definition, day, error).await),
    }
}

/// Whose fault it is that the statement failed.
async fn explain(
    snapshot: &Snapshot,
    definition: &Definition,
    day: NaiveDate,
    error: haetae_warehouse::Error,
) -> Error {
    let plain = match read::defined(snapshot, definition, &sql::rows(definition, day, &[], sql::ITEM_KEY)).await {
        Ok(batch) => batch,
        Err(source) => return Error::Sql { day, source },
    };
    for rule in &definition.rules {
        let alone = sql::rows(definition, day, &[&rule.when], sql::ITEM_KEY);
        let broken =
            |source: haetae_warehouse::Error| Error::Rule { rule: rule.name.clone(), reason: source.to_string() };
        if let Err(source) = read::planned(snapshot, definition, &alone).await {
            return broken(source);
        }
        if let Err(source) = read::defined(snapshot, definition, &alone).await {
            let reason = source.to_string();
            let found = failing(snapshot, definition, day, &rule.when, plain.num_rows()).await;
            return match found.and_then(|row| key(&plain, row).ok()) {
                Some(item) => Error::RuleFails { rule: rule.name.clone(), item, day, reason },
                None => broken(source),
            };
        }
    }
    Error::Sql { day, source: error }
}

/// The first row on which a condition fails by itself, found by halving.
async fn failing(
    snapshot: &Snapshot,
    definition: &Definition,
    day: NaiveDate,
    condition: &str,
    rows: usize,
) -> Option<usize> {
    let (mut from, mut to) = (0, rows);
    while to - from > 1 {
        let middle = from + (to - from) / 2;
        let sql = sql::some_rows(definition, day, condition, from, middle);
        match read::defined(snapshot, definition, &sql).await {
            Err(_) => to = middle,
            Ok(_) => from = middle,
        }
    }
    let sql = sql::some_rows(definition, day, condition, from, to);
    read::defined(snapshot, definition, &sql).await.is_err().then_some(from)
}

/// Declaration and line of a row.
pub(crate) fn key(batch: &RecordBatch, row: usize) -> Result<String> {
    let (ids, lines) = (read::all_texts(batch, "declaration_id")?, read::whole(batch, "item_no")?);
    let both = ids.get(row).zip(lines.get(row));
    Ok(both.map_or_else(String::new, |(id, line)| format!("{id}/{line}")))
}
