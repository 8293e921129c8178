//! What goes in: a stream of record batches. What comes out: Flight data: the schema, then batches
//! of at most about one mebibyte, compressed if the client wants that.
//!
//! Batches are cut by the size of the rows they show, not of the buffers they share: the stock
//! encoder counts whole buffers and cuts slices far too small. Messages stay near one mebibyte
//! because clients refuse large ones and because larger ones are not faster.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow_flight::FlightData;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tonic::Status;

use crate::status;

/// Size that a message aims at, in bytes.
pub(crate) const MESSAGE_BYTES: usize = 1 << 20;

/// How the bodies of messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compression {
    #[default]
    None,
    Lz4,
    Zstd,
}

impl Compression {
    /// The names of all.
    pub(crate) const NAMES: &str = "none, lz4, zstd";

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::None, Self::Lz4, Self::Zstd].into_iter().find(|known| known.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    fn codec(self) -> Option<CompressionType> {
        match self {
            Self::None => None,
            Self::Lz4 => Some(CompressionType::LZ4_FRAME),
            Self::Zstd => Some(CompressionType::ZSTD),
        }
    }
}

/// The messages of a result.
pub(crate) fn flight_data<S>(
    schema: &SchemaRef,
    batches: S,
    compression: Compression,
) -> BoxStream<'static, Result<FlightData, Status>>
where
    S: Stream<Item = Result<RecordBatch, Status>> + Send + 'static,
{
    let options = IpcWriteOptions::default().try_with_compression(compression.codec());
    let options = match options {
        Ok(options) => options,
        Err(error) => return stream::iter([Err(status::internal("compress a result")(error))]).boxed(),
    };
    let mut encoder = Encoder { options, ..Encoder::default() };
    // With the tracker of the batches, which knows the columns with dictionaries from here.
    let tracker = &mut encoder.dictionaries.0;
    let head = encoder.generator.schema_to_bytes_with_dictionary_tracker(schema, tracker, &encoder.options);
    let head = FlightData::from(head);
    let body = batches.flat_map(move |batch| {
        let messages = match batch.and_then(|batch| encoder.encode(&batch)) {
            Ok(messages) => messages.into_iter().map(Ok).collect(),
            Err(status) => vec![Err(status)],
        };
        stream::iter(messages)
    });
    stream::once(async move { Ok(head) }).chain(body).boxed()
}

#[derive(Default)]
struct Encoder {
    generator: IpcDataGenerator,
    dictionaries: Dictionaries,
    options: IpcWriteOptions,
    context: IpcWriteContext,
}

struct Dictionaries(DictionaryTracker);

impl Default for Dictionaries {
    fn default() -> Self {
        Self(DictionaryTracker::new(false))
    }
}

impl Encoder {
    fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<FlightData>, Status> {
        let mut messages = Vec::new();
        for part in cut(batch) {
            let (dictionaries, rows) = self
                .generator
                .encode(&part, &mut self.dictionaries.0, &self.options, &mut self.context)
                .map_err(status::internal("encode a batch"))?;
            messages.extend(dictionaries.into_iter().map(FlightData::from));
            messages.push(FlightData::from(rows));
        }
        Ok(messages)
    }
}

/// The batch in parts of about [`MESSAGE_BYTES`], at least one.
pub(crate) fn cut(batch: &RecordBatch) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    let parts = bytes_of(batch).div_ceil(MESSAGE_BYTES).clamp(1, rows.max(1));
    if parts == 1 {
        return vec![batch.clone()];
    }
    let each = rows.div_ceil(parts);
    (0..rows).step_by(each).map(|start| batch.slice(start, each.min(rows - start))).collect()
}

/// The size of the rows that a batch shows.
pub(crate) fn bytes_of(batch: &RecordBatch) -> usize {
    let column = |column: &arrow::array::ArrayRef| {
        // An unknown size (of a nested view type) is taken to be the buffers': too many parts, none too large.
        column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size())
    };
    batch.columns().iter().map(column).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::compute::concat_batches;

    use super::*;

    #[test]
    fn parts_are_small_and_complete() {
        let numbers = Int64Array::from_iter_values(0..400_000);
        let texts = StringArray::from_iter_values((0..400_000).map(|n| format!("text {n}")));
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as arrow::array::ArrayRef),
            ("t", Arc::new(texts) as arrow::array::ArrayRef),
        ])
        .unwrap();
        let parts = cut(&batch);
        assert!(parts.iter().all(|part| bytes_of(part) <= MESSAGE_BYTES + 4096));
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
        // A slice counts as what it shows.
        assert_eq!(cut(&batch.slice(7, 10)).len(), 1);
        assert_eq!(cut(&batch.slice(7, 0)).len(), 1);
    }
}
