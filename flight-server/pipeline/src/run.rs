//! What goes in: a pipeline and a file. What comes out: its rows, its refused rows, and what was done, as one commit.
//! A file whose content the pipeline has loaded is passed over, whatever it is called.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use haetae_schema::Table;
use haetae_warehouse::ingest::{
    Changes, Format, Ingested, Noted, Progress, Source as Rows, Staged, digest, hexadecimal,
};
use haetae_warehouse::query::Engine;
use haetae_warehouse::store::Store;
use haetae_warehouse::{Error as Unusable, META};
use sha2::{Digest, Sha256};

use crate::declared::Source;
use crate::lineage::{Edge, edges};
use crate::message::{self, MESSAGE_BYTES, Records};
use crate::{Pipeline, Result, document, steps};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The file, as it was given.
    pub file: PathBuf,
    /// What was done.
    pub outcome: Outcome,
}

/// What a pipeline did with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its content had been loaded before.
    Skipped {
        /// The version that did it.
        version: u64,
    },
    /// Its rows are in the tables: by this load, or by the one that is named among those skipped.
    Loaded(Box<Ingested>),
}

/// The files that paths stand for: a folder for those of its files whose names end as the pipeline wants, in the order
/// of their names; a file for itself. Links in a folder are left out: it says what is loaded, not what it points to.
pub fn files(pipeline: &Pipeline, paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut inner = Vec::new();
        for entry in std::fs::read_dir(path).map_err(Unusable::io("read the folder", path))? {
            let entry = entry.map_err(Unusable::io("read the folder", path))?;
            let file = entry.path();
            let kind = entry.file_type().map_err(Unusable::io("read", &file))?;
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if kind.is_file() && pipeline.source.endings().iter().any(|ending| name.ends_with(ending)) {
                inner.push(file);
            }
        }
        inner.sort();
        found.extend(inner);
    }
    Ok(found)
}

/// Loads one file, unless that was done before. The commit has an idempotency key of the pipeline's name and the
/// file's content: a run that was interrupted is made again as a whole, and loads what it had not.
///
/// # Errors
/// A file that cannot be used, steps that do not fit, a conflict with another commit. Nothing is changed then.
pub fn run<'a>(
    store: &'a Store,
    engine: &'a Engine,
    pipeline: &'a Pipeline,
    file: &'a Path,
    progress: &'a mut (dyn FnMut(Progress<'_>) + Send),
) -> BoxFuture<'a, Result<Outcome>> {
    Box::pin(load(store, engine, pipeline, file, progress))
}

async fn load(
    store: &Store,
    engine: &Engine,
    pipeline: &Pipeline,
    file: &Path,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Outcome> {
    let message = match &pipeline.source {
        Source::Direct { .. } => Vec::new(),
        Source::Messages { .. } | Source::Documents { .. } => bytes(file)?,
    };
    let sha256 = match &pipeline.source {
        Source::Direct { .. } => digest(file)?,
        Source::Messages { .. } | Source::Documents { .. } => hexadecimal(&Sha256::digest(&message)),
    };
    let key = format!("pipeline {} {sha256}", pipeline.name);
    if let Some(commit) = store.current()?.find_key(&key) {
        return Ok(Outcome::Skipped { version: commit.version });
    }
    let edges = new_edges(engine, pipeline).await?;
    let (format, rows, staged) = match &pipeline.source {
        Source::Direct { format, .. } => (format.clone(), Rows::File(file.to_path_buf()), None),
        Source::Messages { record, columns, .. } => {
            let text = text(file, message)?;
            let records = message::read(file, &text, record, columns)?;
            drop(text);
            if records.rows.is_empty() {
                let expected = format!("a message with at least one {}", record.join("/"));
                return Err(Unusable::unreadable(file, expected, "none").into());
            }
            let (rows, counts) = made(engine, pipeline, (file, &key), columns, records).await?;
            (Format::Table(pipeline.table.name.to_owned()), rows, Some(counts))
        }
        Source::Documents { .. } => {
            let records = document::read(file, &message);
            drop(message);
            let (rows, counts) = made(engine, pipeline, (file, &key), &document::columns(), records).await?;
            (Format::Table(pipeline.table.name.to_owned()), rows, Some(counts))
        }
    };
    let mut changes = Changes::begin(store)?.with_key(key)?;
    changes.apply(pipeline.change, &pipeline.schema, &format, vec![rows], &mut |at| progress(at))?;
    let (accepted, rejected) = (changes.done().accepted, changes.done().rejected);
    let (read, left_out) = staged.unwrap_or((accepted + rejected, 0));
    let counts = [read, left_out, accepted, rejected];
    let mut noted = vec![run_row(pipeline, file, &sha256, counts)];
    if !edges.is_empty() {
        noted.push(edge_rows(pipeline, edges));
    }
    changes.add_notes(META, noted);
    let done = changes.commit()?;
    Ok(match done.repeated {
        true => Outcome::Skipped { version: done.version },
        false => Outcome::Loaded(Box::new(done)),
    })
}

/// What the steps make of the records of a file, and how many were read and left out.
async fn made(
    engine: &Engine,
    pipeline: &Pipeline,
    (file, key): (&Path, &str),
    columns: &BTreeMap<String, Vec<String>>,
    records: Records,
) -> Result<(Rows<'static>, (u64, u64))> {
    let read = records.rows.len() as u64;
    let made = steps::make(engine, pipeline, columns.keys(), records).await?;
    // Another pipeline makes other rows of the same file.
    let (name, sha256) = (file.display().to_string(), hexadecimal(&Sha256::digest(key)));
    let (rows, origins, refused) = (made.rows, made.origins, made.refused);
    let staged = Staged { file: name, sha256, rows, origins, refused };
    Ok((Rows::Staged(Box::new(staged)), (read, made.left_out)))
}

/// What a message or a document holds.
fn bytes(file: &Path) -> Result<Vec<u8>> {
    let open = std::fs::File::open(file).map_err(Unusable::io("open", file))?;
    let size = open.metadata().map_err(Unusable::io("read", file))?.len();
    if size > MESSAGE_BYTES {
        return Err(Unusable::unreadable(file, "a file of at most 256 MiB", format!("{size} bytes")).into());
    }
    let mut bytes = Vec::with_capacity(size as usize);
    open.take(MESSAGE_BYTES).read_to_end(&mut bytes).map_err(Unusable::io("read", file))?;
    Ok(bytes)
}

fn text(file: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let found = format!("the byte {:#04x} at {at}", error.as_bytes()[at]);
        Unusable::unreadable(file, "a message in UTF-8", found).into()
    })
}

