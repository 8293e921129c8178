//! What goes in: texts of folders and logs. What comes out: values of the columns that they are for.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;

use crate::outside::OutsideFile;

/// The values of the partition columns of a file; the error names the file and the column.
pub(super) fn partitions(columns: &[FieldRef], file: &OutsideFile) -> Result<Vec<ScalarValue>, String> {
    let value = |(field, text): (&FieldRef, &Option<String>)| {
        let found = match text {
            None => ScalarValue::try_new_null(field.data_type()).ok(),
            Some(text) => of_text(text, field.data_type()),
        };
        let said = || text.as_deref().unwrap_or("null").to_owned();
        found.ok_or_else(|| {
            let (name, kind, path) = (field.name(), field.data_type(), file.path.display());
            format!("the partition column {name} of {path}: expected {kind}, found {}", said())
        })
    };
    columns.iter().zip(&file.partitions).map(value).collect()
}

/// A value that is written as text; `None` where it is none of the type.
pub(super) fn of_text(text: &str, kind: &DataType) -> Option<ScalarValue> {
    match kind {
        DataType::Utf8 => Some(ScalarValue::Utf8(Some(text.to_owned()))),
        // Bytes are written in forms that differ between programs.
        DataType::Binary => None,
        DataType::Boolean => match text {
            "true" => Some(ScalarValue::Boolean(Some(true))),
            "false" => Some(ScalarValue::Boolean(Some(false))),
            _ => None,
        },
        other => ScalarValue::try_from_string(text.to_owned(), other).ok().filter(|value| !value.is_null()),
    }
}

/// A bound of a log, as JSON has it. `None` where it could be rounded, and for types that are not compared here.
pub(super) fn of_json(value: &serde_json::Value, kind: &DataType) -> Option<ScalarValue> {
    match kind {
        DataType::Utf8 => value.as_str().map(|text| ScalarValue::Utf8(Some(text.to_owned()))),
        DataType::Date32 => of_text(value.as_str()?, kind),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            ScalarValue::Int64(Some(value.as_i64()?)).cast_to(kind).ok()
        }
        _ => None,
    }
}
