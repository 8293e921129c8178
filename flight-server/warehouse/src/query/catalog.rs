//! What goes in: a manifest. What comes out: the tables of that version as DataFusion sees them.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::runtime_env::RuntimeEnv;

use super::STORE_URL;
use crate::ingest::rejects_schema;
use crate::store::Manifest;
use crate::{Error, REJECTS, Result, SCHEMAS};

/// (schema, name, provider).
pub(super) type Table = (String, String, Arc<dyn TableProvider>);

/// The tables of a version: every schema has every table, with or without rows.
pub(super) fn providers(manifest: &Manifest, runtime: &RuntimeEnv) -> Result<Vec<Table>> {
    let mut found = Vec::new();
    for schema in SCHEMAS {
        for table in haetae_schema::tables() {
            let provider = self::table(manifest, runtime, schema, table.name, table.arrow_schema())?;
            found.push((schema.to_owned(), table.name.to_owned(), provider));
        }
        let rejects = self::table(manifest, runtime, schema, REJECTS, rejects_schema())?;
        found.push((schema.to_owned(), REJECTS.to_owned(), rejects));
    }
    Ok(found)
}

/// The catalogue of a version.
pub(super) fn build(tables: &[Table]) -> Result<Arc<dyn CatalogProvider>> {
    let failed = || "register the tables of the warehouse";
    let catalog = MemoryCatalogProvider::new();
    for schema in SCHEMAS {
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
    if !SCHEMAS.contains(&schema) {
        return None;
    }
    if table == REJECTS {
        Some(rejects_schema())
    } else {
        haetae_schema::table(table).map(|table| table.arrow_schema())
    }
}

/// (schema, table, described columns), in the order of the names.
pub(super) fn tables() -> Vec<(String, String, SchemaRef)> {
    let mut found = Vec::new();
    for schema in SCHEMAS {
        for table in haetae_schema::tables() {
            found.push((schema.to_owned(), table.name.to_owned(), table.described_schema()));
        }
        found.push((schema.to_owned(), REJECTS.to_owned(), rejects_schema()));
    }
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    found
}

fn table(
    manifest: &Manifest,
    runtime: &RuntimeEnv,
    schema: &str,
    name: &str,
    columns: SchemaRef,
) -> Result<Arc<dyn TableProvider>> {
    let files = manifest.files(schema, name);
    if files.is_empty() {
        return Ok(Arc::new(EmptyTable::new(columns)));
    }
    let failed = || format!("register the table {schema}.{name}");
    let paths = files.iter().map(|file| ListingTableUrl::parse(format!("{STORE_URL}/{}", file.path)));
    let paths = paths.collect::<Result<Vec<_>, _>>().map_err(Error::data(failed()))?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(paths).with_listing_options(options).with_schema(columns);
    let table = ListingTable::try_new(config).map_err(Error::data(failed()))?;
    Ok(Arc::new(table.with_cache(runtime.cache_manager.get_file_statistic_cache())))
}
