//! What goes in: a manifest. What comes out: the tables of that version as DataFusion sees them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::common::TableReference;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::runtime_env::RuntimeEnv;
use haetae_schema::Table as StarTable;

use super::{STORE_URL, known_files};
use crate::ingest::made_schema;
use crate::ingest::rejects_schema;
use crate::store::{About, DataFile, Edits, Manifest, Pinned};
use crate::{COURSE, Error, META, OUTSIDE, QUALITY, REJECTS, RISK, Result, SCHEMAS, WORK};

/// What the files of tables with views are called where something is kept about them.
const VIEWED: &str = "viewed";

/// (schema, name, provider).
pub(super) type Table = (String, String, Arc<dyn TableProvider>);

/// A table that the warehouse has, with or without rows.
struct Known {
    schema: &'static str,
    name: &'static str,
    /// `None` is the table of refused rows.
    table: Option<&'static StarTable>,
}

impl Known {
    fn columns(&self) -> SchemaRef {
        self.table.map_or_else(rejects_schema, StarTable::arrow_schema)
    }
}

/// Every table: each schema of data has the star and its rejects, the others have their own.
fn known() -> impl Iterator<Item = Known> {
    let data = SCHEMAS.into_iter().flat_map(|schema| {
        let star = haetae_schema::tables().iter().map(move |table| (schema, table.name, Some(table)));
        star.chain([(schema, REJECTS, None)])
    });
    let found = haetae_schema::quality_tables().iter().map(|table| (QUALITY, table.name, Some(table)));
    let about = haetae_schema::meta_tables().iter().map(|table| (META, table.name, Some(table)));
    let risk = haetae_schema::risk_tables().iter().map(|table| (RISK, table.name, Some(table)));
    let course = haetae_schema::course_tables().iter().map(|table| (COURSE, table.name, Some(table)));
    data.chain(about).chain(found).chain(risk).chain(course).map(|(schema, name, table)| Known { schema, name, table })
}

/// (schema, tables), as messages list them.
pub(super) fn names() -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for Known { schema, name, .. } in known() {
        match found.last_mut().filter(|(last, _)| last == schema) {
            Some((_, tables)) => tables.push(name.to_owned()),
            None => found.push((schema.to_owned(), vec![name.to_owned()])),
        }
    }
    found
}

/// The tables of a version that lie in files, with or without rows.
pub(super) fn providers(manifest: &Manifest, runtime: &RuntimeEnv) -> Result<Vec<Table>> {
    let provider = |known: Known| {
        let files = manifest.files(known.schema, known.name);
        let provider = table(files, runtime, known.schema, known.name, known.columns())?;
        Ok((known.schema.to_owned(), known.name.to_owned(), provider))
    };
    known().filter(|known| known.schema != META).map(provider).collect()
}

/// (table, columns) of what a user has made, in the order of the names. `space` is the schema in the manifest.
pub(super) fn made(manifest: &Manifest, space: &str) -> Result<Vec<(String, SchemaRef)>> {
    let tables = manifest.tables.get(space).into_iter().flatten();
    let made = tables.filter(|(_, files)| !files.columns.is_empty());
    made.map(|(name, files)| Ok((name.clone(), made_schema(&files.columns)?))).collect()
}

/// The same as tables of the schema `work`.
pub(super) fn made_providers(manifest: &Manifest, runtime: &RuntimeEnv, space: &str) -> Result<Vec<Table>> {
    let provider = |(name, columns): (String, SchemaRef)| {
        let provider = table(manifest.files(space, &name), runtime, WORK, &name, columns)?;
        Ok((WORK.to_owned(), name, provider))
    };
    made(manifest, space)?.into_iter().map(provider).collect()
}

/// The tables of data with those files alone that are not in `before`, each in the schema
/// `added_SCHEMA`.
pub(super) fn added(manifest: &Manifest, before: &Manifest, runtime: &RuntimeEnv) -> Result<Vec<Table>> {
    let provider = |known: Known| {
        let old: HashSet<&str> = before.files(known.schema, known.name).iter().map(|file| file.path.as_str()).collect();
        let files = manifest.files(known.schema, known.name).iter();
        let files: Vec<DataFile> = files.filter(|file| !old.contains(file.path.as_str())).cloned().collect();
        let schema = format!("added_{}", known.schema);
        let provider = table(&files, runtime, &schema, known.name, known.columns())?;
        Ok((schema, known.name.to_owned(), provider))
    };
    known().filter(|known| SCHEMAS.contains(&known.schema)).map(provider).collect()
}

/// The catalogue of a version.
pub(super) fn build(tables: &[Table]) -> Result<Arc<dyn CatalogProvider>> {
    let failed = || "register the tables of the warehouse";
    let catalog = MemoryCatalogProvider::new();
    let schemas: BTreeSet<&str> = tables.iter().map(|(schema, _, _)| schema.as_str()).collect();
    for schema in schemas {
        let provider = MemorySchemaProvider::new();
        for (_, name, table) in tables.iter().filter(|(of, _, _)| of == schema) {
            provider.register_table(name.clone(), Arc::clone(table)).map_err(Error::data(failed()))?;
        }
        catalog.register_schema(schema, Arc::new(provider)).map_err(Error::data(failed()))?;
    }
    Ok(Arc::new(catalog))
}

/// The columns of a table as files have them, or `None` where there is no such table.
pub(super) fn columns(schema: &str, table: &str) -> Option<SchemaRef> {
    known().find(|known| known.schema == schema && known.name == table).map(|known| known.columns())
}

