//! What goes in: the files of one load, one after another. What comes out: accepted rows in files
//! of the store, refused rows in the table of rejects, one commit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::array_value_to_string;
use haetae_schema::Table;
use sha2::{Digest, Sha256};

use super::check::check;
use super::chunk::Chunk;
use super::columnar::{self, ColumnarFile};
use super::dimensions::Mentioned;
use super::keys::{Keys, Seen};
use super::layout::Layout;
use super::rejects::{self, Reject};
use super::text::TextFile;
use super::{Ingested, Progress, Skipped, hexadecimal};
use crate::store::{Input, NewLoad, Writer};
use crate::{Error, REJECTS, Result};

/// Rows that are sorted together and become one file. Bounds the memory of a load.
const ROWS_IN_A_FILE: usize = 2 * 1024 * 1024;

/// A load that is being read.
pub(super) struct LoadState {
    writer: Writer,
    schema: String,
    layout: Layout,
    keys: Keys,
    mentioned: Mentioned,
    waiting: BTreeMap<&'static str, Waiting>,
    rejects: Vec<Reject>,
    written: BTreeMap<String, u64>,
    rows_read: u64,
    accepted: u64,
    rejected: u64,
}

struct Waiting {
    table: &'static Table,
    batches: Vec<RecordBatch>,
    rows: usize,
}

