//! Parquet and Arrow files that are wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Date64Array, Float64Array, Int32Array, Int64Array, NullArray, RecordBatch,
    StringArray, UInt64Array,
};
use arrow::datatypes::{Field, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Case, case};

fn text(values: [&str; 3]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn importers() -> RecordBatch {
    let day: ArrayRef = Arc::new(Date32Array::from(vec![Some(18_000), None, Some(18_001)]));
    RecordBatch::try_from_iter_with_nullable([
        ("importer_id", text(["I1", "I2", "I3"]), false),
        ("name", text(["a", "b", "c"]), true),
        ("region", text(["x", "y", "z"]), true),
        ("industry", text(["p", "p", "p"]), true),
        ("registered_on", day, true),
    ])
    .unwrap()
}

fn with(name: &str, values: ArrayRef) -> RecordBatch {
    let old = importers();
    let schema = old.schema();
    let one = |(field, column): (&Arc<Field>, &ArrayRef)| {
        let new = field.name() == name;
        let column = if new { Arc::clone(&values) } else { Arc::clone(column) };
        (Field::new(field.name(), column.data_type().clone(), true), column)
    };
    let (fields, columns): (Vec<_>, Vec<_>) = schema.fields().iter().zip(old.columns()).map(one).unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let level = ZstdLevel::try_new(1).unwrap();
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_created_by("test".into());
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn options(compressed: bool) -> IpcWriteOptions {
    let kind = compressed.then_some(CompressionType::LZ4_FRAME);
    IpcWriteOptions::default().try_with_compression(kind).unwrap()
}

fn file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options(false)).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn stream(batch: &RecordBatch, compressed: bool) -> Vec<u8> {
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options(compressed)).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

pub fn good_files() -> Vec<(&'static str, Vec<u8>)> {
    let good = importers();
    vec![
        ("Parquet", parquet(&good)),
        ("Arrow file", file(&good)),
        ("Arrow stream", stream(&good, false)),
        ("compressed Arrow stream", stream(&good, true)),
    ]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, bytes) in good_files() {
        let places = (9..bytes.len()).step_by(bytes.len() / 24).chain([bytes.len() - 4, bytes.len() - 1]);
        let places: BTreeSet<usize> = places.collect();
        cases.extend(
            places.into_iter().map(|at| case(format!("{name} cut after {at} bytes"), "dim_importer", &bytes[..at])),
        );
    }
    cases.extend(columns());
    cases.extend(lies());
    cases
}

