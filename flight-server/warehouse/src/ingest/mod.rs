//! What goes in: files of declarations or reference data. What comes out: [`Ingested`], with all
//! accepted rows and all refused rows committed as one version.
//!
//! A row that breaks a rule never stops an ingest; a file that is no such file at all does, before
//! anything is visible. Content that a table has already taken is not taken again.

mod check;
mod chunk;
mod columnar;
mod dimensions;
mod keys;
mod layout;
mod load;
mod records;
mod rejects;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use sha2::{Digest, Sha256};

use crate::store::{Input, NewLoad, Store, Writer};
use crate::{Error, Result, SCHEMAS};
use layout::Layout;
use load::LoadState;

pub use rejects::{Reject, rejects_schema};

/// How input files are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One table: the header of a CSV file (or the schema of a Parquet file) names its columns.
    Table(String),
    /// Declarations of the Korea Customs Service, 22 columns: `fact_item`, `fact_inspection`, and
    /// the identifiers seen go to the dimension tables.
    Kcs,
}

/// How far an ingest has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The file that is being read.
    pub file: &'a Path,
    /// Rows read from all files so far.
    pub rows: u64,
    /// Bytes read from this file so far (of a Parquet file: rows).
    pub done: u64,
    /// Bytes of this file (of a Parquet file: rows).
    pub total: u64,
}

/// What an ingest did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Number of the load; `None` when everything had been loaded before and nothing was changed.
    pub load_id: Option<u64>,
    /// The version of the warehouse afterwards.
    pub version: u64,
    /// Rows accepted into the table.
    pub accepted: u64,
    /// Rows refused into the table of rejects.
    pub rejected: u64,
    /// Rows added to each table, rejects among them, in the order of their names.
    pub tables: Vec<(String, u64)>,
    /// The files that were passed over.
    pub skipped: Vec<Skipped>,
}

/// A file whose content a table has already taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file as it was given.
    pub file: PathBuf,
    /// The load that took the same content.
    pub load_id: u64,
}

/// Reads `files` in their order into `schema` and commits them together. Each file may be CSV
/// (UTF-8, comma, header) or Parquet; its first bytes decide, not its name.
///
/// Fails, and changes nothing, when a file cannot be used at all, when the table or schema does not
/// exist, or when another process is writing.
pub fn ingest(
    store: &Store,
    schema: &str,
    format: &Format,
    files: &[PathBuf],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Ingested> {
    ingest_with(Writer::open(store)?, schema, format, files, progress)
}

/// [`ingest`] by a writer that the caller has opened.
pub fn ingest_with(
    writer: Writer,
    schema: &str,
    format: &Format,
    files: &[PathBuf],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Ingested> {
    let layout = layout_for(schema, format)?;
    let mut inputs: Vec<Input> = Vec::new();
    let mut fresh: Vec<&PathBuf> = Vec::new();
    let mut skipped = Vec::new();
    for file in files {
        let sha256 = digest(file)?;
        let taken = writer.base().find_load(schema, layout.table.name, layout.format, &sha256);
        if let Some(load) = taken {
            skipped.push(Skipped { file: file.clone(), load_id: load.id });
        } else if inputs.iter().any(|input| input.sha256 == sha256) {
            skipped.push(Skipped { file: file.clone(), load_id: writer.load_id() });
        } else {
            inputs.push(Input { name: file.display().to_string(), sha256 });
            fresh.push(file);
        }
    }
    if fresh.is_empty() {
        return Ok(unchanged(&writer, skipped));
    }
    let mut state = LoadState::begin(writer, schema, layout)?;
    for file in fresh {
        state.read_file(file, progress)?;
    }
    state.commit(inputs, skipped)
}

/// Takes record batches of one table from memory; `name` stands in for the file name. Columns are
/// found by name and cast to the types of the table. Batches with the same content under the same
/// table, in the same division, are taken once.
pub fn ingest_batches(
    store: &Store,
    schema: &str,
    table: &str,
    name: &str,
    batches: impl IntoIterator<Item = Result<RecordBatch>>,
) -> Result<Ingested> {
    let layout = layout_for(schema, &Format::Table(table.to_owned()))?;
    let mut state = LoadState::begin(Writer::open(store)?, schema, layout)?;
    let sha256 = state.read_batches(name, batches)?;
    if let Some(load) = state.writer().base().find_load(schema, table, "table", &sha256) {
        let skipped = vec![Skipped { file: PathBuf::from(name), load_id: load.id }];
        return Ok(unchanged(state.writer(), skipped));
    }
    state.commit(vec![Input { name: name.to_owned(), sha256 }], Vec::new())
}

fn layout_for(schema: &str, format: &Format) -> Result<Layout> {
    if !SCHEMAS.contains(&schema) {
        return Err(Error::UnknownSchema { schema: schema.to_owned(), known: SCHEMAS.join(", ") });
    }
    match format {
        Format::Kcs => Layout::kcs(),
        Format::Table(table) => Layout::table(table),
    }
}

fn unchanged(writer: &Writer, skipped: Vec<Skipped>) -> Ingested {
    let version = writer.base().version;
    Ingested { load_id: None, version, accepted: 0, rejected: 0, tables: Vec::new(), skipped }
}

/// SHA-256 of a file's content in lower-case hexadecimal.
fn digest(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(Error::io("read", path))? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hexadecimal(&hash.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl NewLoad {
    fn of(layout: &Layout, schema: &str, inputs: Vec<Input>, accepted: u64, rejected: u64) -> Self {
        Self {
            schema: schema.to_owned(),
            table: layout.table.name.to_owned(),
            format: layout.format.to_owned(),
            inputs,
            accepted,
            rejected,
        }
    }
}
