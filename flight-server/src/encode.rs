//! What goes in: a stream of record batches. What comes out: messages of Flight data: the schema, then batches
//! of one to two mebibytes at most, compressed if the client wants that.
//!
//! Batches are cut by the size of the rows they show, not of the buffers they share: the stock
//! encoder counts whole buffers and cuts slices far too small. Messages stay small
//! because clients refuse large ones and because larger ones are not faster.

use arrow::array::{Array, AsArray, OffsetSizeTrait, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, StreamEncoder};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tonic::Status;

use crate::message::Message;
use crate::{Result, status};

/// Size that the parts of a batch aim at, in bytes.
const MESSAGE_BYTES: usize = 1 << 20;

/// A batch up to this size is one message: cutting it costs its offsets being written anew.
const WHOLE_BYTES: usize = 2 << 20;

/// From this size on, buffers are not copied together before they are sent. Below it that costs less than it saves.
const LARGE_BYTES: usize = 64 << 10;

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

/// A batch of a result. A mark goes out beside its last message (`app_metadata`).
pub(crate) struct Marked {
    pub(crate) batch: RecordBatch,
    pub(crate) mark: Bytes,
}

impl From<RecordBatch> for Marked {
    fn from(batch: RecordBatch) -> Self {
        Self { batch, mark: Bytes::new() }
    }
}

impl std::borrow::Borrow<RecordBatch> for Marked {
    fn borrow(&self) -> &RecordBatch {
        &self.batch
    }
}

/// The messages of a result.
pub(crate) fn flight_data<S, B>(
    schema: &SchemaRef,
    batches: S,
    compression: Compression,
) -> BoxStream<'static, Result<Message, Status>>
where
    S: Stream<Item = Result<B, Status>> + Send + 'static,
    B: Into<Marked>,
{
    let options = IpcWriteOptions::default().try_with_compression(compression.codec());
    let options = match options {
        Ok(options) => options,
        Err(error) => return stream::iter([Err(status::internal("compress a result")(error))]).boxed(),
    };
    let whole = compression == Compression::None && !has_dictionaries(schema);
    let large = if whole { Large::Unused } else { Large::Never };
    let mut encoder = Encoder { options, large, ..Encoder::default() };
    // With the tracker of the batches, which knows the columns with dictionaries from here.
    let tracker = &mut encoder.dictionaries.0;
    let head = encoder.generator.schema_to_bytes_with_dictionary_tracker(schema, tracker, &encoder.options);
    let head = Message::from(head);
    let body = batches.flat_map(move |batch| {
        let messages = match batch.and_then(|batch| encoder.encode(batch.into())) {
            Ok(messages) => messages.into_iter().map(Ok).collect(),
            Err(status) => vec![Err(status)],
        };
        stream::iter(messages)
    });
    stream::once(async move { Ok(head) }).chain(body).boxed()
}

fn has_dictionaries(schema: &SchemaRef) -> bool {
    schema.flattened_fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(..)))
}

#[derive(Default)]
struct Encoder {
    generator: IpcDataGenerator,
    dictionaries: Dictionaries,
    options: IpcWriteOptions,
    context: IpcWriteContext,
    large: Large,
}

/// Encodes parts that are large without copying their buffers. It cannot share what is known of dictionaries with
/// the other one.
#[derive(Default)]
enum Large {
    #[default]
    Never,
    Unused,
    Used(Box<StreamEncoder>),
}

struct Dictionaries(DictionaryTracker);

impl Default for Dictionaries {
    fn default() -> Self {
        Self(DictionaryTracker::new(false))
    }
}

impl Encoder {
    fn encode(&mut self, Marked { batch, mark }: Marked) -> Result<Vec<Message>, Status> {
        let (bytes, mut messages) = (bytes_of(&batch), Vec::new());
        let parts = cut(&batch, bytes);
        let is_large = bytes / parts.len() >= LARGE_BYTES;
        for part in parts {
            if is_large && let Some(message) = self.large(&part)? {
                messages.push(message);
                continue;
            }
            let (dictionaries, rows) = self
                .generator
                .encode(&part, &mut self.dictionaries.0, &self.options, &mut self.context)
                .map_err(failed)?;
            messages.extend(dictionaries.into_iter().map(Message::from));
            messages.push(Message::from(rows));
        }
        if let Some(last) = messages.last_mut() {
            last.mark = mark;
        }
        Ok(messages)
    }

    fn large(&mut self, part: &RecordBatch) -> Result<Option<Message>, Status> {
        if matches!(self.large, Large::Unused) {
            let encoder = StreamEncoder::try_new_with_options(&part.schema(), self.options.clone()).map_err(failed)?;
            self.large = Large::Used(Box::new(encoder));
        }
        let Large::Used(encoder) = &mut self.large else { return Ok(None) };
        Message::of_stream(encoder.encode(part).map_err(failed)?)
    }
}

fn failed(error: ArrowError) -> Status {
    status::internal("encode a batch")(error)
}

