//! What goes in: a warehouse with many small files. What comes out: the same rows in few files.

use std::path::PathBuf;

use clap::Args;
use haetae_warehouse::store::{Compaction, Store, compact};

/// What `compact` is told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    haetae-server compact --warehouse wh\n  \
    haetae-server compact --warehouse wh --table customs.fact_item --all")]
pub struct Options {
    /// Directory of the warehouse
    #[arg(long, value_name = "DIR")]
    warehouse: PathBuf,
    /// Only this table, for example customs.fact_item
    #[arg(long, value_name = "SCHEMA.TABLE")]
    table: Option<String>,
    /// Merge full files too, so that files do not overlap in their dates
    #[arg(long)]
    all: bool,
}

/// Why nothing was merged.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The table has no schema.
    #[error("expected a schema and a table like customs.fact_item, found \"{0}\"")]
    Name(String),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
}

/// Merges files and prints what was done.
pub fn run(options: &Options) -> Result<(), Failure> {
    let table = match &options.table {
        None => None,
        Some(name) => {
            let (schema, table) = name.split_once('.').ok_or_else(|| Failure::Name(name.clone()))?;
            Some((schema.to_owned(), table.to_owned()))
        }
    };
    let store = Store::open(&options.warehouse)?;
    let done = compact(&store, &Compaction { all: options.all, table, ..Compaction::default() })?;
    for table in &done.tables {
        let (schema, name, before, after) = (&table.schema, &table.table, table.files_before, table.files_after);
        println!("{schema}.{name}: {before} files have become {after}, {} rows written again", table.rows);
    }
    match done.tables.is_empty() {
        true => println!("nothing to merge; the warehouse stays at version {}", done.version),
        false => println!("the warehouse is at version {}; `vacuum` removes the files of old versions", done.version),
    }
    Ok(())
}
