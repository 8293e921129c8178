//! What goes in: a version, and what one user may see. What comes out: the tables of the schema `meta`: what
//! is known of the tables that the user sees. What they do not see is not in it, neither are counts of rows
//! that a filter hides from them.

mod catalogue;
mod edits;
pub(super) mod glossary;
mod pipelines;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use haetae_schema::{Classification, CodeList, Table as StarTable};

use self::catalogue::Entry;
use super::catalog::{self, Table};
use super::policy::{Access, SystemTable, held};
use crate::store::{About, Kind, Pinned, time_text};
use crate::{CLASSES, META, OUTSIDE, WORK};

/// A table that the user sees: schema, name, described columns.
type Seen = (String, String, SchemaRef);

/// The tables of `meta` for a user; `None` sees everything.
pub(super) fn tables(manifest: &Arc<Pinned>, root: &Path, access: Option<&Arc<Access>>) -> Vec<Table> {
    let make = |table: &'static StarTable| {
        let (manifest, root, access) = (Arc::clone(manifest), root.to_path_buf(), access.cloned());
        let rows = move || rows(table, &manifest, &root, access.as_deref());
        let kept = SystemTable { name: table.name.to_owned(), columns: table.arrow_schema(), rows: Arc::new(rows) };
        (META.to_owned(), table.name.to_owned(), kept.provider())
    };
    haetae_schema::meta_tables().iter().map(make).collect()
}

fn rows(
    table: &StarTable,
    manifest: &Pinned,
    root: &Path,
    access: Option<&Access>,
) -> Result<Vec<RecordBatch>, String> {
    let seen: Vec<Seen> = catalog::described(manifest)
        .into_iter()
        .filter_map(|(schema, table, columns)| {
            let columns = match access {
                Some(access) => access.describe(&schema, &table, &columns)?,
                None => columns,
            };
            Some((schema, table, columns))
        })
        .collect();
    let space = access.map_or(Some(WORK), |access| access.work.as_deref());
    let made = space.map(|space| catalog::made(manifest, space)).transpose().map_err(|error| error.to_string())?;
    let mut seen = seen;
    seen.extend(made.into_iter().flatten().map(|(table, columns)| (WORK.to_owned(), table, columns)));
    let columns = match table.name {
        "datasets" => datasets(&seen, manifest, access)?,
        "columns" => columns(&seen, manifest)?,
        "codes" => codes(),
        "glossary" => glossary_rows(manifest)?,
        "edits" => edits::rows(manifest, &seen),
        "lineage" | "pipeline_runs" => return pipelines::rows(table, manifest, root, &seen, access),
        _ => versions(&seen, manifest, access),
    };
    RecordBatch::try_new(table.arrow_schema(), columns).map(|batch| vec![batch]).map_err(|error| error.to_string())
}

fn text<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    maybe(values.into_iter().map(Some))
}

fn maybe<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

fn counts(values: impl IntoIterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.into_iter().map(|value| value.map(|value| value as i64)).collect::<Int64Array>())
}

fn hidden(access: Option<&Access>, schema: &str, table: &str) -> bool {
    access.is_some_and(|access| access.hides_rows(schema, table))
}

/// The name in the manifest of a schema.
fn stored<'a>(access: Option<&'a Access>, schema: &'a str) -> &'a str {
    if schema != WORK {
        return schema;
    }
    access.map_or(Some(WORK), |access| access.work.as_deref()).unwrap_or_default()
}

fn star(schema: &str, table: &str) -> Option<&'static StarTable> {
    let of = match schema {
        META => haetae_schema::meta_tables(),
        crate::QUALITY => haetae_schema::quality_tables(),
        crate::RISK => haetae_schema::risk_tables(),
        crate::COURSE => haetae_schema::course_tables(),
        WORK | OUTSIDE => return None,
        _ => haetae_schema::tables(),
    };
    of.iter().find(|known| known.name == table)
}

/// The class of a column: that of its table, unless the column itself is more sensitive.
fn class(entry: &Entry, classification: Classification) -> &str {
    match classification {
        Classification::Open => &entry.class,
        Classification::Identifier | Classification::Name | Classification::Personal => "personal",
        Classification::CriminalHistory | Classification::RawText => "secret",
    }
}