/// The batch in parts of about [`MESSAGE_BYTES`], at least one, and none above [`WHOLE_BYTES`] that can be halved.
fn cut(batch: &RecordBatch, bytes: usize) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    let parts = bytes.div_ceil(MESSAGE_BYTES).clamp(1, rows.max(1));
    if parts == 1 || bytes <= WHOLE_BYTES {
        return vec![batch.clone()];
    }
    let each = rows.div_ceil(parts);
    let mut small = Vec::with_capacity(parts);
    for start in (0..rows).step_by(each) {
        let part = batch.slice(start, each.min(rows - start));
        let bytes = bytes_of(&part);
        halve(part, bytes, &mut small);
    }
    small
}

/// Equal in rows is not equal in bytes: long texts may lie together.
fn halve(part: RecordBatch, bytes: usize, small: &mut Vec<RecordBatch>) {
    let rows = part.num_rows();
    if bytes <= WHOLE_BYTES || rows < 2 {
        return small.push(part);
    }
    let halves = [part.slice(0, rows / 2), part.slice(rows / 2, rows - rows / 2)].map(|half| (bytes_of(&half), half));
    // What both halves show as a whole, such as the values of a dictionary, becomes no less by halving.
    if halves.iter().all(|(half, _)| *half > bytes / 4 * 3) {
        return small.push(part);
    }
    for (bytes, half) in halves {
        halve(half, bytes, small);
    }
}

/// The size of the rows that a batch shows.
pub(crate) fn bytes_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| shown(column)).sum()
}

/// The size of what an array shows. Arrow counts all values behind a slice of lists, so that those are counted here.
fn shown(array: &dyn Array) -> usize {
    let nulls = if array.nulls().is_some() { array.len().div_ceil(8) } else { 0 };
    nulls
        + match array.data_type() {
            DataType::List(_) => listed(array.as_list::<i32>().offsets(), array.as_list::<i32>().values()),
            DataType::LargeList(_) => listed(array.as_list::<i64>().offsets(), array.as_list::<i64>().values()),
            DataType::Map(..) => listed(array.as_map().offsets(), array.as_map().entries()),
            DataType::FixedSizeList(..) => shown(array.as_fixed_size_list().values()),
            DataType::Struct(_) => array.as_struct().columns().iter().map(|column| shown(column)).sum(),
            // With its nulls. An unknown size (of a nested view type) is taken to be the buffers': too many parts, none
            // too large.
            _ => {
                let all = array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_buffer_memory_size());
                return all;
            }
        }
}

