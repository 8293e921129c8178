//! What goes in: the file `catalogue.toml`, which is under review, what was registered, and edits. What comes out: who
//! answers for each table, and words about columns that the schema has none for.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::store::{About, OutsideEntry, Pinned};
use crate::{CLASSES, OUTSIDE, SCHEMAS};

const FILE: &str = include_str!("catalogue.toml");

/// What is known of one table beside its schema.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) title: String,
    /// Where the schema does not say what a row stands for.
    #[serde(default)]
    pub(super) description: String,
    pub(super) owner: String,
    pub(super) steward: String,
    /// Of the columns that are open.
    pub(super) class: String,
    pub(super) updated: String,
    /// Where the schema does not say what a column is.
    #[serde(default)]
    pub(super) columns: BTreeMap<String, String>,
}

/// Schema (`star` for those of data) -> table -> entry.
type Catalogue = BTreeMap<String, BTreeMap<String, Entry>>;

/// The entry of a table as it is now. Fails where there is none: nothing is served without.
pub(super) fn current(manifest: &Pinned, schema: &str, table: &str) -> Result<Entry, String> {
    let mut entry = match manifest.outside.get(table).filter(|_| schema == OUTSIDE) {
        Some(known) => registered(&known.entry),
        None => entry(schema, table)?.clone(),
    };
    let edits = manifest.in_force();
    let edited = |property| edits.get(About::Datasets, &[schema, table], property).flatten().map(str::to_owned);
    for (property, value) in [
        ("title", &mut entry.title),
        ("owner", &mut entry.owner),
        ("steward", &mut entry.steward),
        ("class", &mut entry.class),
        ("updated", &mut entry.updated),
    ] {
        if let Some(edited) = edited(property) {
            *value = edited;
        }
    }
    Ok(entry)
}

fn registered(entry: &OutsideEntry) -> Entry {
    let OutsideEntry { title, description, owner, steward, class, .. } = entry.clone();
    let updated = "as its source says".to_owned();
    Entry { title, description, owner, steward, class, updated, columns: BTreeMap::new() }
}

fn entry(schema: &str, table: &str) -> Result<&'static Entry, String> {
    static CATALOGUE: OnceLock<Result<Catalogue, String>> = OnceLock::new();
    let read = CATALOGUE.get_or_init(|| toml::from_str(FILE).map_err(|error| format!("catalogue.toml: {error}")));
    let catalogue = read.as_ref().map_err(Clone::clone)?;
    let section = if SCHEMAS.contains(&schema) { "star" } else { schema };
    // What users make is described all alike.
    let found = catalogue.get(section).and_then(|tables| tables.get(table).or_else(|| tables.get("*")));
    let entry = found.ok_or_else(|| format!("catalogue.toml has no entry [{section}.{table}]"))?;
    if !CLASSES.contains(&entry.class.as_str()) {
        return Err(format!(
            "catalogue.toml, {table}: class must be one of {}, found {}",
            CLASSES.join(", "),
            entry.class
        ));
    }
    Ok(entry)
}
