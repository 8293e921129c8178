//! What goes in: a file of any kind that is understood, or record batches. What comes out: chunks of
//! typed rows, and the SHA-256 of the content.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};

use super::chunk::{Chunk, ROWS};
use super::columnar::{self, Columnar};
use super::guard;
use super::layout::Layout;
use super::staged::Staged;
use super::text::TextFile;
use crate::{Error, Result};

/// What rows, or keys, are read from.
pub enum Source<'a> {
    /// A file. Its first bytes say what it is: Parquet, Arrow IPC (the file format, also called
    /// Feather, or the stream format), otherwise CSV in UTF-8 with a header.
    File(PathBuf),
    /// Record batches that agree in their columns.
    Batches {
        /// Stands in for a file name.
        name: String,
        /// The batches. An error among them ends the change.
        batches: Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>,
    },
    /// What a pipeline has made of a file.
    Staged(Box<Staged>),
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Source").field(&self.name()).finish()
    }
}

impl From<PathBuf> for Source<'_> {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl Source<'_> {
    /// The path of the file, or the name that stands in for one.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Batches { name, .. } => name.clone(),
            Self::Staged(staged) => staged.file.clone(),
        }
    }
}

/// An opened file.
pub(super) enum Opened<'a> {
    Text(TextFile<'a>),
    Columnar(Columnar<'a>),
}

impl<'a> Opened<'a> {
    /// Opens a file and checks its columns.
    pub(super) fn open(path: &Path, layout: &'a Layout) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let mut start = Vec::new();
        (&file).take(8).read_to_end(&mut start).map_err(Error::io("read", path))?;
        let file = File::open(path).map_err(Error::io("open", path))?;
        match start.as_slice() {
            [b'P', b'A', b'R', b'1', ..] => Self::parquet(path, file, layout),
            b"ARROW1\0\0" => {
                let damaged = columnar::damaged(path, "an Arrow IPC file");
                guard::no_panic(|| guard::arrow_file(&file)).map_err(|error| damaged(&error))?;
                let reader = guard::no_panic(|| FileReader::try_new_buffered(file, None));
                let reader = reader.map_err(|error| damaged(&error))?;
                let schema = reader.schema();
                Ok(Self::Columnar(Columnar::new(path, layout, &schema, calmly(reader, damaged), None)?))
            }
            // The marker before each message of a stream.
            [0xFF, 0xFF, 0xFF, 0xFF, ..] => {
                let damaged = columnar::damaged(path, "an Arrow IPC stream");
                guard::no_panic(|| guard::arrow_stream(&file)).map_err(|error| damaged(&error))?;
                let reader = guard::no_panic(|| StreamReader::try_new(BufReader::new(file), None));
                let reader = reader.map_err(|error| damaged(&error))?;
                let schema = reader.schema();
                Ok(Self::Columnar(Columnar::new(path, layout, &schema, calmly(reader, damaged), None)?))
            }
            _ => Ok(Self::Text(TextFile::open(path, layout)?)),
        }
    }

    fn parquet(path: &Path, file: File, layout: &'a Layout) -> Result<Self> {
        let damaged = columnar::damaged(path, "a Parquet file");
        guard::parquet_footer(&file).map_err(|error| damaged(&error))?;
        let pages = file.try_clone().map_err(Error::io("open", path))?;
        let builder = guard::no_panic(|| ParquetRecordBatchReaderBuilder::try_new(file));
        let builder = builder.map_err(|error| damaged(&error))?;
        guard::no_panic(|| guard::parquet_pages(&pages, builder.metadata())).map_err(|error| damaged(&error))?;
        let schema = builder.schema().clone();
        let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
        let reader = guard::no_panic(|| builder.with_batch_size(ROWS).build());
        let reader = reader.map_err(|error| damaged(&error))?;
        Ok(Self::Columnar(Columnar::new(path, layout, &schema, calmly(reader, damaged), Some(rows))?))
    }

    /// The next rows, or `None` at the end.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        match self {
            Self::Text(file) => file.next_chunk(),
            Self::Columnar(file) => file.next_chunk(),
        }
    }

    /// How much is read, and of how much: bytes of a text, rows of anything else.
    pub(super) fn progress(&self) -> (u64, u64) {
        match self {
            Self::Text(file) => file.progress(),
            Self::Columnar(file) => file.progress(),
        }
    }
}

/// The batches of a reader, whose panics are errors. After an error it is not asked again.
fn calmly<E: std::fmt::Display>(
    mut reader: impl Iterator<Item = Result<RecordBatch, E>> + 'static,
    damaged: impl Fn(&dyn std::fmt::Display) -> Error + 'static,
) -> Box<dyn Iterator<Item = Result<RecordBatch>>> {
    let mut failed = false;
    Box::new(std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let next = guard::no_panic(|| reader.next().transpose());
        failed = next.is_err();
        next.map_err(|error| damaged(&error)).transpose()
    }))
}

/// SHA-256 of a file's content in lower-case hexadecimal.
pub fn digest(path: &Path) -> Result<String> {
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

/// Bytes in lower-case hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes batches as they pass: their schema and content, as an Arrow stream has them.
#[derive(Default)]
pub(super) struct BatchHash(Option<StreamWriter<Hash>>);

impl BatchHash {
    pub(super) fn note(&mut self, batch: &RecordBatch) -> Result<()> {
        let failed = || "hash a batch";
        let writer = match &mut self.0 {
            Some(writer) => writer,
            none => {
                none.insert(StreamWriter::try_new(Hash(Sha256::new()), &batch.schema()).map_err(Error::data(failed()))?)
            }
        };
        writer.write(batch).map_err(Error::data(failed()))
    }

    pub(super) fn finish(self) -> Result<String> {
        let content = match self.0 {
            Some(writer) => writer.into_inner().map_err(Error::data("hash a batch"))?.0,
            None => Sha256::new(),
        };
        Ok(hexadecimal(&content.finalize()))
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
