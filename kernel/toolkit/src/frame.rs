//! Arrow record batches -> polars `DataFrame`, through the C data interface: buffers are shared,
//! not copied, except where the frame library has another layout (text, small integers, decimals).

use crate::{Error, Result};
use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use polars::frame::DataFrame;
use polars::prelude::{Column, Series};

/// Turns a query's result into a frame; one chunk a batch, joined at the end.
///
/// # Errors
/// [`Error::ColumnType`] for Arrow types that a frame cannot hold (lists, maps, unions, binary).
pub fn from_batches(schema: &Schema, batches: &[RecordBatch]) -> Result<DataFrame> {
    let mut columns: Vec<Column> = Vec::with_capacity(schema.fields().len());
    for (i, field) in schema.fields().iter().enumerate() {
        let target = frame_type(field.data_type()).ok_or_else(|| Error::ColumnType {
            column: field.name().clone(),
            data_type: field.data_type().to_string(),
        })?;
        let mut chunks = Vec::with_capacity(batches.len().max(1));
        for batch in batches {
            chunks.push(import(&cast(batch.column(i), &target)?, &target)?);
        }
        if chunks.is_empty() {
            chunks.push(import(&arrow::array::new_empty_array(&target), &target)?);
        }
        let dtype = chunks[0].dtype().clone();
        // SAFETY: every chunk was imported with the same `target`, whose type `dtype` is.
        let series = unsafe { Series::_try_from_arrow_unchecked(field.name().as_str().into(), chunks, &dtype)? };
        columns.push(series.rechunk().into());
    }
    let height = batches.iter().map(RecordBatch::num_rows).sum();
    Ok(DataFrame::new(height, columns)?)
}

/// The Arrow type that the frame library takes as it is. It is built without the narrow integers
/// and without decimals, which would each be compiled into every kernel.
fn frame_type(data_type: &DataType) -> Option<DataType> {
    use DataType::{
        Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, Duration, Float16, Float32,
        Float64, Int8, Int16, Int32, Int64, LargeUtf8, Null, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    Some(match data_type {
        Boolean | Int32 | Int64 | UInt32 | UInt64 | Float32 | Float64 | Date32 => data_type.clone(),
        Null => Boolean,
        Int8 | Int16 | UInt8 | UInt16 => Int32,
        Float16 => Float32,
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => Float64,
        Utf8 | LargeUtf8 | Utf8View => Utf8View,
        Date64 => Date32,
        // Time zones would need the frame library's zone tables; instants stay what they are.
        Timestamp(unit, _) => Timestamp(timestamp_unit(*unit), None),
        Duration(unit) => Duration(timestamp_unit(*unit)),
        Dictionary(_, value) => frame_type(value)?,
        _ => return None,
    })
}

fn timestamp_unit(unit: arrow::datatypes::TimeUnit) -> arrow::datatypes::TimeUnit {
    match unit {
        arrow::datatypes::TimeUnit::Second => arrow::datatypes::TimeUnit::Millisecond,
        unit => unit,
    }
}

/// Hands one array over the C data interface.
fn import(array: &arrow::array::ArrayRef, data_type: &DataType) -> Result<Box<dyn polars_arrow::array::Array>> {
    const {
        use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
        use polars_arrow::ffi::{ArrowArray, ArrowSchema};
        assert!(size_of::<FFI_ArrowArray>() == size_of::<ArrowArray>());
        assert!(align_of::<FFI_ArrowArray>() == align_of::<ArrowArray>());
        assert!(size_of::<FFI_ArrowSchema>() == size_of::<ArrowSchema>());
        assert!(align_of::<FFI_ArrowSchema>() == align_of::<ArrowSchema>());
    }
    let schema = arrow::ffi::FFI_ArrowSchema::try_from(data_type)?;
    let exported = arrow::ffi::FFI_ArrowArray::new(&array.to_data());
    // SAFETY: both crates declare the two `#[repr(C)]` structs of the Arrow C data interface, of
    // equal size and alignment (asserted above). `schema` is only borrowed; ownership of
    // `exported` moves into the imported array, which calls its release callback.
    unsafe {
        let field = polars_arrow::ffi::import_field_from_c(
            &*std::ptr::from_ref(&schema).cast::<polars_arrow::ffi::ArrowSchema>(),
        )?;
        let array = std::mem::transmute::<arrow::ffi::FFI_ArrowArray, polars_arrow::ffi::ArrowArray>(exported);
        Ok(polars_arrow::ffi::import_array_from_c(array, field.dtype().clone())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, ListArray, StringArray,
        StringDictionaryBuilder,
    };
    use arrow::datatypes::{Field, Int32Type};
    use std::sync::Arc;

    fn batch(from: i32) -> RecordBatch {
        let mut offices = StringDictionaryBuilder::<Int32Type>::new();
        offices.append_value("010");
        offices.append_null();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("hs6", Arc::new(StringArray::from(vec![Some("870323"), None]))),
            ("price", Arc::new(Float64Array::from(vec![Some(1.5), None]))),
            ("fraud", Arc::new(BooleanArray::from(vec![true, false]))),
            ("class", Arc::new(Int8Array::from(vec![Some(2), None]))),
            ("date", Arc::new(Date32Array::from(vec![from, from + 1]))),
            ("office", Arc::new(offices.finish())),
            ("duty", Arc::new(Decimal128Array::from(vec![Some(125), None]).with_precision_and_scale(9, 2).unwrap())),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
    }

    #[test]
    fn every_served_type_arrives_with_its_nulls() {
        let batches = [batch(18_262), batch(18_300)];
        let frame = from_batches(&batches[0].schema(), &batches).unwrap();
        assert_eq!(frame.shape(), (4, 7));
        let text = |name: &str, row: usize| frame.column(name).unwrap().get(row).unwrap().str_value().into_owned();
        let rows: Vec<Vec<String>> = (0..2)
            .map(|row| ["hs6", "price", "fraud", "class", "date", "office", "duty"].map(|n| text(n, row)).to_vec())
            .collect();
        assert_eq!(rows[0], ["870323", "1.5", "true", "2", "2020-01-01", "010", "1.25"]);
        assert_eq!(rows[1], ["null", "null", "false", "null", "2020-01-02", "null", "null"]);
        assert_eq!(text("date", 2), "2020-02-08");
    }

    #[test]
    fn an_empty_result_keeps_its_columns() {
        let frame = from_batches(&batch(0).schema(), &[]).unwrap();
        assert_eq!(frame.shape(), (0, 7));
    }

    #[test]
    fn a_type_that_a_frame_cannot_hold_is_named() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
        let schema = Schema::new(vec![Field::new("parts", list.data_type().clone(), true)]);
        let error = from_batches(&schema, &[]).unwrap_err();
        assert!(error.to_string().contains("`parts`"), "{error}");
    }
}
