//! `%tables` and `%describe`: what the server lists -> a table in the analyst's words, with what the catalogue
//! of the warehouse (`meta`) says about it, where the server has one.

use super::Kernel;
use super::shell::{Done, Request};
use crate::catalogue::{Column, texts_of};
use crate::outcome;
use crate::rows::type_name;
use arrow::datatypes::DataType;
use haetae_display::Table;
use haetae_display::channel::Failure;
use std::collections::HashMap;
use std::future::Future;

/// What the catalogue says of a name: a number or unit, and a sentence.
type Remarks = HashMap<String, [Option<String>; 2]>;

impl Kernel {
    /// The tables of the server, or those of one schema.
    pub(super) async fn tables(&self, request: &Request<'_>, schema: Option<&str>) -> Done {
        self.listed(request, self.list(schema)).await
    }

    /// The columns of a table of the server, or of a saved query.
    pub(super) async fn describe(&self, request: &Request<'_>, name: &str) -> Done {
        self.listed(request, self.columns(name)).await
    }

    async fn listed(&self, request: &Request<'_>, listing: impl Future<Output = Result<Table, Failure>>) -> Done {
        let mut interrupts = request.interrupts.clone();
        tokio::select! {
            Ok(()) = interrupts.changed() => Done::failed(outcome::interrupted_query()),
            table = listing => match table {
                Ok(table) => self.shown(request, table.bundle()),
                Err(failure) => Done::failed(failure),
            },
        }
    }

    async fn list(&self, schema: Option<&str>) -> Result<Table, Failure> {
        let within = schema.map_or_else(
            || "table_schema <> 'information_schema'".to_owned(),
            |schema| format!("table_schema = {}", quoted(schema)),
        );
        let tables = self
            .texts(&format!(
                "select table_schema, table_name from information_schema.tables where {within} order by 1, 2"
            ))
            .await?;
        if tables.is_empty()
            && let Some(schema) = schema
        {
            return Err(outcome::unknown_schema(schema));
        }
        let remarks = self
            .remarks("datasets", "select schema_name || '.' || table_name, row_count, description from meta.datasets")
            .await?;
        let rows = tables.into_iter().filter_map(|row| {
            let [schema, name] = <[String; 2]>::try_from(row).ok()?;
            let [count, says] = remarks.get(&format!("{schema}.{name}")).cloned().unwrap_or_default();
            Some(vec![Some(schema), Some(name), count, says])
        });
        Ok(narrowed(&["schema", "name", "rows", "a row is"], rows.collect()))
    }

    async fn columns(&self, name: &str) -> Result<Table, Failure> {
        let columns = match self.catalogue.saved_columns(name) {
            Some(columns) => columns.into_iter().map(|column| (column, [None, None])).collect(),
            None => self.columns_of_table(name).await?,
        };
        let rows = columns.into_iter().map(|(column, [unit, says])| {
            let nulls = if column.nullable { "yes" } else { "no" };
            vec![Some(column.name), Some(column.data_type), Some(nulls.to_owned()), unit, says]
        });
        Ok(narrowed(&["column", "type", "may be null", "unit", "what it holds"], rows.collect()))
    }

    async fn columns_of_table(&self, name: &str) -> Result<Vec<(Column, [Option<String>; 2])>, Failure> {
        let (schema, table) = name.rsplit_once('.').unwrap_or(("", name));
        // A name without a schema is one of the default schema, as in a query.
        let default = self.catalogue.default_schema().await;
        let schema = if schema.is_empty() { default.as_str() } else { schema };
        let of_schema = |column: &str| match schema {
            "" => String::new(),
            schema => format!(" and {column} = {}", quoted(schema)),
        };
        let columns = self
            .texts(&format!(
                "select column_name, data_type, is_nullable from information_schema.columns \
                 where table_name = {}{} order by table_schema, ordinal_position",
                quoted(table),
                of_schema("table_schema"),
            ))
            .await?;
        if columns.is_empty() {
            return Err(outcome::unknown_table(name));
        }
        let asked = format!(
            "select column_name, unit, description from meta.columns where table_name = {}{}",
            quoted(table),
            of_schema("schema_name"),
        );
        let remarks = self.remarks("columns", &asked).await?;
        let described = columns.into_iter().filter_map(|row| {
            let [name, data_type, nullable] = <[String; 3]>::try_from(row).ok()?;
            let data_type = data_type.parse::<DataType>().map_or(data_type, |of| type_name(&of));
            let says = remarks.get(&name).cloned().unwrap_or_default();
            Some((Column { name, data_type, nullable: nullable == "YES" }, says))
        });
        Ok(described.collect())
    }

    /// What the query finds in a table of the catalogue, by its first column; nothing on a server without it.
    async fn remarks(&self, table: &str, query: &str) -> Result<Remarks, Failure> {
        let known = format!(
            "select table_name from information_schema.tables where table_schema = 'meta' and table_name = {}",
            quoted(table)
        );
        if self.texts(&known).await?.is_empty() {
            return Ok(Remarks::new());
        }
        let found = self.texts(query).await?.into_iter().filter_map(|row| {
            let [name, first, second] = <[String; 3]>::try_from(row).ok()?;
            Some((name, [first, second].map(|text| Some(text).filter(|text| !text.is_empty()))))
        });
        Ok(found.collect())
    }

    async fn texts(&self, query: &str) -> Result<Vec<Vec<String>>, Failure> {
        Ok(texts_of(&self.whole(query).await.map_err(|error| outcome::sql(&error))?))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A table without the columns that say nothing in any row.
fn narrowed(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Table {
    let kept: Vec<usize> =
        (0..names.len()).filter(|at| *at == 0 || rows.iter().any(|row| row[*at].is_some())).collect();
    let names: Vec<&str> = kept.iter().map(|at| names[*at]).collect();
    Table::of_texts(&names, rows.into_iter().map(|row| kept.iter().map(|at| row[*at].clone()).collect()).collect())
}