fn datasets(seen: &[Seen], manifest: &Pinned, access: Option<&Access>) -> Result<Vec<ArrayRef>, String> {
    let edits = manifest.in_force();
    let entries = seen.iter().map(|(schema, table, _)| catalogue::current(manifest, schema, table));
    let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
    let both = || seen.iter().zip(&entries);
    let comment = |(schema, table, _): &Seen| {
        let edited = edits.get(About::Datasets, &[schema, table], "description").flatten().map(str::to_owned);
        edited.or_else(|| star(schema, table).map(|table| table.comment.to_owned()))
    };
    let worst = |(schema, table, columns): &Seen, entry: &Entry| {
        let class_of = |name: &str| class(entry, held(manifest, (schema, table, name))).to_owned();
        let classes = columns.fields().iter().map(|field| class_of(field.name()));
        let place = classes.filter_map(|class| CLASSES.iter().position(|known| *known == class)).max();
        CLASSES[place.unwrap_or(0)]
    };
    let key = |(schema, table, columns): &Seen| {
        let key = star(schema, table)?.key.iter().filter(|name| columns.column_with_name(name).is_some());
        Some(key.copied().collect::<Vec<_>>().join(", "))
    };
    let changed = |(schema, table, _): &Seen| manifest.table(stored(access, schema), table).map(|table| table.changed);
    let at = |version: u64| {
        let commit = manifest.commits.iter().find(|commit| commit.version == version);
        commit.map(|commit| time_text(commit.time_ms))
    };
    let rows = |(schema, table, _): &Seen| {
        (schema != META && schema != OUTSIDE && !hidden(access, schema, table))
            .then(|| manifest.rows(stored(access, schema), table))
    };
    Ok(vec![
        text(seen.iter().map(|(schema, _, _)| schema)),
        text(seen.iter().map(|(_, table, _)| table)),
        text(entries.iter().map(|entry| &entry.title)),
        text(both().map(|(seen, entry)| comment(seen).unwrap_or_else(|| entry.description.clone()))),
        text(entries.iter().map(|entry| &entry.owner)),
        text(entries.iter().map(|entry| &entry.steward)),
        text(both().map(|(seen, entry)| worst(seen, entry))),
        text(entries.iter().map(|entry| &entry.updated)),
        maybe(seen.iter().map(key)),
        counts(seen.iter().map(rows)),
        counts(seen.iter().map(changed)),
        maybe(seen.iter().map(|seen| changed(seen).and_then(at))),
    ])
}

/// One column and the table that it is of.
struct Described<'a> {
    schema: &'a str,
    table: &'a str,
    entry: Entry,
    position: i32,
    field: &'a arrow::datatypes::Field,
    column: Option<&'static haetae_schema::Column>,
    is_key: bool,
}