/// What columns are made of, where this declaration has not recorded it yet.
async fn new_edges(engine: &Engine, pipeline: &Pipeline) -> Result<Vec<Edge>> {
    let sql = format!("select 1 from {META}.lineage where pipeline_sha256 = '{}' limit 1", pipeline.sha256);
    let snapshot = engine.current()?;
    let known: Vec<RecordBatch> = snapshot.statement(&sql).await?.execute(None).await?.try_collect().await?;
    match known.iter().any(|batch| batch.num_rows() > 0) {
        true => Ok(Vec::new()),
        false => edges(engine, pipeline).await,
    }
}

fn texts<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

fn run_row(pipeline: &Pipeline, file: &Path, sha256: &str, counts: [u64; 4]) -> Noted {
    let file = file.display().to_string();
    let words = [&pipeline.name, &pipeline.sha256, &pipeline.schema, pipeline.table.name, &file, sha256];
    let mut columns: Vec<ArrayRef> = words.map(|word: &str| texts([Some(word)])).to_vec();
    columns.extend(counts.map(|count| Arc::new(Int64Array::from(vec![count as i64])) as ArrayRef));
    noted("pipeline_runs", columns)
}

fn edge_rows(pipeline: &Pipeline, edges: Vec<Edge>) -> Noted {
    let all = |word: &str| texts(edges.iter().map(|_| Some(word)));
    let each = |of: fn(&Edge) -> Option<&str>| texts(edges.iter().map(of));
    let columns = vec![
        all(&pipeline.name),
        all(&pipeline.sha256),
        all(&pipeline.schema),
        each(|edge| Some(&edge.table)),
        each(|edge| Some(&edge.column)),
        each(|edge| Some(&edge.source_table)),
        each(|edge| Some(&edge.source_column)),
        each(|edge| edge.source_path.as_deref()),
    ];
    noted("lineage", columns)
}

fn noted(name: &'static str, columns: Vec<ArrayRef>) -> Noted {
    let rows = columns.first().map_or(0, |column| column.len());
    let make = move |run_id: u64| {
        let number: ArrayRef = Arc::new(Int64Array::from(vec![run_id as i64; rows]));
        let columns = std::iter::once(number).chain(columns).collect();
        let failed = |source| haetae_warehouse::Error::Data { action: format!("write {name}"), source };
        let table: Option<&Table> = haetae_schema::meta_tables().iter().find(|table| table.name == name);
        let table = table.ok_or_else(|| failed("there is no such table".into()))?;
        RecordBatch::try_new(table.arrow_schema(), columns).map_err(|source| failed(Box::new(source)))
    };
    Noted { table: name.to_owned(), rows: rows as u64, make: Box::new(make) }
}
