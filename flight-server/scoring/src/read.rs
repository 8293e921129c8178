//! What goes in: SQL. What comes out: one batch of rows, and its columns as plain numbers and texts.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use chrono::NaiveDate;
use futures::TryStreamExt;
use haetae_warehouse::SqlFault;
use haetae_warehouse::query::{Snapshot, Statement};

use crate::{Definition, Error, Result};

/// All rows of an answer.
pub(crate) async fn rows(snapshot: &Snapshot, sql: &str) -> haetae_warehouse::Result<RecordBatch> {
    all(&snapshot.statement(sql).await?).await
}

/// All rows of a statement that a definition has a part in.
pub(crate) async fn defined(
    snapshot: &Snapshot,
    definition: &Definition,
    sql: &str,
) -> haetae_warehouse::Result<RecordBatch> {
    all(&planned(snapshot, definition, sql).await?).await
}

/// A statement that a definition has a part in, which reads the star schema of the definition alone: its facts cannot be
/// named in a definition, and everything else may hold what was not known on the day.
pub(crate) async fn planned(
    snapshot: &Snapshot,
    definition: &Definition,
    sql: &str,
) -> haetae_warehouse::Result<Statement> {
    let statement = snapshot.statement(sql).await?;
    let own = |name: &String| match name.split_once('.') {
        Some((schema, table)) => schema == definition.schema && haetae_schema::table(table).is_some(),
        None => false,
    };
    match statement.tables().into_iter().find(|name| !own(name)) {
        None => Ok(statement),
        Some(name) => Err(haetae_warehouse::Error::Sql {
            fault: SqlFault::Invalid,
            message: format!(
                "it reads {name}, which may hold what was not known on the day; read today, past_item, past_inspection, \
                 past_finding and the tables dim_… of {} instead",
                definition.schema
            ),
        }),
    }
}

async fn all(statement: &Statement) -> haetae_warehouse::Result<RecordBatch> {
    let stream = statement.execute(None).await?;
    let schema = stream.schema();
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    concat_batches(&schema, &batches).map_err(|source| haetae_warehouse::Error::Data {
        action: "read an answer".to_owned(),
        source: Box::new(source),
    })
}

fn column(batch: &RecordBatch, name: &str, expected: &str) -> Result<ArrayRef> {
    batch.column_by_name(name).cloned().ok_or_else(|| {
        let schema = batch.schema();
        let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        Error::Column {
            column: name.to_owned(),
            expected: expected.to_owned(),
            found: format!("no such column among {}", known.join(", ")),
        }
    })
}

fn wrong(name: &str, expected: &str, found: &DataType) -> Error {
    Error::Column { column: name.to_owned(), expected: expected.to_owned(), found: found.to_string() }
}

/// Numbers, booleans (0 and 1) or dates (days since 1970-01-01); NaN where null.
pub(crate) fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>> {
    const EXPECTED: &str = "numbers, booleans or dates";
    let values = column(batch, name, EXPECTED)?;
    let values = match values.data_type() {
        DataType::Date32 => cast(&values, &DataType::Int32)?,
        DataType::Boolean | DataType::Null => values,
        found if found.is_numeric() => values,
        found => return Err(wrong(name, EXPECTED, found)),
    };
    let values = cast(&values, &DataType::Float64)?;
    let values = values.as_primitive::<Float64Type>();
    let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    match values.iter().position(|value| value.is_infinite()) {
        None => Ok(values),
        Some(row) => Err(Error::Column {
            column: name.to_owned(),
            expected: "finite numbers".to_owned(),
            found: format!("an infinite one in row {row}; use nullif on what it is divided by"),
        }),
    }
}

/// Numbers of which none is missing.
pub(crate) fn all_numbers(batch: &RecordBatch, name: &str) -> Result<Vec<f64>> {
    let values = numbers(batch, name)?;
    match values.iter().position(|value| value.is_nan()) {
        None => Ok(values),
        Some(row) => Err(null(name, "numbers", row)),
    }
}

fn null(name: &str, expected: &str, row: usize) -> Error {
    Error::Column { column: name.to_owned(), expected: expected.to_owned(), found: format!("null in row {row}") }
}

/// Anything as texts.
pub(crate) fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let values = cast(&column(batch, name, "texts")?, &DataType::Utf8)?;
    Ok(values.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect())
}

/// Texts of which none is missing.
pub(crate) fn all_texts(batch: &RecordBatch, name: &str) -> Result<Vec<String>> {
    let values = texts(batch, name)?;
    match values.iter().position(Option::is_none) {
        None => Ok(values.into_iter().flatten().collect()),
        Some(row) => Err(null(name, "texts", row)),
    }
}

/// Whole numbers of which none is missing.
pub(crate) fn whole(batch: &RecordBatch, name: &str) -> Result<Vec<i64>> {
    let values = column(batch, name, "whole numbers")?;
    if !values.data_type().is_integer() {
        return Err(wrong(name, "whole numbers", values.data_type()));
    }
    let values = cast(&values, &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>();
    match (0..values.len()).find(|row| values.is_null(*row)) {
        None => Ok(values.values().to_vec()),
        Some(row) => Err(null(name, "whole numbers", row)),
    }
}

/// Days of which none is missing.
pub(crate) fn dates(batch: &RecordBatch, name: &str) -> Result<Vec<NaiveDate>> {
    const EXPECTED: &str = "days";
    let values = column(batch, name, EXPECTED)?;
    let Some(days) = values.as_primitive_opt::<Date32Type>() else {
        return Err(wrong(name, EXPECTED, values.data_type()));
    };
    let day = |(row, day): (usize, Option<i32>)| {
        day.and_then(Date32Type::to_naive_date_opt).ok_or_else(|| null(name, EXPECTED, row))
    };
    days.iter().enumerate().map(day).collect()
}

/// Conditions; null is no.
pub(crate) fn flags(batch: &RecordBatch, name: &str) -> Result<Vec<bool>> {
    let values = column(batch, name, "a condition")?;
    let found = values.data_type().clone();
    let values: Option<&BooleanArray> = values.as_boolean_opt();
    match values {
        Some(values) => Ok(values.iter().map(|value| value == Some(true)).collect()),
        None if found == DataType::Null => Ok(vec![false; batch.num_rows()]),
        None => Err(wrong(name, "a condition that is true or false", &found)),
    }
}
