//! What goes in: a question for primary or foreign keys. What comes out: those of the tables that the snapshot
//! shows, as one record batch. A key with a column that the user may not see is not there.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_flight::sql::{Command, CommandGetPrimaryKeys};
use haetae_schema::Table;
use haetae_warehouse::query::Snapshot;
use haetae_warehouse::{CATALOG, WORK};

/// What happens to a reference when its key changes: nothing (NO ACTION in FlightSql.proto). The warehouse does
/// not enforce keys; the check of a load says which references do not hold.
const NO_ACTION: u8 = 3;

/// A table that is asked for; without a catalog or schema, in any.
struct Wanted<'a> {
    catalog: Option<&'a str>,
    schema: Option<&'a str>,
    table: &'a str,
}

impl Wanted<'_> {
    fn fits(&self, schema: &str, table: &str) -> bool {
        self.catalog.is_none_or(|wanted| wanted == CATALOG)
            && self.schema.is_none_or(|wanted| wanted == schema)
            && self.table == table
    }
}

/// One column of a foreign key.
struct Reference {
    schema: String,
    key_table: &'static str,
    key_column: &'static str,
    table: &'static str,
    column: &'static str,
    sequence: i32,
    name: String,
}

/// The answer, or `None` for a command that does not ask for keys.
pub(crate) fn answer(command: &Command, snapshot: &Snapshot) -> Option<Result<RecordBatch, ArrowError>> {
    let wanted = |catalog, schema, table| Some(Wanted { catalog, schema, table });
    let (referred, referring) = match command {
        Command::CommandGetPrimaryKeys(command) => return Some(primary(command, snapshot)),
        Command::CommandGetExportedKeys(c) => (wanted(c.catalog.as_deref(), c.db_schema.as_deref(), &c.table), None),
        Command::CommandGetImportedKeys(c) => (None, wanted(c.catalog.as_deref(), c.db_schema.as_deref(), &c.table)),
        Command::CommandGetCrossReference(c) => (
            wanted(c.pk_catalog.as_deref(), c.pk_db_schema.as_deref(), &c.pk_table),
            wanted(c.fk_catalog.as_deref(), c.fk_db_schema.as_deref(), &c.fk_table),
        ),
        _ => return None,
    };
    let mut found = references(&shown(snapshot));
    found.retain(|row| {
        referred.as_ref().is_none_or(|wanted| wanted.fits(&row.schema, row.key_table))
            && referring.as_ref().is_none_or(|wanted| wanted.fits(&row.schema, row.table))
    });
    // Exported keys by the table that refers, all others by the one that is referred to.
    let exported = matches!(command, Command::CommandGetExportedKeys(_));
    found.sort_by_key(|row| {
        let table = if exported { row.table } else { row.key_table };
        (row.schema.clone(), table, row.name.clone(), row.sequence)
    });
    Some(foreign_batch(&found))
}

/// The tables that have a declared key, by schema, with the columns that are shown.
fn shown(snapshot: &Snapshot) -> Vec<(String, &'static Table, SchemaRef)> {
    snapshot
        .tables()
        .into_iter()
        // What a user makes may have the name of a table of the star.
        .filter(|(schema, ..)| schema != WORK)
        .filter_map(|(schema, table, columns)| Some((schema, haetae_schema::table(&table)?, columns)))
        .collect()
}

fn is_shown(columns: &SchemaRef, column: &str) -> bool {
    columns.column_with_name(column).is_some()
}

