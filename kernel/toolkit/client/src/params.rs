//! What goes in: plain values. What comes out: the record batch that binds them.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, NullArray, StringArray};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};

use crate::{Error, Result};

/// A value for a parameter (`?` or `$1`) of a statement. The server converts it to the type that
/// the statement needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// NULL, of whatever type.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text; also a date as `2024-01-31`, which SQL compares with dates.
    Text(String),
    /// A date, in days since 1970-01-01.
    Date(i32),
}

macro_rules! from {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for Param {
            fn from(value: $type) -> Self {
                Param::$variant(value.into())
            }
        })+
    };
}

from! { bool => Bool, i32 => Int, u32 => Int, i64 => Int, f64 => Float, &str => Text, String => Text, &String => Text }

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

impl Param {
    fn array(&self) -> ArrayRef {
        match self {
            Param::Null => Arc::new(NullArray::new(1)),
            Param::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
            Param::Int(value) => Arc::new(Int64Array::from(vec![*value])),
            Param::Float(value) => Arc::new(Float64Array::from(vec![*value])),
            Param::Text(value) => Arc::new(StringArray::from(vec![value.as_str()])),
            Param::Date(value) => Arc::new(Date32Array::from(vec![*value])),
        }
    }
}

/// One row, with the columns `$1`, `$2` …
pub(crate) fn batch(params: &[Param]) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = params.iter().map(Param::array).collect();
    let fields = columns
        .iter()
        .enumerate()
        .map(|(at, column)| Field::new(format!("${}", at + 1), column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(schema, columns, &one_row).map_err(Error::arrow("pass on the parameter values"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;

    #[test]
    fn values_become_one_row() {
        let params: Vec<Param> =
            vec![true.into(), 7.into(), 0.5.into(), "x".into(), None::<i64>.into(), Some("y").into(), Param::Date(1)];
        let batch = batch(&params).unwrap();
        assert_eq!(batch.num_rows(), 1);
        let types: Vec<DataType> = batch.columns().iter().map(|column| column.data_type().clone()).collect();
        use DataType::{Boolean, Date32, Float64, Int64, Null, Utf8};
        assert_eq!(types, [Boolean, Int64, Float64, Utf8, Null, Utf8, Date32]);
        assert_eq!(batch.schema().field(1).name(), "$2");
        assert_eq!(super::batch(&[]).unwrap().num_rows(), 1);
    }
}