fn columns(seen: &[Seen], manifest: &Pinned) -> Result<Vec<ArrayRef>, String> {
    let edits = manifest.in_force();
    let edited = |row: &Described<'_>, property: &str| {
        let place = [row.schema, row.table, row.field.name().as_str()];
        edits.get(About::Columns, &place, property).map(|value| value.map(str::to_owned))
    };
    let mut rows: Vec<Described<'_>> = Vec::new();
    for (schema, table, columns) in seen {
        let (known, star) = (catalogue::current(manifest, schema, table)?, star(schema, table));
        for (position, field) in (1..).zip(columns.fields()) {
            let column = star.and_then(|table| table.column(field.name()));
            let is_key = star.is_some_and(|table| table.key.contains(&field.name().as_str()));
            let entry = known.clone();
            rows.push(Described { schema, table, entry, position, field, column, is_key });
        }
    }
    let said = |row: &Described<'_>| -> Result<String, String> {
        let said = edited(row, "description").flatten();
        let said = said.or_else(|| row.column.map(|column| column.comment.to_owned()));
        let said = said.or_else(|| row.entry.columns.get(row.field.name()).cloned());
        let said = said.or_else(|| match row.schema {
            WORK => Some("as its maker named it".to_owned()),
            OUTSIDE => Some(catalog::OUTSIDE_COLUMN.to_owned()),
            _ => None,
        });
        said.ok_or_else(|| format!("the catalogue has no word about {}.{}", row.table, row.field.name()))
    };
    let described: Vec<String> = rows.iter().map(said).collect::<Result<_, _>>()?;
    let classified = |row: &Described<'_>| held(manifest, (row.schema, row.table, row.field.name()));
    let maybe_edited = |row: &Described<'_>, property: &str, known: Option<&'static str>| {
        edited(row, property).unwrap_or_else(|| known.map(str::to_owned))
    };
    let refers = |row: &Described<'_>| {
        let (table, column) = row.column?.references?;
        let sees = |(s, t, columns): &Seen| s == row.schema && t == table && columns.column_with_name(column).is_some();
        seen.iter().any(sees).then(|| format!("{table}.{column}"))
    };
    Ok(vec![
        text(rows.iter().map(|row| row.schema)),
        text(rows.iter().map(|row| row.table)),
        text(rows.iter().map(|row| row.field.name())),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.position))),
        text(rows.iter().map(|row| row.field.data_type().to_string())),
        Arc::new(rows.iter().map(|row| Some(row.field.is_nullable())).collect::<BooleanArray>()),
        text(described),
        maybe(rows.iter().map(|row| maybe_edited(row, "unit", row.column.and_then(|column| column.unit)))),
        text(rows.iter().map(|row| classified(row).name())),
        text(rows.iter().map(|row| class(&row.entry, classified(row)).to_owned())),
        maybe(rows.iter().map(|row| row.column.and_then(|column| column.code_list).map(|list| list.name))),
        Arc::new(rows.iter().map(|row| Some(row.is_key)).collect::<BooleanArray>()),
        maybe(rows.iter().map(refers)),
        maybe(rows.iter().map(|row| maybe_edited(row, "wco_alias", row.column.and_then(|column| column.wco_alias)))),
    ])
}

/// The codes of every list that a column of the star has.
fn codes() -> Vec<ArrayRef> {
    let mut lists: Vec<&'static CodeList> =
        haetae_schema::tables().iter().flat_map(|table| table.columns).filter_map(|column| column.code_list).collect();
    lists.sort_by_key(|list| list.name);
    lists.dedup_by_key(|list| list.name);
    let all = || lists.iter().flat_map(|list| list.codes.iter().map(move |(code, words)| (list.name, *code, *words)));
    vec![
        text(all().map(|(list, _, _)| list)),
        text(all().map(|(_, code, _)| code)),
        text(all().map(|(_, _, words)| words)),
    ]
}

fn glossary_rows(manifest: &Pinned) -> Result<Vec<ArrayRef>, String> {
    let terms = glossary::current(manifest.in_force())?;
    Ok((0..4).map(|column| text(terms.iter().map(|term| &term[column]))).collect())
}

fn versions(seen: &[Seen], manifest: &Pinned, access: Option<&Access>) -> Vec<ArrayRef> {
    // Operations bear the names of the manifest.
    let sees = |schema: &str, table: &str| {
        // Whoever sees all sees also what became of a table that is known no longer.
        let gone = schema == OUTSIDE && access.is_none_or(Access::is_all);
        gone || seen.iter().any(|(s, t, _)| stored(access, s) == schema && t == table)
    };
    let own = stored(access, WORK);
    let shown = |schema: &str| if schema == own { WORK.to_owned() } else { schema.to_owned() };
    let all = manifest.commits.iter().flat_map(|commit| commit.operations.iter().map(move |done| (commit, done)));
    let rows: Vec<_> = all.filter(|(_, done)| sees(&done.schema, &done.table)).collect();
    let count = |of: fn(&crate::store::Operation) -> u64| {
        counts(rows.iter().map(|(_, done)| (!hidden(access, &shown(&done.schema), &done.table)).then(|| of(done))))
    };
    vec![
        counts(rows.iter().map(|(commit, _)| Some(commit.version))),
        text(rows.iter().map(|(commit, _)| time_text(commit.time_ms))),
        counts(rows.iter().map(|(_, done)| Some(done.id))),
        text(rows.iter().map(|(_, done)| Kind::to_string(&done.kind))),
        text(rows.iter().map(|(_, done)| shown(&done.schema))),
        text(rows.iter().map(|(_, done)| &done.table)),
        count(|done| done.accepted),
        count(|done| done.rejected),
        count(|done| done.removed),
    ]
}
