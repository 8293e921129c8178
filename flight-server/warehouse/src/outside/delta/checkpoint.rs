//! What goes in: a checkpoint, a Parquet file with an action a row. What comes out: the actions, in the form that
//! commits have.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::actions::Action;
use crate::ingest::guard;
use crate::outside::wrong;
use crate::{Error, Result};

/// What of a checkpoint says what the version has; the others are history.
const READ: [&str; 5] = ["protocol", "metaData", "add", "sidecar", "checkpointMetadata"];
/// Of an `add`, what is there once more in another form.
const PASSED: [&str; 2] = ["stats_parsed", "partitionValues_parsed"];
const ROWS: usize = 1024;

/// Gives each action of a checkpoint to `take`.
pub(super) fn read(path: &Path, take: &mut dyn FnMut(Action) -> Result<()>) -> Result<()> {
    let bad = |found: String| wrong(path, "a checkpoint of a Delta log", found);
    let file = File::open(path).map_err(Error::io("open", path))?;
    guard::parquet_footer(&file).map_err(bad)?;
    let builder = guard::no_panic(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(bad)?;
    let shape = builder.parquet_schema();
    let roots = shape.root_schema().get_fields().iter().enumerate();
    let roots = roots.filter(|(_, field)| READ.contains(&field.name())).map(|(index, _)| index);
    let mask = ProjectionMask::roots(shape, roots.collect::<Vec<_>>());
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build();
    let mut reader = reader.map_err(|error| bad(error.to_string()))?;
    loop {
        let batch = guard::no_panic(|| reader.next().transpose()).map_err(bad)?;
        let Some(batch) = batch else { return Ok(()) };
        let schema = batch.schema();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                let value = value(column, row).map_err(bad)?;
                take(Action::of(field.name(), value).map_err(bad)?)?;
            }
        }
    }
}

/// A value as JSON writes it.
fn value(column: &ArrayRef, row: usize) -> Result<Value, String> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let failed = |error: arrow::error::ArrowError| error.to_string();
    Ok(match column.data_type() {
        DataType::Struct(fields) => {
            let mut named = Map::new();
            for (field, column) in fields.iter().zip(column.as_struct().columns()) {
                if !PASSED.contains(&field.name().as_str()) {
                    named.insert(field.name().clone(), value(column, row)?);
                }
            }
            Value::Object(named)
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let [keys, values] = entries.columns() else { return Err("a map without keys and values".to_owned()) };
            let mut named = Map::new();
            for entry in 0..entries.len() {
                let Value::String(key) = value(keys, entry)? else { return Err("a key that is no text".to_owned()) };
                named.insert(key, value(values, entry)?);
            }
            Value::Object(named)
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|item| value(&items, item)).collect::<Result<_, _>>()?)
        }
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let one = cast(&column.slice(row, 1), &DataType::Utf8).map_err(failed)?;
            Value::String(one.as_string::<i32>().value(0).to_owned())
        }
        whole if whole.is_integer() => {
            let one = cast(&column.slice(row, 1), &DataType::Int64).map_err(failed)?;
            Value::from(one.as_primitive::<Int64Type>().value(0))
        }
        other => return Err(format!("a value of the type {other}")),
    })
}
