//! What goes in: rows of the schema `meta` as a statement would have them. What comes out: the edits of the catalogue
//! that they stand for, or why they are none.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use haetae_schema::Classification;

use super::meta::glossary::{REMOVED, VALUES};
use super::policy::{Access, EDITS, named};
use super::update::{Effect, invalid, refused};
use crate::store::{About, NewEdit, Pinned};
use crate::{CLASSES, Error, META, Result};

/// The longest value, in letters.
const LETTERS: usize = 2_000;

const CLASSIFICATION: &str = "classification";

/// What can be edited; the second says whether it may be null.
const DATASETS: [(&str, bool); 6] = [
    ("title", false),
    ("description", false),
    ("owner", false),
    ("steward", false),
    ("class", false),
    ("updated", false),
];
const COLUMNS: [(&str, bool); 4] =
    [("description", false), ("unit", true), (CLASSIFICATION, false), ("wco_alias", true)];
const GLOSSARY: [(&str, bool); 3] = [(VALUES[0], false), (VALUES[1], false), (VALUES[2], false)];

fn values(about: About) -> &'static [(&'static str, bool)] {
    match about {
        About::Datasets => &DATASETS,
        About::Columns => &COLUMNS,
        About::Glossary => &GLOSSARY,
    }
}

/// The columns that name an entry.
fn place(about: About) -> &'static [&'static str] {
    match about {
        About::Datasets => &["schema_name", "table_name"],
        About::Columns => &["schema_name", "table_name", "column_name"],
        About::Glossary => &["term"],
    }
}

/// Fails for what makes no sense of the table.
pub(super) fn allowed(table: &str, effect: Effect) -> Result<()> {
    let reason = match (table, effect) {
        ("glossary", _) | ("datasets" | "columns", Effect::Update) | (EDITS, Effect::Delete) => return Ok(()),
        (EDITS, _) => "edits are made by UPDATE of datasets, columns and glossary; DELETE here takes edits back",
        (_, Effect::Insert) => "an entry comes with its table",
        _ => "an entry goes with its table; DELETE FROM meta.edits takes edits of it back",
    };
    Err(refused(format!("changing {META}.{table} like this is not allowed: {reason}")))
}

/// Fails where a column says what the warehouse itself knows, or decides on more than the catalogue.
pub(super) fn may_set(table: &str, set: &[String], access: Option<&Access>) -> Result<()> {
    let Some(about) = About::of(table) else { return Ok(()) };
    let known = values(about);
    if let Some(name) = set.iter().find(|name| !known.iter().any(|(known, _)| known == name)) {
        let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(refused(format!(
            "changing {name} of {META}.{table} is not allowed: the warehouse itself knows it; what is edited is {}",
            known.join(", ")
        )));
    }
    if set.iter().any(|name| name == CLASSIFICATION) {
        classifies(access)?;
    }
    Ok(())
}

/// The classification of a column decides who sees it, so that who sets it could show it to themselves.
fn classifies(access: Option<&Access>) -> Result<()> {
    if access.is_none_or(Access::is_all) {
        return Ok(());
    }
    Err(refused(
        "changing the classification of a column is not allowed: it decides who sees the column, and only an admin sets it"
            .to_owned(),
    ))
}

/// The edits of an UPDATE, or of an INSERT or DELETE of the glossary.
pub(super) fn made(table: &str, effect: Effect, set: &[String], rows: &RecordBatch, by: &str) -> Result<Vec<NewEdit>> {
    let Some(about) = About::of(table) else { return Ok(Vec::new()) };
    let mut edits = Vec::new();
    let mut seen = BTreeSet::new();
    for row in 0..rows.num_rows() {
        let place = place(about)
            .iter()
            .map(|name| Ok(get(rows, name, row)?.unwrap_or_default()))
            .collect::<Result<Vec<_>>>()?;
        if about == About::Glossary && effect == Effect::Insert {
            checked(about, "term", false, place.first().cloned())?;
        }
        if !seen.insert(place.clone()) {
            return Err(invalid(format!("{} is there twice", place.join("."))));
        }
        let new = |property: &str, value: Option<String>, takes_back: bool| NewEdit {
            by: by.to_owned(),
            about,
            place: place.clone(),
            property: property.to_owned(),
            value,
            takes_back,
        };
        match effect {
            Effect::Delete => edits.push(new(REMOVED, Some("true".to_owned()), false)),
            Effect::Insert => {
                edits.push(new(REMOVED, None, true));
                for (name, null) in values(about) {
                    edits.push(new(name, checked(about, name, *null, get(rows, name, row)?)?, false));
                }
            }
            Effect::Update => {
                for (name, null) in values(about).iter().filter(|(name, _)| set.iter().any(|set| set == name)) {
                    edits.push(new(name, checked(about, name, *null, get(rows, name, row)?)?, false));
                }
            }
        }
    }
    Ok(edits)
}

/// The edits that take those of these rows of `meta.edits` back, as far as they hold.
pub(super) fn taken_back(
    manifest: &Pinned,
    rows: &RecordBatch,
    by: &str,
    access: Option<&Access>,
) -> Result<Vec<NewEdit>> {
    let ids = rows.column_by_name("edit_id").and_then(|ids| ids.as_primitive_opt::<Int64Type>());
    let ids: BTreeSet<u64> =
        ids.into_iter().flat_map(|ids| ids.iter().flatten()).filter_map(|id| id.try_into().ok()).collect();
    let mut edits = Vec::new();
    for edit in manifest.in_force().all().filter(|edit| ids.contains(&edit.id)) {
        if edit.property == CLASSIFICATION {
            classifies(access)?;
        }
        if access.is_some_and(|access| !access.may_write(META, edit.about.table())) {
            return Err(refused(format!(
                "taking edits of {META}.{} back is not allowed: your role may not write it",
                edit.about
            )));
        }
        let (about, place, property) = (edit.about, edit.place.clone(), edit.property.clone());
        edits.push(NewEdit { by: by.to_owned(), about, place, property, value: None, takes_back: true });
    }
    Ok(edits)
}

/// A value that can be kept.
fn checked(about: About, name: &str, null: bool, value: Option<String>) -> Result<Option<String>> {
    let wrong = |expected: String, found: &str| {
        invalid(format!("{name} of {META}.{about}: expected {expected}, found {found}"))
    };
    let Some(value) = value else {
        let remedy = "DELETE FROM meta.edits takes an edit back";
        return if null { Ok(None) } else { Err(wrong(format!("a text ({remedy})"), "null")) };
    };
    let letters = value.chars().count();
    if value.trim().is_empty() || letters > LETTERS || value.chars().any(char::is_control) {
        return Err(wrong(format!("1 to {LETTERS} letters without control characters"), &format!("{letters} letters")));
    }
    let known: Option<Vec<&str>> = match name {
        CLASSIFICATION if named(&value).is_none() => Some(Classification::ALL.map(Classification::name).to_vec()),
        "class" if !CLASSES.contains(&value.as_str()) => Some(CLASSES.to_vec()),
        _ => None,
    };
    match known {
        Some(known) => Err(wrong(format!("one of {}", known.join(", ")), &value)),
        None => Ok(Some(value)),
    }
}

/// A cell as text.
fn get(rows: &RecordBatch, name: &str, row: usize) -> Result<Option<String>> {
    let column = rows.column_by_name(name).ok_or_else(|| invalid(format!("the rows have no column {name}")))?;
    let one = cast(&column.slice(row, 1), &DataType::Utf8).map_err(Error::data("read the rows of an edit"))?;
    Ok(one.is_valid(0).then(|| one.as_string::<i32>().value(0).to_owned()))
}