/// Whole files whose columns are not those of the table.
fn columns() -> Vec<Case> {
    let dates = ["2026-01-01", "2026-1-1", "0000-01-01"];
    let midnight = 86_400_000_i64 * 18_000;
    let good = importers();
    let twice = {
        let mut fields: Vec<Arc<Field>> = good.schema().fields().iter().cloned().collect();
        fields.push(Arc::clone(&fields[1]));
        let columns = good.columns().iter().cloned().chain([text(["d", "e", "f"])]).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    };
    let flags = |fraud: ArrayRef, class: ArrayRef| {
        RecordBatch::try_from_iter_with_nullable([
            ("declaration_id", text(["a", "b", "c"]), true),
            ("item_no", Arc::new(Int64Array::from(vec![1, 0, 1_i64 << 40])) as ArrayRef, true),
            ("inspection_date", Arc::new(Date32Array::from(vec![18_000; 3])) as ArrayRef, true),
            ("fraud", fraud, true),
            ("fraud_class", class, true),
            ("additional_duty_krw", Arc::new(UInt64Array::from(vec![1, u64::MAX, 5])) as ArrayRef, true),
        ])
        .unwrap()
    };
    let whole = |values: [i64; 3]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let batches: Vec<(&str, &'static str, RecordBatch)> = vec![
        ("a column twice", "dim_importer", twice),
        ("a column is missing", "dim_importer", good.project(&[0, 1, 2, 3]).unwrap()),
        ("another order", "dim_importer", good.project(&[4, 3, 2, 1, 0]).unwrap()),
        ("another table", "dim_courier", good.clone()),
        ("dates as text", "dim_importer", with("registered_on", text(dates))),
        (
            "dates with a time",
            "dim_importer",
            with("registered_on", Arc::new(Date64Array::from(vec![midnight, midnight + 1, -midnight]))),
        ),
        (
            "dates that no calendar has",
            "dim_importer",
            with("registered_on", Arc::new(Date32Array::from(vec![i32::MAX, i32::MIN, -800_000]))),
        ),
        ("dates as numbers", "dim_importer", with("registered_on", Arc::new(Int32Array::from(vec![1, 2, 3])))),
        ("keys that are null", "dim_importer", with("importer_id", Arc::new(NullArray::new(3)))),
        ("keys that are numbers", "dim_importer", with("importer_id", Arc::new(Int32Array::from(vec![1, 2, 1])))),
        (
            "keys that are fractions",
            "dim_importer",
            with("importer_id", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
        ),
        ("flags", "fact_inspection", flags(Arc::new(BooleanArray::from(vec![true, false, true])), whole([0, 3, 300]))),
        ("flags as numbers", "fact_inspection", flags(whole([1, 7, -1]), whole([1, 2, 0]))),
        ("flags as words", "fact_inspection", flags(text(["yes", "t", "TRUE"]), text(["0", "1.0", "x"]))),
    ];
    let of = |(name, table, batch): (&str, &'static str, RecordBatch)| {
        [("Parquet", parquet(&batch)), ("Arrow", stream(&batch, false))]
            .map(|(kind, bytes)| case(format!("{kind} with {name}"), table, bytes))
    };
    batches.into_iter().flat_map(of).collect()
}

/// Files that claim what they do not have.
fn lies() -> Vec<Case> {
    let tail = |footer: &[u8], length: i32| [b"PAR1", footer, &length.to_le_bytes(), b"PAR1"].concat();
    let huge_list = [0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x00];
    let groups = [&[0x15, 0x02, 0x19, 0x1C, 0x48, 0x01, b'r', 0x00, 0x16, 0x02][..], &huge_list].concat();
    // The root and each element below it has the name `r` and one element right below it.
    let element = [0x48, 0x01, b'r', 0x15, 0x02, 0x00];
    let nested = [&[0x15, 0x02, 0x19, 0xFC, 0xA0, 0x8D, 0x06][..], &element.repeat(100_000), &[0]].concat();
    let wide = [0x15, 0x02, 0x19, 0x1C, 0x48, 0x01, b'r', 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0x00, 0x00];
    let huge_text = [0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, b'x'];
    let mut lies = vec![
        ("Parquet: a footer of two gigabytes", tail(&[0; 8], i32::MAX)),
        ("Parquet: a footer of negative length", tail(&[0; 8], -8)),
        ("Parquet: an empty footer", tail(&[], 0)),
        ("Parquet: a footer of zeros", tail(&[0; 8], 8)),
        ("Parquet: two billion schema elements", tail(&huge_list, 8)),
        ("Parquet: two billion row groups", tail(&groups, groups.len() as i32)),
        ("Parquet: a text of two gigabytes", tail(&huge_text, 7)),
        ("Parquet: structs within structs", tail(&[0x1C; 10_000], 10_000)),
        ("Parquet: groups within groups", tail(&nested, nested.len() as i32)),
        ("Parquet: a group of two billion columns", tail(&wide, wide.len() as i32)),
        ("Parquet: encrypted", [&b"PAR1"[..], &[0; 8], b"\x08\0\0\0PARE"].concat()),
        (
            "Arrow file: a footer of two gigabytes",
            [&b"ARROW1\0\0"[..], &[0; 8], &i32::MAX.to_le_bytes(), b"ARROW1"].concat(),
        ),
        ("Arrow file: no footer", b"ARROW1\0\0ARROW1".to_vec()),
        ("Arrow stream: a message of two gigabytes", [&[0xFF; 4][..], &i32::MAX.to_le_bytes(), &[0; 64]].concat()),
        ("Arrow stream: a message of negative length", [&[0xFF; 4][..], &(-1_i32).to_le_bytes(), &[0; 64]].concat()),
        ("Arrow stream: zeros for a message", [&[0xFF; 4][..], &64_i32.to_le_bytes(), &[0; 64]].concat()),
        ("Arrow stream: nothing in it", [&[0xFF; 4][..], &[0; 4]].concat()),
    ];
    let good = stream(&importers(), true);
    // The second message is the batch: marker, length, description, body.
    let number = |at: usize| i32::from_le_bytes(good[at..at + 4].try_into().unwrap()) as usize;
    let batch = 8 + number(4);
    let body = batch + 8 + number(batch + 4);
    let description = &good[batch + 8..body];
    let message = arrow::ipc::root_as_message(description).unwrap();
    let size = message.bodyLength().to_le_bytes();
    let at = description.windows(8).position(|bytes| bytes == size).unwrap() + batch + 8;
    let put = |at: usize, value: i64| {
        let mut bytes = good.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    let buffers = message.header_as_record_batch().unwrap().buffers().unwrap();
    let packed = buffers.iter().find(|buffer| buffer.length() > 8).unwrap();
    let buffer = body + packed.offset() as usize;
    lies.extend([
        ("Arrow stream: a body of an exabyte", put(at, 1 << 60)),
        ("Arrow stream: a body of negative length", put(at, -8)),
        ("Arrow stream: a buffer that unpacks to a terabyte", put(buffer, 1 << 40)),
        ("Arrow stream: a buffer that unpacks to less", put(buffer, 1)),
    ]);
    lies.into_iter().map(|(name, bytes)| case(name, "dim_importer", bytes)).collect()
}
