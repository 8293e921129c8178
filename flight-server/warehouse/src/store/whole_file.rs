//! What goes in: all rows of a new file. What comes out: the file, its rows in order, its row groups encoded by several
//! threads and written one after another. Its bytes do not depend on the number of threads.

use std::io::Write;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle, ScopedJoinHandle};

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::Result as Encoded;
use parquet::file::writer::SerializedFileWriter;

use super::order::order;
use super::parquet_file::{ROW_GROUP_ROWS, Sink, Written};
use crate::{Error, Result};

/// More threads would only wait for the one that writes.
const MOST_THREADS: usize = 8;

/// A file that another thread is writing.
#[derive(Debug)]
pub(crate) struct Filling(Option<JoinHandle<Result<Written>>>);

impl Filling {
    /// Writes `batches` in the order of `sort` into a file that is empty yet.
    pub(super) fn begin(sink: Sink, batches: Vec<RecordBatch>, sort: &[&str]) -> Result<Self> {
        let failed = Error::io("start a thread that writes", sink.path().to_owned());
        let sort: Vec<String> = sort.iter().map(|&name| name.to_owned()).collect();
        let work = move || {
            let sort: Vec<&str> = sort.iter().map(String::as_str).collect();
            fill(sink, &batches, &sort)
        };
        Ok(Self(Some(thread::Builder::new().spawn(work).map_err(failed)?)))
    }

    /// Waits for the end of it.
    pub(super) fn finish(mut self) -> Result<Written> {
        match self.0.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(Error::data("write a file")("it has been written already")),
        }
    }
}

/// The directory of the transaction must not be removed while a thread writes into it.
impl Drop for Filling {
    fn drop(&mut self) {
        drop(self.0.take().map(JoinHandle::join));
    }
}

/// Writes `batches` in the order of `sort` into a file that is empty yet, and completes it.
pub(super) fn fill(mut sink: Sink, batches: &[RecordBatch], sort: &[&str]) -> Result<Written> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return sink.finish() };
    for batch in batches {
        sink.note(batch);
    }
    let column = |index: usize| batches.iter().map(|batch| batch.column(index).clone()).collect::<Vec<ArrayRef>>();
    let columns: Vec<Vec<ArrayRef>> = sort.iter().filter_map(|name| schema.index_of(name).ok()).map(column).collect();
    let rows = Rows { order: order(&columns, sink.rows() as usize)?, starts: starts(batches), batches };
    drop(columns);
    sink.finish_with(|file, encoder| write(file, encoder, &schema, &rows))
}

/// The number of the first row of each batch.
fn starts(batches: &[RecordBatch]) -> Vec<usize> {
    let mut next = 0;
    let start = |batch: &RecordBatch| {
        next += batch.num_rows();
        next - batch.num_rows()
    };
    batches.iter().map(start).collect()
}

/// Rows, and the order in which they are written.
struct Rows<'a> {
    batches: &'a [RecordBatch],
    starts: Vec<usize>,
    order: Vec<u32>,
}

impl Rows<'_> {
    fn groups(&self) -> usize {
        self.order.len().div_ceil(ROW_GROUP_ROWS)
    }

    /// One row group, encoded and compressed.
    fn encode(
        &self,
        group: usize,
        schema: &SchemaRef,
        encoder: &ArrowRowGroupWriterFactory,
    ) -> Encoded<Vec<ArrowColumnChunk>> {
        let place = |row: &u32| {
            let row = *row as usize;
            let batch = self.starts.partition_point(|start| *start <= row) - 1;
            (batch, row - self.starts[batch])
        };
        let end = self.order.len().min((group + 1) * ROW_GROUP_ROWS);
        let places: Vec<(usize, usize)> = self.order[group * ROW_GROUP_ROWS..end].iter().map(place).collect();
        let mut writers = encoder.create_column_writers(group)?.into_iter();
        let mut chunks = Vec::with_capacity(writers.len());
        for (index, field) in schema.fields().iter().enumerate() {
            let pieces: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(index).as_ref()).collect();
            for leaf in compute_leaves(field, &interleave(&pieces, &places)?)? {
                if let Some(mut writer) = writers.next() {
                    writer.write(&leaf)?;
                    chunks.push(writer.close()?);
                }
            }
        }
        Ok(chunks)
    }
}

type File = SerializedFileWriter<Box<dyn Write + Send>>;

fn write(file: &mut File, encoder: &ArrowRowGroupWriterFactory, schema: &SchemaRef, rows: &Rows<'_>) -> Encoded<()> {
    let groups = rows.groups();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(groups);
    if threads < 2 {
        return (0..groups).try_for_each(|group| append(file, rows.encode(group, schema, encoder)?));
    }
    thread::scope(|scope| {
        // Each thread has one group that it works at and one that waits to be written: memory has a bound.
        let each = |first: usize| {
            let (send, receive) = sync_channel(1);
            let work = move || {
                for group in (first..groups).step_by(threads) {
                    // Nobody listens any longer where another group has failed.
                    if send.send(rows.encode(group, schema, encoder)).is_err() {
                        return;
                    }
                }
            };
            // Where no thread is to be had, its groups are encoded when their turn comes.
            thread::Builder::new().spawn_scoped(scope, work).ok().map(|thread| (receive, thread))
        };
        let encoders: Vec<_> = (0..threads).map(each).collect();
        // Up to a group whose thread has panicked.
        let mut encoded = (0..groups).map_while(|group| match &encoders[group % threads] {
            Some((encoded, _)) => encoded.recv().ok(),
            None => Some(rows.encode(group, schema, encoder)),
        });
        let written = encoded.try_for_each(|chunks| append(file, chunks?));
        // Before an error is returned: the scope would put a panic in its place.
        let join = |(encoded, thread): (Receiver<_>, ScopedJoinHandle<'_, ()>)| {
            drop(encoded);
            thread.join()
        };
        let ends: Vec<thread::Result<()>> = encoders.into_iter().flatten().map(join).collect();
        written?;
        ends.into_iter().for_each(|end| end.unwrap_or_else(|panic| resume_unwind(panic)));
        Ok(())
    })
}

fn append(file: &mut File, chunks: Vec<ArrowColumnChunk>) -> Encoded<()> {
    let mut group = file.next_row_group()?;
    for chunk in chunks {
        chunk.append_to_row_group(&mut group)?;
    }
    group.close().map(drop)
}