/// (schema, table, described columns) of everything that the warehouse has, in the order of the names.
pub fn tables() -> Vec<(String, String, SchemaRef)> {
    let described = |known: Known| {
        let columns = known.table.map_or_else(rejects_schema, StarTable::described_schema);
        (known.schema.to_owned(), known.name.to_owned(), columns)
    };
    let mut found: Vec<_> = known().map(described).collect();
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    found
}

/// The same of a version: with the tables outside of the warehouse, and what was edited of columns. One whose columns
/// cannot be read is told of where it is queried.
pub(super) fn described(manifest: &Pinned) -> Vec<(String, String, SchemaRef)> {
    let outside = manifest.outside.iter().filter_map(|(name, table)| {
        let columns = made_schema(&table.columns).ok()?;
        let about = [("comment".to_owned(), table.entry.description.clone())].into();
        let field = |field: &Arc<Field>| {
            let said = [
                ("comment".to_owned(), OUTSIDE_COLUMN.to_owned()),
                ("classification".to_owned(), table.entry.classification.clone()),
            ];
            field.as_ref().clone().with_metadata(said.into())
        };
        let fields: Vec<Field> = columns.fields().iter().map(field).collect();
        Some((OUTSIDE.to_owned(), name.clone(), Arc::new(Schema::new_with_metadata(fields, about))))
    });
    let mut found: Vec<_> = tables().into_iter().chain(outside).collect();
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    for (schema, table, columns) in &mut found {
        edited(manifest.in_force(), schema, table, columns);
    }
    found
}

/// What is said of a column outside of the warehouse until somebody says more.
pub(super) const OUTSIDE_COLUMN: &str = "as its source names it";

/// Puts edited words in the place of those of the schema.
fn edited(edits: Edits<'_>, schema: &str, table: &str, columns: &mut SchemaRef) {
    let touched = |about: About| edits.of(about, &[schema, table]).next().is_some();
    if !touched(About::Columns) && !touched(About::Datasets) {
        return;
    }
    let field = |field: &Arc<Field>| {
        let mut said = field.metadata().clone();
        for (key, property) in [
            ("comment", "description"),
            ("unit", "unit"),
            ("wco_alias", "wco_alias"),
            ("classification", "classification"),
        ] {
            match edits.get(About::Columns, &[schema, table, field.name()], property) {
                Some(Some(value)) => drop(said.insert(key.to_owned(), value.to_owned())),
                Some(None) => drop(said.remove(key)),
                None => {}
            }
        }
        field.as_ref().clone().with_metadata(said)
    };
    let fields: Vec<Field> = columns.fields().iter().map(field).collect();
    let mut about = columns.metadata().clone();
    if let Some(Some(words)) = edits.get(About::Datasets, &[schema, table], "description") {
        about.insert("comment".to_owned(), words.to_owned());
    }
    *columns = Arc::new(Schema::new_with_metadata(fields, about));
}

/// The same tables with texts as views, for those who see all of them: they are read and grouped in half the time,
/// since short ones are compared without looking elsewhere and none is copied. Under a policy tables stay as they
/// are, because its expressions are about those.
pub(super) fn viewed(tables: &[Table], runtime: &RuntimeEnv) -> Result<Vec<Table>> {
    let viewed = |(schema, name, provider): &Table| -> Result<Table> {
        let columns = views(&provider.schema());
        let provider: Arc<dyn TableProvider> = if let Some(files) = provider.downcast_ref::<ListingTable>() {
            // A name of their own: kept statistics of a file are of the texts that one table has, by path and this name.
            let paths =
                files.table_paths().iter().map(|path| path.clone().with_table_ref(TableReference::bare(VIEWED)));
            let config = ListingTableConfig::new_with_multi_paths(paths.collect());
            let config = config.with_listing_options(files.options().clone()).with_schema(columns);
            let table = ListingTable::try_new(config);
            let table = table.map_err(Error::data(format!("register the table {schema}.{name}")))?;
            Arc::new(table.with_cache(runtime.cache_manager.get_file_statistic_cache()))
        } else if provider.is::<EmptyTable>() {
            Arc::new(EmptyTable::new(columns))
        } else {
            Arc::clone(provider)
        };
        Ok((schema.clone(), name.clone(), provider))
    };
    tables.iter().map(viewed).collect()
}

fn views(columns: &Schema) -> SchemaRef {
    let view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(columns.fields().iter().map(view).collect::<Vec<_>>()))
}

pub(super) fn table(
    files: &[DataFile],
    runtime: &RuntimeEnv,
    schema: &str,
    name: &str,
    columns: SchemaRef,
) -> Result<Arc<dyn TableProvider>> {
    if files.is_empty() {
        return Ok(Arc::new(EmptyTable::new(columns)));
    }
    let failed = || format!("register the table {schema}.{name}");
    let paths = files.iter().map(|file| ListingTableUrl::parse(format!("{STORE_URL}/{}", file.path)));
    let paths = paths.collect::<Result<Vec<_>, _>>().map_err(Error::data(failed()))?;
    let options = ListingOptions::new(known_files::format(files)).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(paths).with_listing_options(options).with_schema(columns);
    let table = ListingTable::try_new(config).map_err(Error::data(failed()))?;
    Ok(Arc::new(table.with_cache(runtime.cache_manager.get_file_statistic_cache())))
}
