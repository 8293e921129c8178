//! Arrow record batches <-> polars `DataFrame`, through the C data interface: buffers are shared,
//! not copied, except where the frame library has another layout (text, small integers, decimals).

use crate::client::frame_type;
use crate::{Error, Result};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use polars::frame::DataFrame;
use polars::prelude::{CompatLevel, Series};
use polars_arrow::ffi;
use std::sync::Arc;

/// Turns a query's result into a frame; one chunk a batch, joined at the end.
///
/// # Errors
/// [`Error::ColumnType`] for Arrow types that a frame cannot hold (lists, maps, unions, binary).
pub fn from_batches(schema: &Schema, batches: &[RecordBatch]) -> Result<DataFrame> {
    let column = |(i, field): (usize, &FieldRef)| {
        let target = frame_type(field.data_type()).ok_or_else(|| Error::ColumnType {
            column: field.name().clone(),
            data_type: field.data_type().to_string(),
        })?;
        let arrays = batches.iter().map(|batch| cast(batch.column(i), &target)).collect::<Result<Vec<_>, _>>()?;
        Ok(series(field.name(), &target, &arrays)?.rechunk().into())
    };
    let columns = schema.fields().iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(DataFrame::new(rows(batches), columns)?)
}

/// As [`from_batches`], of batches whose types are those of a frame: one chunk a batch, nothing is copied.
///
/// # Errors
/// When the frame library refuses a type.
pub fn of_layout(schema: &Schema, batches: &[RecordBatch]) -> Result<DataFrame> {
    let column = |(i, field): (usize, &FieldRef)| {
        let arrays: Vec<_> = batches.iter().map(|batch| batch.column(i).clone()).collect();
        Ok(series(field.name(), field.data_type(), &arrays)?.into())
    };
    let columns = schema.fields().iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(DataFrame::new(rows(batches), columns)?)
}

/// A frame's columns as batches, one a chunk; buffers are shared.
///
/// # Errors
/// When Arrow refuses a type.
pub fn to_batches(frame: &DataFrame) -> Result<(Schema, impl Iterator<Item = Result<RecordBatch>>)> {
    let mut frame = frame.clone();
    frame.align_chunks();
    let fields = frame.columns().iter().map(|column| {
        let field = polars_arrow::datatypes::Field::new(
            column.name().clone(),
            column.dtype().to_arrow(CompatLevel::newest()),
            true,
        );
        Ok(Field::new(column.name().as_str(), exported_type(&field)?, true))
    });
    let schema = Schema::new(fields.collect::<Result<Vec<_>>>()?);
    let of_batches = Arc::new(schema.clone());
    let chunks: Vec<_> = frame.iter_chunks(CompatLevel::newest(), false).collect();
    let batches = chunks.into_iter().map(move |chunk| {
        let rows = RecordBatchOptions::new().with_row_count(Some(chunk.len()));
        let types = of_batches.fields().iter().map(|field| field.data_type());
        let columns = chunk.into_arrays().into_iter().zip(types).map(|(array, of)| export(array, of));
        Ok(RecordBatch::try_new_with_options(of_batches.clone(), columns.collect::<Result<_>>()?, &rows)?)
    });
    Ok((schema, batches))
}

/// As [`to_batches`], with texts as other programs know them: offsets and bytes, not views.
///
/// # Errors
/// As there.
pub fn to_plain_batches(frame: &DataFrame) -> Result<(Arc<Schema>, Vec<RecordBatch>)> {
    let (schema, batches) = to_batches(frame)?;
    let plain = |data_type: &DataType| match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    };
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(plain(field.data_type())));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
    let batch = |batch: Result<RecordBatch>| -> Result<RecordBatch> {
        let batch = batch?;
        let columns =
            batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type()));
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<_, _>>()?, &rows)?)
    };
    let batches = batches.map(batch).collect::<Result<Vec<_>>>()?;
    Ok((schema, batches))
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// Arrays of one type as one series, a chunk each.
fn series(name: &str, data_type: &DataType, arrays: &[ArrayRef]) -> Result<Series> {
    let mut chunks = arrays.iter().map(|array| import(array, data_type)).collect::<Result<Vec<_>>>()?;
    if chunks.is_empty() {
        chunks.push(import(&arrow::array::new_empty_array(data_type), data_type)?);
    }
    let dtype = chunks[0].dtype().clone();
    // SAFETY: every chunk was imported with the same type, which `dtype` is.
    Ok(unsafe { Series::_try_from_arrow_unchecked(name.into(), chunks, &dtype)? })
}

