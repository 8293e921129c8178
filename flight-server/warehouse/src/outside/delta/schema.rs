//! What goes in: the schema of a Delta Lake table as JSON. What comes out: the same as Arrow columns, in their order.

use std::path::Path;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use serde::Deserialize;
use serde_json::Value;

use super::actions::MetaData;
use crate::Result;
use crate::outside::wrong;

#[derive(Deserialize)]
struct Struct {
    fields: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
}

/// All columns. Fails for types that have no plain Arrow type, by the name of the column.
pub(super) fn columns(log: &Path, about: &MetaData) -> Result<Schema> {
    let bad = |found: String| wrong(log, "the schema of a table", found);
    let found: Struct = serde_json::from_str(&about.schema_string).map_err(|error| bad(error.to_string()))?;
    let mut fields = Vec::with_capacity(found.fields.len());
    for Column { name, kind } in found.fields {
        let Some(data_type) = kind.as_str().and_then(plain) else {
            let found = kind.as_str().map_or_else(|| nested(&kind), str::to_owned);
            return Err(wrong(log, format!("a plain type of the column {name}"), found));
        };
        fields.push(Field::new(name, data_type, true));
    }
    let known = |name: &String| fields.iter().any(|field| field.name() == name);
    if let Some(unknown) = about.partition_columns.iter().find(|name| !known(name)) {
        return Err(bad(format!("the partition column {unknown}, which is none of its columns")));
    }
    Ok(Schema::new(fields))
}

fn nested(kind: &Value) -> String {
    kind.get("type").and_then(Value::as_str).unwrap_or("a type of its own").to_owned()
}

fn plain(name: &str) -> Option<DataType> {
    Some(match name {
        "string" => DataType::Utf8,
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "decimal" => DataType::Decimal128(10, 0),
        other => {
            let (digits, scale) = other.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            let (digits, scale) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
            ((1..=38).contains(&digits) && (0..=digits as i8).contains(&scale))
                .then_some(DataType::Decimal128(digits, scale))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_arrow() {
        assert_eq!(plain("decimal(10,2)"), Some(DataType::Decimal128(10, 2)));
        assert_eq!(plain("integer"), Some(DataType::Int32));
        for refused in ["decimal(39,2)", "decimal(2,3)", "decimal", "variant", "timestamp_ntz"] {
            assert_eq!(plain(refused).is_some(), refused == "decimal", "{refused}");
        }
    }
}