fn listed<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>, values: &dyn Array) -> usize {
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    offsets.len() * size_of::<O>() + shown(&values.slice(first, last - first))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::compute::concat_batches;
    use arrow_flight::FlightData;
    use arrow_flight::decode::FlightRecordBatchStream;
    use futures::TryStreamExt;

    use super::*;

    fn parts_of(batch: &RecordBatch) -> Vec<RecordBatch> {
        cut(batch, bytes_of(batch))
    }

    #[test]
    fn parts_are_small_and_complete() {
        let numbers = Int64Array::from_iter_values(0..400_000);
        let texts = StringArray::from_iter_values((0..400_000).map(|n| format!("text {n}")));
        let batch = RecordBatch::try_from_iter([
            ("n", Arc::new(numbers) as arrow::array::ArrayRef),
            ("t", Arc::new(texts) as arrow::array::ArrayRef),
        ])
        .unwrap();
        let parts = parts_of(&batch);
        assert!(parts.len() > 2 && parts.iter().all(|part| bytes_of(part) <= MESSAGE_BYTES + 4096));
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
        // A slice counts as what it shows.
        assert_eq!(parts_of(&batch.slice(7, 10)).len(), 1);
        assert_eq!(parts_of(&batch.slice(7, 0)).len(), 1);
        // What is no more than two messages' worth stays whole.
        let whole = batch.slice(7, 60_000);
        assert!((MESSAGE_BYTES..WHOLE_BYTES).contains(&bytes_of(&whole)), "{}", bytes_of(&whole));
        assert_eq!(parts_of(&whole), [whole]);
    }

    #[test]
    fn parts_are_small_where_long_texts_lie_together() {
        let texts = (0..4000).map(|n| "x".repeat(if n < 30 { 400_000 } else { 3 }));
        let batch = RecordBatch::try_from_iter([(
            "t",
            Arc::new(StringArray::from_iter_values(texts)) as arrow::array::ArrayRef,
        )])
        .unwrap();
        let parts = parts_of(&batch);
        assert!(parts.iter().all(|part| bytes_of(part) <= WHOLE_BYTES));
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
        // One row cannot be cut.
        let long = StringArray::from_iter_values(["", &"x".repeat(5 << 20), ""]);
        let batch = RecordBatch::try_from_iter([("t", Arc::new(long) as arrow::array::ArrayRef)]).unwrap();
        assert_eq!(parts_of(&batch).iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1, 1, 1]);
    }

    #[test]
    fn values_that_all_parts_share_do_not_make_them_smaller() {
        let values = StringArray::from_iter_values((0..10).map(|n| format!("{n}{}", "x".repeat(1 << 19))));
        let keys = arrow::array::Int32Array::from_iter_values((0..1000).map(|n| n % 10));
        let column = arrow::array::DictionaryArray::try_new(keys, Arc::new(values)).unwrap();
        let batch = RecordBatch::try_from_iter([("d", Arc::new(column) as arrow::array::ArrayRef)]).unwrap();
        assert!(parts_of(&batch).len() < 10);
    }

    #[test]
    fn a_slice_of_lists_counts_as_what_it_shows() {
        use arrow::array::{ArrayRef, FixedSizeListArray, ListArray, StructArray};
        use arrow::datatypes::{Field, Int64Type};

        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(
            (0..100_000).map(|n| (n % 9 != 0).then(|| vec![Some(n), None, Some(1)])),
        ));
        let nested = FixedSizeListArray::try_new(
            Arc::new(Field::new("l", lists.data_type().clone(), true)),
            1,
            Arc::clone(&lists),
            None,
        );
        let inside =
            StructArray::from(vec![(Arc::new(Field::new("l", lists.data_type().clone(), true)), Arc::clone(&lists))]);
        let columns = [
            ("l", Arc::clone(&lists)),
            ("f", Arc::new(nested.unwrap()) as ArrayRef),
            ("s", Arc::new(inside) as ArrayRef),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(n, column)| (n, column, true))).unwrap();
        let (all, few) = (bytes_of(&batch), bytes_of(&batch.slice(5000, 10)));
        assert!(all > 3 * 100_000 * 20, "{all}");
        assert!((10 * 20 * 3..2000).contains(&few), "{few}");
        let parts = parts_of(&batch);
        assert!(parts.len() > 5 && parts.iter().all(|part| bytes_of(part) <= WHOLE_BYTES));
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
    }

    /// Numbers, texts, nulls, lists and truth values, whose buffers begin at odd places.
    fn mixed(rows: i64) -> RecordBatch {
        let text = |n: i64| (n % 5 != 0).then(|| "가나".repeat(usize::try_from(n % 9).unwrap()));
        let lists = arrow::array::ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>(
            (0..rows).map(|n| (n % 4 != 0).then(|| (0..n % 3).map(Some).collect::<Vec<_>>())),
        );
        let truths: arrow::array::BooleanArray = (0..rows).map(|n| (n % 7 != 0).then_some(n % 2 == 0)).collect();
        let columns: [(&str, arrow::array::ArrayRef); 5] = [
            ("n", Arc::new(Int64Array::from_iter((0..rows).map(|n| (n % 3 != 0).then_some(n))))),
            ("t", Arc::new(StringArray::from_iter((0..rows).map(text)))),
            ("l", Arc::new(lists)),
            ("b", Arc::new(truths)),
            ("e", Arc::new(StringArray::from_iter((0..rows).map(|_| None::<&str>)))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    }

    #[tokio::test]
    async fn what_is_not_copied_arrives_as_what_is() {
        let all = mixed(200_000);
        let batches = [
            all.slice(0, 0),
            all.slice(1, 10),
            all.slice(3, 30_000),
            all.slice(11, 199_000),
            all.slice(5, 0),
            all.clone(),
        ];
        let (schema, expected) = (all.schema(), concat_batches(&all.schema(), &batches).unwrap());
        for compression in [Compression::None, Compression::Zstd] {
            let messages = flight_data(&schema, stream::iter(batches.clone().map(Ok)), compression);
            let messages: Vec<Message> = messages.try_collect().await.unwrap();
            let kept = messages.iter().filter(|message| message.parts() > 1).count();
            assert_eq!(kept > 0, compression == Compression::None);
            let data = messages.into_iter().map(|message| Ok(FlightData::from(message)));
            let rows = FlightRecordBatchStream::new_from_flight_data(stream::iter(data));
            let rows: Vec<RecordBatch> = rows.try_collect().await.unwrap();
            assert_eq!(concat_batches(&schema, &rows).unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_mark_goes_with_the_last_message_of_its_batch() {
        let all = mixed(200_000);
        let marked = |batch: &RecordBatch, mark| Ok(Marked { batch: batch.clone(), mark: Bytes::from_static(mark) });
        let batches =
            [marked(&all, b"a"), marked(&all.slice(0, 0), b"b"), Ok(all.slice(0, 5).into()), marked(&all, b"c")];
        let messages = flight_data(&all.schema(), stream::iter(batches), Compression::None);
        let data: Vec<FlightData> = messages.map_ok(FlightData::from).try_collect().await.unwrap();
        let parts = parts_of(&all).len();
        let marks: Vec<usize> = (0..data.len()).filter(|at| !data[*at].app_metadata.is_empty()).collect();
        assert!(parts > 1);
        // The first message is the schema.
        assert_eq!(marks, [parts, parts + 1, 2 * parts + 2]);
    }
}