/// Hands one array over the C data interface.
fn import(array: &ArrayRef, data_type: &DataType) -> Result<Box<dyn polars_arrow::array::Array>> {
    const { assert_same_layout() };
    let schema = FFI_ArrowSchema::try_from(data_type)?;
    let exported = FFI_ArrowArray::new(&array.to_data());
    // SAFETY: both crates declare the two `#[repr(C)]` structs of the Arrow C data interface, of
    // equal size and alignment (asserted above). `schema` is only borrowed; ownership of
    // `exported` moves into the imported array, which calls its release callback.
    unsafe {
        let field = ffi::import_field_from_c(&*std::ptr::from_ref(&schema).cast::<ffi::ArrowSchema>())?;
        let array = std::mem::transmute::<FFI_ArrowArray, ffi::ArrowArray>(exported);
        Ok(ffi::import_array_from_c(array, field.dtype().clone())?)
    }
}

/// The other way.
fn export(array: Box<dyn polars_arrow::array::Array>, data_type: &DataType) -> Result<ArrayRef> {
    const { assert_same_layout() };
    let schema = FFI_ArrowSchema::try_from(data_type)?;
    // SAFETY: as in `import`; `data_type` is what the array's own type is exported as.
    unsafe {
        let exported = ffi::export_array_to_c(array);
        let exported = std::mem::transmute::<ffi::ArrowArray, FFI_ArrowArray>(exported);
        Ok(arrow::array::make_array(arrow::ffi::from_ffi(exported, &schema)?))
    }
}

fn exported_type(field: &polars_arrow::datatypes::Field) -> Result<DataType> {
    const { assert_same_layout() };
    let schema = ffi::export_field_to_c(field);
    // SAFETY: as in `import`; the schema is only borrowed.
    Ok(DataType::try_from(unsafe { &*std::ptr::from_ref(&schema).cast::<FFI_ArrowSchema>() })?)
}

/// The structs of the C data interface, as the two crates declare them.
const fn assert_same_layout() {
    assert!(size_of::<FFI_ArrowArray>() == size_of::<ffi::ArrowArray>());
    assert!(align_of::<FFI_ArrowArray>() == align_of::<ffi::ArrowArray>());
    assert!(size_of::<FFI_ArrowSchema>() == size_of::<ffi::ArrowSchema>());
    assert!(align_of::<FFI_ArrowSchema>() == align_of::<ffi::ArrowSchema>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, ListArray, StringArray,
        StringDictionaryBuilder,
    };
    use arrow::datatypes::Int32Type;

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
    fn a_frame_goes_to_batches_and_back() {
        let batches = [batch(18_262), batch(18_300)];
        let frame = from_batches(&batches[0].schema(), &batches).unwrap();
        let mut parts = frame.slice(0, 1);
        parts.vstack_mut(&frame.slice(1, 3)).unwrap();
        for frame in [frame.clone(), parts, frame.slice(2, 0)] {
            let (schema, batches) = to_batches(&frame).unwrap();
            let batches = batches.collect::<Result<Vec<_>>>().unwrap();
            let back = of_layout(&schema, &batches).unwrap();
            assert!(back.equals_missing(&frame), "{back:?}");
        }
    }

    #[test]
    fn texts_are_plain_for_other_programs() {
        let frame = from_batches(&batch(1).schema(), &[batch(1)]).unwrap();
        let (schema, batches) = to_plain_batches(&frame).unwrap();
        assert_eq!(schema.field_with_name("hs6").unwrap().data_type(), &DataType::Utf8);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
        let back = from_batches(&schema, &batches).unwrap();
        assert!(back.equals_missing(&frame), "{back:?}");
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
