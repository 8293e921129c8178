//! What the server says of itself -> the contents of the catalogue.

use super::{Column, Contents, Function, Table};
use crate::rows::type_name;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use haetae_client::{AsyncClient, ConnectOptions, QueryResult, Result};

const COLUMNS: &str = "select table_schema, table_name, column_name, data_type, is_nullable \
                       from information_schema.columns where table_schema <> 'information_schema' \
                       order by table_schema, table_name, ordinal_position";

/// The schema of functions is the one that names without a schema belong to.
const FUNCTIONS: &str = "select routine_name, min(syntax_example) as syntax, min(description) as description, \
                         min(routine_schema) as schema from information_schema.routines group by 1 order by 1";

/// Asks the server.
pub(super) async fn contents() -> Result<Contents> {
    let client = AsyncClient::connect(&ConnectOptions::from_env()?).await?;
    let columns = texts_of(&client.query(COLUMNS).await?);
    // Another server may have tables and no list of functions.
    let functions = client.query(FUNCTIONS).await.map(|result| texts_of(&result)).unwrap_or_default();
    let mut contents = Contents::default();
    for row in columns {
        let [schema, name, column, data_type, nullable] = row.as_slice() else { continue };
        if contents.tables.last().is_none_or(|last| last.schema != *schema || last.name != *name) {
            contents.tables.push(Table { schema: schema.clone(), name: name.clone(), ..Table::default() });
        }
        let data_type = data_type.parse::<DataType>().map_or_else(|_| data_type.clone(), |of| type_name(&of));
        let column = Column { name: column.clone(), data_type, nullable: nullable == "YES" };
        if let Some(table) = contents.tables.last_mut() {
            table.columns.push(column);
        }
    }
    for row in functions {
        let [name, syntax, description, schema] = row.as_slice() else { continue };
        contents.default_schema.clone_from(schema);
        let (name, syntax, description) = (name.clone(), syntax.clone(), description.clone());
        contents.functions.push(Function { name, syntax, description });
    }
    if contents.default_schema.is_empty() {
        contents.default_schema = contents.tables.first().map(|table| table.schema.clone()).unwrap_or_default();
    }
    Ok(contents)
}

/// The columns of a result, for the catalogue.
pub fn columns_of(schema: &Schema) -> Vec<Column> {
    let column = |field: &std::sync::Arc<arrow::datatypes::Field>| Column {
        name: field.name().clone(),
        data_type: type_name(field.data_type()),
        nullable: field.is_nullable(),
    };
    schema.fields().iter().map(column).collect()
}

/// A result as texts; null is an empty one.
pub fn texts_of(result: &QueryResult) -> Vec<Vec<String>> {
    result.batches.iter().flat_map(|batch| texts(batch).unwrap_or_default()).collect()
}

fn texts(batch: &RecordBatch) -> Option<Vec<Vec<String>>> {
    let columns =
        batch.columns().iter().map(|column| cast(column, &DataType::Utf8).ok()).collect::<Option<Vec<_>>>()?;
    let text = |column: &std::sync::Arc<dyn Array>, row: usize| {
        let texts = column.as_string::<i32>();
        if texts.is_null(row) { String::new() } else { texts.value(row).to_owned() }
    };
    Some((0..batch.num_rows()).map(|row| columns.iter().map(|column| text(column, row)).collect()).collect())
}
