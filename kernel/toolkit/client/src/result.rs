//! What goes in: the parts of a result as the server sent them. What comes out: one schema and the
//! batches that follow it.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::Result;

/// The whole result of a query. There may be no batch at all; the schema is always there.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns. Dictionaries are decoded: the types are those of their values.
    pub schema: SchemaRef,
    /// The rows, in the server's order; every batch has the schema above.
    pub batches: Vec<RecordBatch>,
}

/// The full name of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// The catalog; empty where the server has none.
    pub catalog: String,
    /// The schema; empty where the server has none.
    pub schema: String,
    /// The table itself.
    pub name: String,
}

/// What one endpoint sent.
pub(crate) struct Part {
    pub(crate) schema: Option<SchemaRef>,
    pub(crate) batches: Vec<RecordBatch>,
}

impl QueryResult {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// `promised` is the schema of the ticket, which counts where no endpoint sent one. The reason
    /// of a failure is a text: the caller knows the server's name.
    pub(crate) fn assemble(promised: Option<SchemaRef>, parts: Vec<Part>) -> Result<Self, String> {
        let sent = parts.iter().find_map(|part| part.schema.clone());
        let Some(schema) = sent.or(promised) else {
            return Err("expected the columns of the result, found neither columns nor rows".to_owned());
        };
        let schema = decoded_schema(&schema);
        let batches = parts.into_iter().flat_map(|part| part.batches);
        let batches = batches.map(|batch| decoded(&batch, &schema)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { schema, batches })
    }

    /// The rows of a `GetTables` answer.
    pub(crate) fn table_names(&self) -> Result<Vec<TableName>, String> {
        let mut names = Vec::with_capacity(self.rows());
        for batch in &self.batches {
            let texts = |name: &str| {
                let column =
                    batch.column_by_name(name).ok_or_else(|| format!("the list of tables has no column {name}"))?;
                cast(column, &DataType::Utf8).map_err(|error| format!("the column {name} is no text: {error}"))
            };
            let columns = [texts("catalog_name")?, texts("db_schema_name")?, texts("table_name")?];
            let text = |column: usize, row: usize| {
                let texts = columns[column].as_string::<i32>();
                if texts.is_null(row) { String::new() } else { texts.value(row).to_owned() }
            };
            names.extend((0..batch.num_rows()).map(|row| TableName {
                catalog: text(0, row),
                schema: text(1, row),
                name: text(2, row),
            }));
        }
        Ok(names)
    }
}

pub(crate) fn decoded_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, values) => {
            let plain = Field::new(field.name(), values.as_ref().clone(), field.is_nullable());
            Arc::new(plain.with_metadata(field.metadata().clone()))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

pub(crate) fn decoded(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values),
        _ => Ok(Arc::clone(column)),
    });
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    columns
        .collect::<Result<Vec<_>, _>>()
        .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows))
        .map_err(|error| format!("the parts of the result do not have the same columns: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
    use arrow::datatypes::Int32Type;

    fn part(columns: Vec<(&str, ArrayRef)>) -> Part {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        Part { schema: Some(batch.schema()), batches: vec![batch] }
    }

    #[test]
    fn dictionaries_are_decoded() {
        let codes: DictionaryArray<Int32Type> = [Some("KR"), None, Some("KR")].into_iter().collect();
        let result = QueryResult::assemble(None, vec![part(vec![("country", Arc::new(codes))])]).unwrap();
        assert_eq!(result.schema.field(0).data_type(), &DataType::Utf8);
        assert_eq!(result.batches[0].schema(), result.schema);
        let texts: Vec<_> = result.batches[0].column(0).as_string::<i32>().iter().collect();
        assert_eq!(texts, [Some("KR"), None, Some("KR")]);
    }

    #[test]
    fn a_result_without_rows_has_columns() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let result = QueryResult::assemble(Some(Arc::clone(&schema)), Vec::new()).unwrap();
        assert_eq!((result.schema.clone(), result.rows()), (schema, 0));
        assert!(QueryResult::assemble(None, Vec::new()).unwrap_err().contains("neither columns nor rows"));
    }

    #[test]
    fn parts_that_differ_are_refused() {
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        let parts = vec![part(vec![("n", number)]), part(vec![("n", text)])];
        assert!(QueryResult::assemble(None, parts).unwrap_err().contains("same columns"));
    }

    #[test]
    fn a_list_of_tables_without_names_is_refused() {
        let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let result = QueryResult::assemble(None, vec![part(vec![("n", number)])]).unwrap();
        assert!(result.table_names().unwrap_err().contains("catalog_name"));
    }
}
