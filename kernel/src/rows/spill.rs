//! Batches, one after the other -> an Arrow file in the layout of a data frame, which a cell maps into its
//! memory instead of reading it.
//!
//! The format is the Arrow IPC stream: its buffers lie aligned in the file, and no index has to be
//! written behind them. A thread of its own writes, so that the next rows come meanwhile.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use haetae_client::frame_type;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Rows are written in pieces of this many, or of as many bytes: a frame works best with few and large pieces,
/// and what waits for the rest of its piece is in memory.
const PIECE_ROWS: usize = 1 << 20;
const PIECE_BYTES: usize = 64 << 20;

/// Batches that may wait for the disk.
const WAITING: usize = 4;

/// Why rows could not be left for a cell.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// A type that has no counterpart in a frame.
    #[error(
        "column `{column}` has the Arrow type {data_type}, which a DataFrame cannot hold; cast it in SQL, for instance cast({column} as varchar)"
    )]
    ColumnType {
        /// Name of the column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// The disk, or a value that does not fit.
    #[error("cannot write the rows to {}: {source}; the folder is on the disk that TMPDIR names", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What was in the way.
        source: ArrowError,
    },
}

/// A file that is being written. Dropped before it is finished, it removes what there is.
pub struct Spill {
    path: PathBuf,
    batches: Sender<Word>,
    writer: JoinHandle<Result<(), ArrowError>>,
}

enum Word {
    Batch(RecordBatch),
    Finish,
}

impl Spill {
    /// Begins a file for rows with these columns.
    ///
    /// # Errors
    /// [`SpillError::ColumnType`] for a type that no frame can hold.
    pub fn begin(path: &Path, schema: &Schema) -> Result<Self, SpillError> {
        let schema = frame_schema(schema)?;
        let (batches, words) = channel(WAITING);
        let file = path.to_owned();
        let writer = tokio::task::spawn_blocking(move || {
            let written = write(&file, &schema, words);
            if !matches!(written, Ok(true)) {
                let _ = std::fs::remove_file(&file);
            }
            written.map(drop)
        });
        Ok(Self { path: path.to_owned(), batches, writer })
    }

    /// Hands the next rows to the disk; waits where it does not keep up.
    ///
    /// # Errors
    /// [`SpillError::Write`] where the disk has refused earlier rows.
    pub async fn add(self, batch: RecordBatch) -> Result<Self, SpillError> {
        match self.batches.send(Word::Batch(batch)).await {
            Ok(()) => Ok(self),
            // The writer has given up, and says why.
            Err(_) => Err(self.ended().await),
        }
    }

    /// Writes what is left; the file.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn finish(self) -> Result<PathBuf, SpillError> {
        let _ = self.batches.send(Word::Finish).await;
        let Self { path, writer, .. } = self;
        match writer.await {
            Ok(Ok(())) => Ok(path),
            ended => Err(write_error(path, ended)),
        }
    }

    async fn ended(self) -> SpillError {
        let Self { path, writer, batches } = self;
        drop(batches);
        write_error(path, writer.await)
    }
}

fn write_error(path: PathBuf, ended: Result<Result<(), ArrowError>, tokio::task::JoinError>) -> SpillError {
    let source = match ended {
        Ok(Err(source)) => source,
        Ok(Ok(())) => ArrowError::IpcError("the writer has ended early".to_owned()),
        Err(error) => ArrowError::IpcError(error.to_string()),
    };
    SpillError::Write { path, source }
}

fn frame_schema(schema: &Schema) -> Result<SchemaRef, SpillError> {
    let fields = schema.fields().iter().map(|field| {
        let data_type = frame_type(field.data_type()).ok_or_else(|| SpillError::ColumnType {
            column: field.name().clone(),
            data_type: field.data_type().clone(),
        })?;
        Ok(Field::new(field.name(), data_type, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>, SpillError>>()?)))
}

/// True where everything has been written; false where nobody wants it any more.
fn write(path: &Path, schema: &SchemaRef, mut words: Receiver<Word>) -> Result<bool, ArrowError> {
    let mut writer = StreamWriter::try_new(BufWriter::with_capacity(1 << 20, File::create(path)?), schema)?;
    let mut piece: Vec<RecordBatch> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    loop {
        let word = words.blocking_recv();
        if let Some(Word::Batch(batch)) = &word {
            let batch = in_layout(batch, schema)?;
            rows += batch.num_rows();
            bytes += size(&batch);
            piece.push(batch);
        }
        let done = matches!(word, Some(Word::Finish));
        if rows >= PIECE_ROWS || bytes >= PIECE_BYTES || done {
            if rows > 0 {
                writer.write(&compact(&concat_batches(schema, &piece)?)?)?;
            }
            piece.clear();
            (rows, bytes) = (0, 0);
        }
        if done {
            writer.finish()?;
            return Ok(true);
        }
        if word.is_none() {
            return Ok(false);
        }
    }
}

/// Bytes of the rows themselves: columns of one message share a buffer, which would be counted for each.
fn size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}

fn in_layout(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
    with_columns(schema, columns.collect::<Result<Vec<_>, _>>()?, batch.num_rows())
}

/// Texts refer into the buffers that they came in; only what they need of these goes into the file.
fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        _ => Arc::clone(column),
    });
    with_columns(&batch.schema(), columns.collect(), batch.num_rows())
}

fn with_columns(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let rows = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Int16Array, ListArray, StringArray};
    use arrow::datatypes::{Float64Type, Int32Type};
    use arrow::ipc::reader::StreamReader;

    fn batch() -> RecordBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("class", Arc::new(Int16Array::from(vec![Some(2), None]))),
            ("text", Arc::new(StringArray::from(vec!["short", "too long to stand within a view"]))),
            ("duty", Arc::new(Decimal128Array::from(vec![Some(125), None]).with_precision_and_scale(9, 2).unwrap())),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[tokio::test]
    async fn rows_are_joined_into_pieces_of_the_frames_layout() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.arrow");
        let mut spill = Spill::begin(&path, &batch().schema()).unwrap();
        for _ in 0..100 {
            spill = spill.add(batch()).await.unwrap();
        }
        assert_eq!(spill.finish().await.unwrap(), path);
        let reader = StreamReader::try_new(File::open(&path).unwrap(), None).unwrap();
        let batches: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        assert_eq!((batches.len(), batches[0].num_rows()), (1, 200));
        assert_eq!(batches[0].column(0).as_primitive::<Int32Type>().value(198), 2);
        assert_eq!(batches[0].column(1).as_string_view().value(199), "too long to stand within a view");
        let duty = batches[0].column(2).as_primitive::<Float64Type>();
        assert!(duty.value(0) == 1.25 && duty.is_null(1));
    }

    #[tokio::test]
    async fn an_unfinished_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.arrow");
        let Spill { batches, writer, .. } = Spill::begin(&path, &batch().schema()).unwrap().add(batch()).await.unwrap();
        drop(batches);
        writer.await.unwrap().unwrap();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_disk_that_refuses_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no such folder").join("rows.arrow");
        let mut spill = Spill::begin(&path, &batch().schema()).unwrap();
        let error = loop {
            match spill.add(batch()).await {
                Ok(again) => spill = again,
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("no such folder"), "{error}");
    }

    #[test]
    fn a_type_that_a_frame_cannot_hold_is_named() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
        let schema = Schema::new(vec![Field::new("parts", list.data_type().clone(), true)]);
        let error = frame_schema(&schema).unwrap_err().to_string();
        assert!(error.contains("`parts`") && error.contains("cast(parts as varchar)"), "{error}");
    }
}