fn primary(command: &CommandGetPrimaryKeys, snapshot: &Snapshot) -> Result<RecordBatch, ArrowError> {
    let wanted =
        Wanted { catalog: command.catalog.as_deref(), schema: command.db_schema.as_deref(), table: &command.table };
    let mut rows = Vec::new();
    for (schema, table, columns) in shown(snapshot) {
        if wanted.fits(&schema, table.name) && table.key.iter().all(|column| is_shown(&columns, column)) {
            rows.extend(
                table.key.iter().zip(1..).map(|(column, sequence)| (schema.clone(), table.name, *column, sequence)),
            );
        }
    }
    let schema = Schema::new(vec![
        Field::new("catalog_name", DataType::Utf8, true),
        Field::new("db_schema_name", DataType::Utf8, true),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("column_name", DataType::Utf8, false),
        Field::new("key_name", DataType::Utf8, true),
        Field::new("key_sequence", DataType::Int32, false),
    ]);
    let columns = vec![
        texts(rows.iter().map(|_| CATALOG)),
        texts(rows.iter().map(|(schema, ..)| schema)),
        texts(rows.iter().map(|(_, table, ..)| table)),
        texts(rows.iter().map(|(_, _, column, _)| column)),
        texts(rows.iter().map(|(_, table, ..)| key_name(table))),
        numbers(rows.iter().map(|(.., sequence)| *sequence)),
    ];
    RecordBatch::try_new(schema.into(), columns)
}

/// Every foreign key between tables of one schema.
fn references(shown: &[(String, &'static Table, SchemaRef)]) -> Vec<Reference> {
    let mut found = Vec::new();
    for (schema, table, columns) in shown {
        for (key_schema, key_table, key_columns) in shown {
            if schema == key_schema && key_table.key.iter().all(|column| is_shown(key_columns, column)) {
                let keys = keys_between(table, key_table);
                let whole = keys.into_iter().filter(|key| key.iter().all(|(column, _)| is_shown(columns, column)));
                for key in whole {
                    let name =
                        format!("{}_{}_fkey", table.name, key.iter().map(|(c, _)| *c).collect::<Vec<_>>().join("_"));
                    found.extend(key.into_iter().zip(1..).map(|((column, key_column), sequence)| Reference {
                        schema: schema.clone(),
                        key_table: key_table.name,
                        key_column,
                        table: table.name,
                        column,
                        sequence,
                        name: name.clone(),
                    }));
                }
            }
        }
    }
    found
}

/// The keys of `table` that refer to `other`: pairs of a column and the one that it refers to.
fn keys_between(table: &'static Table, other: &'static Table) -> Vec<Vec<(&'static str, &'static str)>> {
    let to = |key_column: &'static str| {
        let columns = table.columns.iter().filter(move |column| column.references == Some((other.name, key_column)));
        columns.map(move |column| (column.name, key_column))
    };
    match other.key {
        // Each column that refers to the one key column is a key of its own.
        [key_column] => to(key_column).map(|pair| vec![pair]).collect(),
        // A longer key is met by one column for each of its own, or not at all.
        several => {
            let pairs: Vec<_> = several.iter().filter_map(|key_column| to(key_column).next()).collect();
            if pairs.len() == several.len() { vec![pairs] } else { Vec::new() }
        }
    }
}

fn foreign_batch(found: &[Reference]) -> Result<RecordBatch, ArrowError> {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let schema = Schema::new(vec![
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]);
    let (catalogs, schemas) = (texts(found.iter().map(|_| CATALOG)), texts(found.iter().map(|row| &row.schema)));
    let rules: ArrayRef = Arc::new(UInt8Array::from(vec![NO_ACTION; found.len()]));
    let columns = vec![
        Arc::clone(&catalogs),
        Arc::clone(&schemas),
        texts(found.iter().map(|row| row.key_table)),
        texts(found.iter().map(|row| row.key_column)),
        catalogs,
        schemas,
        texts(found.iter().map(|row| row.table)),
        texts(found.iter().map(|row| row.column)),
        numbers(found.iter().map(|row| row.sequence)),
        texts(found.iter().map(|row| &row.name)),
        texts(found.iter().map(|row| key_name(row.key_table))),
        Arc::clone(&rules),
        rules,
    ];
    RecordBatch::try_new(schema.into(), columns)
}

fn key_name(table: &str) -> String {
    format!("{table}_pkey")
}

fn texts<T: AsRef<str>>(values: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}