impl LoadState {
    pub(super) fn begin(writer: Writer, schema: &str, layout: Layout) -> Result<Self> {
        let keys = Keys::of_table(writer.store(), writer.base(), schema, layout.table.name, layout.table.key)?;
        Ok(Self {
            writer,
            schema: schema.to_owned(),
            layout,
            keys,
            mentioned: Mentioned::default(),
            waiting: BTreeMap::new(),
            rejects: Vec::new(),
            written: BTreeMap::new(),
            rows_read: 0,
            accepted: 0,
            rejected: 0,
        })
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Reads a CSV or Parquet file to its end.
    pub(super) fn read_file(&mut self, path: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<()> {
        let mut magic = [0; 4];
        let mut start = File::open(path).map_err(Error::io("open", path))?.take(4);
        let is_parquet = start.read_exact(&mut magic).is_ok() && magic == *b"PAR1";
        let name = path.display().to_string();
        let layout = self.layout.clone();
        if is_parquet {
            let mut file = ColumnarFile::open(path, &layout)?;
            while let Some(chunk) = file.next_chunk()? {
                self.take(&name, chunk)?;
                let (done, total) = file.progress();
                progress(Progress { file: path, rows: self.rows_read, done, total });
            }
        } else {
            let mut file = TextFile::open(path, &layout)?;
            while let Some(chunk) = file.next_chunk()? {
                self.take(&name, chunk)?;
                let (done, total) = file.progress();
                progress(Progress { file: path, rows: self.rows_read, done, total });
            }
        }
        Ok(())
    }

    /// Reads batches and returns the SHA-256 of their content.
    pub(super) fn read_batches(
        &mut self,
        name: &str,
        batches: impl IntoIterator<Item = Result<RecordBatch>>,
    ) -> Result<String> {
        let failed = || "hash a batch";
        let layout = self.layout.clone();
        let mut hash: Option<StreamWriter<Hash>> = None;
        let mut first = 1;
        for batch in batches {
            let batch = batch?;
            columnar::check_schema(Path::new(name), &layout, &batch.schema())?;
            let writer = match &mut hash {
                Some(writer) => writer,
                none => none.insert(
                    StreamWriter::try_new(Hash(Sha256::new()), &batch.schema()).map_err(Error::data(failed()))?,
                ),
            };
            writer.write(&batch).map_err(Error::data(failed()))?;
            self.take(name, columnar::chunk(&layout, &batch, first)?)?;
            first += batch.num_rows() as u64;
        }
        let content = match hash {
            Some(writer) => writer.into_inner().map_err(Error::data(failed()))?.0,
            None => Sha256::new(),
        };
        Ok(hexadecimal(&content.finalize()))
    }

    /// Publishes what was read.
    pub(super) fn commit(mut self, inputs: Vec<Input>, skipped: Vec<Skipped>) -> Result<Ingested> {
        let names: Vec<&'static str> = self.waiting.keys().copied().collect();
        for name in names {
            self.write_out(name)?;
        }
        if self.layout.format == "kcs" {
            let mentioned = std::mem::take(&mut self.mentioned);
            for (table, rows) in mentioned.missing(self.writer.store(), self.writer.base(), &self.schema)? {
                self.add(table.name, &[rows], table.sort)?;
            }
        }
        if !self.rejects.is_empty() {
            let rows = rejects::batch(self.writer.load_id(), &self.rejects)?;
            self.add(REJECTS, &[rows], &[])?;
        }
        let load_id = self.writer.load_id();
        let load = NewLoad::of(&self.layout, &self.schema, inputs, self.accepted, self.rejected);
        let manifest = self.writer.commit(load)?;
        Ok(Ingested {
            load_id: Some(load_id),
            version: manifest.version,
            accepted: self.accepted,
            rejected: self.rejected,
            tables: self.written.into_iter().collect(),
            skipped,
        })
    }

    /// Checks the rows of a chunk and keeps the good ones and the bad ones apart.
    fn take(&mut self, file: &str, mut chunk: Chunk) -> Result<()> {
        self.rows_read += (chunk.lines.len() + chunk.broken.len()) as u64;
        let failures = check(&self.layout, &mut chunk)?;
        let mut refused: Vec<Reject> = Vec::new();
        let mut refuse = |line_number: u64, column: Option<&str>, reason: String, raw_text: String| {
            let (table, file, column) = (self.layout.table.name.to_owned(), file.to_owned(), column.map(str::to_owned));
            refused.push(Reject { table, file, line_number, column, reason, raw_text });
        };
        for broken in std::mem::take(&mut chunk.broken) {
            refuse(broken.line, None, broken.reason, broken.raw);
        }
        for (row, failure) in failures.iter().enumerate() {
            if let Some(failure) = failure {
                let column = failure.source.map(|position| self.layout.sources[position].header);
                refuse(chunk.lines[row], column, failure.reason.clone(), chunk.raw.row(row));
            }
        }

        // Keys are compared among good rows only: a bad row must not make a later good one a duplicate.
        let good: Vec<usize> = (0..failures.len()).filter(|row| failures[*row].is_none()).collect();
        let keep: BooleanArray = failures.iter().map(|failure| Some(failure.is_none())).collect();
        let rows = filter_record_batch(&chunk.rows, &keep).map_err(Error::data("drop refused rows"))?;
        let tables = self.layout.split(&rows)?;
        let Some((table, primary)) = tables.first() else { return Ok(()) };
        let seen = self.keys.note(primary, table.key)?;
        for (position, row) in good.into_iter().enumerate() {
            if let Some(seen) = seen[position] {
                let header = self.layout.sources.iter().find(|s| Some(&s.column.name) == table.key.first());
                let reason = duplicate(primary, table, position, seen);
                refuse(chunk.lines[row], header.map(|source| source.header), reason, chunk.raw.row(row));
            }
        }
        let keep: BooleanArray = seen.iter().map(|seen| Some(seen.is_none())).collect();
        self.accepted += keep.true_count() as u64;
        refused.sort_by_key(|reject| reject.line_number);
        self.rejected += refused.len() as u64;
        self.rejects.append(&mut refused);
        for (table, rows) in tables {
            let rows = filter_record_batch(&rows, &keep).map_err(Error::data("drop refused rows"))?;
            self.keep(table, rows)?;
        }
        Ok(())
    }

    fn keep(&mut self, table: &'static Table, rows: RecordBatch) -> Result<()> {
        if self.layout.format == "kcs" && table.name == self.layout.table.name {
            self.mentioned.note(&rows);
        }
        let waiting = self.waiting.entry(table.name).or_insert_with(|| Waiting { table, batches: Vec::new(), rows: 0 });
        waiting.rows += rows.num_rows();
        waiting.batches.push(rows);
        if waiting.rows >= ROWS_IN_A_FILE { self.write_out(table.name) } else { Ok(()) }
    }

    fn write_out(&mut self, name: &str) -> Result<()> {
        let Some(waiting) = self.waiting.get_mut(name) else { return Ok(()) };
        waiting.rows = 0;
        let batches = std::mem::take(&mut waiting.batches);
        let table = waiting.table;
        self.add(table.name, &batches, table.sort)
    }

    fn add(&mut self, table: &str, batches: &[RecordBatch], sort: &[&str]) -> Result<()> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows > 0 {
            *self.written.entry(table.to_owned()).or_default() += rows as u64;
        }
        self.writer.add(&self.schema, table, batches, sort)
    }
}

fn duplicate(rows: &RecordBatch, table: &Table, row: usize, seen: Seen) -> String {
    let value = |name: &&str| {
        let column = rows.column_by_name(name)?;
        let text = if column.is_null(row) { "null".to_owned() } else { array_value_to_string(column, row).ok()? };
        let quoted = column.as_string_opt::<i32>().is_some() && !column.is_null(row);
        Some(if quoted { format!("{name} \"{text}\"") } else { format!("{name} {text}") })
    };
    let key = table.key.iter().filter_map(value).collect::<Vec<_>>().join(", ");
    match seen {
        Seen::InTable => format!("duplicate key {key}: {} has it already", table.name),
        Seen::InLoad => format!("duplicate key {key}: an earlier row of this load has it"),
    }
}

/// A sink that keeps a hash of what is written to it.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
