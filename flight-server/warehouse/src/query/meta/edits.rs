//! What goes in: the edits of the catalogue. What comes out: those about what the user sees, each with who made it and
//! when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::SchemaRef;

use super::{Seen, counts, maybe, text};
use crate::store::{About, Edit, Pinned, time_text};

pub(super) fn rows(manifest: &Pinned, seen: &[Seen]) -> Vec<ArrayRef> {
    let held: BTreeSet<u64> = manifest.in_force().all().map(|edit| edit.id).collect();
    let columns: BTreeMap<(&str, &str), &SchemaRef> =
        seen.iter().map(|(schema, table, columns)| ((schema.as_str(), table.as_str()), columns)).collect();
    let sees = |edit: &&Edit| match edit.place.as_slice() {
        [schema, table, rest @ ..] => columns
            .get(&(schema.as_str(), table.as_str()))
            .is_some_and(|columns| rest.iter().all(|column| columns.column_with_name(column).is_some())),
        _ => true,
    };
    let rows: Vec<&Edit> = manifest.edits.iter().filter(sees).collect();
    let made =
        manifest.commits.iter().flat_map(|commit| commit.operations.iter().map(|done| (done.id, commit.time_ms)));
    let made: BTreeMap<u64, i64> = made.collect();
    let at = |edit: &Edit| made.get(&edit.operation).map(|time_ms| time_text(*time_ms)).unwrap_or_default();
    let part = |place: usize| {
        let of_table = |edit: &&Edit| edit.about != About::Glossary;
        maybe(rows.iter().map(|edit| Some(*edit).filter(of_table).and_then(|edit| edit.place.get(place))))
    };
    let term = |edit: &&Edit| edit.place.first().filter(|_| edit.about == About::Glossary).cloned();
    vec![
        counts(rows.iter().map(|edit| Some(edit.id))),
        counts(rows.iter().map(|edit| Some(edit.operation))),
        text(rows.iter().map(|edit| at(edit))),
        text(rows.iter().map(|edit| &edit.by)),
        text(rows.iter().map(|edit| edit.about.table())),
        part(0),
        part(1),
        part(2),
        maybe(rows.iter().map(term)),
        text(rows.iter().map(|edit| &edit.property)),
        maybe(rows.iter().map(|edit| edit.value.as_ref())),
        Arc::new(rows.iter().map(|edit| Some(edit.takes_back)).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|edit| Some(held.contains(&edit.id))).collect::<BooleanArray>()),
    ]
}
