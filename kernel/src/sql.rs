//! A `%%sql` cell: query over Flight -> table to look at, and the frame for the next Rust cell.
//! Nothing is compiled here.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use haetae_client::{AsyncClient, ConnectOptions, Error, QueryResult};
use haetae_display::{Table, TableColumn};
use std::path::{Path, PathBuf};

/// The kernel's connection, opened by the first SQL cell, and the queries that were saved.
#[derive(Default)]
pub struct SqlRunner {
    client: Option<AsyncClient>,
    handed_over: usize,
    /// Name and query, in the order in which they were saved first.
    saved: Vec<(String, String)>,
}

impl SqlRunner {
    /// Runs a query.
    ///
    /// # Errors
    /// What the client says: no server, wrong secret, or the server's own message.
    pub async fn query(&mut self, sql: &str) -> Result<QueryResult, Error> {
        let client = match self.client.take() {
            Some(client) => client,
            None => AsyncClient::connect(&ConnectOptions::from_env()?).await?,
        };
        let result = client.query(sql).await;
        self.client = Some(client);
        result
    }

    /// Connects anew; the server's address.
    ///
    /// # Errors
    /// As [`SqlRunner::query`].
    pub async fn connect(&mut self) -> Result<String, Error> {
        let options = ConnectOptions::from_env()?;
        self.client = Some(AsyncClient::connect(&options).await?);
        Ok(options.url().to_owned())
    }

    /// Keeps a query under a name that later queries can use like a table.
    pub fn save(&mut self, name: &str, query: &str) {
        match self.saved.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = query.to_owned(),
            None => self.saved.push((name.to_owned(), query.to_owned())),
        }
    }

    /// A query with those saved ones in front, as common table expressions, that it names: directly,
    /// or through another saved one.
    pub fn with_saved(&self, query: &str) -> String {
        let mut order = Vec::new();
        self.collect(query, &mut vec![false; self.saved.len()], &mut order);
        if order.is_empty() {
            return query.to_owned();
        }
        let tables: Vec<String> = order.into_iter().map(|(name, saved)| format!("{name} as (\n{saved}\n)")).collect();
        let tables = tables.join(",\n");
        let rest = without_comments(query);
        let rest = match after_word(rest, "with") {
            None => return format!("with {tables}\n{rest}"),
            Some(rest) => rest,
        };
        match after_word(rest, "recursive") {
            None => format!("with {tables},\n{rest}"),
            Some(rest) => format!("with recursive {tables},\n{rest}"),
        }
    }

    /// The saved queries that a text needs, each behind those that it needs itself.
    fn collect<'a>(&'a self, text: &str, seen: &mut [bool], order: &mut Vec<&'a (String, String)>) {
        for (at, entry) in self.saved.iter().enumerate() {
            // A query that was saved anew under its own name does not mean itself.
            if !seen[at] && entry.1 != text && mentions(text, &entry.0) {
                seen[at] = true;
                self.collect(&entry.1, seen, order);
                order.push(entry);
            }
        }
    }

    /// Leaves a result in `folder` for the worker; the file's path.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn hand_over(&mut self, result: &QueryResult, folder: &Path) -> Result<PathBuf, ArrowError> {
        self.handed_over += 1;
        let path = folder.join(format!("sql-{}.arrow", self.handed_over));
        let file = std::fs::File::create(&path)?;
        let mut writer = arrow::ipc::writer::StreamWriter::try_new_buffered(file, &result.schema)?;
        for batch in &result.batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        Ok(path)
    }
}

/// A statement without the comments and blanks in front of it.
fn without_comments(query: &str) -> &str {
    let query = query.trim_start();
    let behind = if let Some(comment) = query.strip_prefix("--") {
        comment.split_once('\n')
    } else if let Some(comment) = query.strip_prefix("/*") {
        comment.split_once("*/")
    } else {
        return query;
    };
    behind.map_or("", |(_, rest)| without_comments(rest))
}

/// What follows `word` at the beginning of a text.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (first, rest) = text.split_at_checked(word.len())?;
    (first.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// Whether a name stands in a query as a word, outside of text in quotes.
fn mentions(query: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let code: String = query.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    code.split(|c| !is_word(c)).any(|word| word.eq_ignore_ascii_case(name))
}

/// The first and last rows of a result.
///
/// # Errors
/// When a column's type cannot be written as text.
pub fn table(result: &QueryResult, limit: usize) -> Result<Table, ArrowError> {
    let total = result.batches.iter().map(RecordBatch::num_rows).sum();
    let (head, tail) = Table::shown(total, limit);
    let mut table = Table { columns: headers(&result.schema), head: Vec::new(), tail: Vec::new(), total_rows: total };
    let mut first = 0;
    for batch in &result.batches {
        let rows = batch.num_rows();
        let above = head.saturating_sub(first).min(rows);
        table.head.extend(texts(batch, 0..above)?);
        let below = (total - tail).saturating_sub(first).clamp(above, rows);
        if tail > 0 {
            table.tail.extend(texts(batch, below..rows)?);
        }
        first += rows;
    }
    Ok(table)
}

fn headers(schema: &SchemaRef) -> Vec<TableColumn> {
    schema
        .fields()
        .iter()
        .map(|field| TableColumn {
            name: field.name().clone(),
            data_type: type_name(field.data_type()),
            numeric: field.data_type().is_numeric(),
        })
        .collect()
}

/// The names that data frames use, so that a table reads the same in SQL and in Rust.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "str".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "datetime".to_owned(),
        DataType::Float32 => "f32".to_owned(),
        DataType::Float64 => "f64".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        other => {
            let text = other.to_string();
            match text.strip_prefix("UInt").or_else(|| text.strip_prefix("Int")) {
                Some(bits) if text.starts_with('U') => format!("u{bits}"),
                Some(bits) => format!("i{bits}"),
                None => text.to_lowercase(),
            }
        }
    }
}

fn texts(batch: &RecordBatch, rows: std::ops::Range<usize>) -> Result<Vec<Vec<Option<String>>>, ArrowError> {
    let options = FormatOptions::default();
    let columns = batch
        .columns()
        .iter()
        .map(|column| Ok((column, ArrayFormatter::try_new(column, &options)?)))
        .collect::<Result<Vec<_>, ArrowError>>()?;
    rows.map(|row| {
        columns
            .iter()
            .map(
                |(column, formatter)| {
                    if column.is_null(row) { Ok(None) } else { formatter.value(row).try_to_string().map(Some) }
                },
            )
            .collect()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn result(batches: usize) -> QueryResult {
        let batch = |from: i64| {
            let n: ArrayRef = Arc::new(Int64Array::from(vec![from, from + 1, from + 2]));
            let price: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.0)]));
            let hs6: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
            RecordBatch::try_from_iter([("n", n), ("price", price), ("hs6", hs6)]).unwrap()
        };
        let batches: Vec<_> = (0..batches).map(|i| batch(3 * i as i64)).collect();
        QueryResult { schema: batch(0).schema(), batches }
    }

    #[test]
    fn saved_queries_are_tables_of_later_ones() {
        let mut runner = SqlRunner::default();
        runner.save("busy", "select * from offices where items > 10");
        runner.save("offices", "select office_id, count(*) as items from fact_item group by 1");
        assert_eq!(runner.with_saved("select 1"), "select 1");
        assert_eq!(runner.with_saved("select 'busy'"), "select 'busy'");
        let composed = runner.with_saved("select count(*) from BUSY");
        let expected = "with offices as (\nselect office_id, count(*) as items from fact_item group by 1\n),\n\
                        busy as (\nselect * from offices where items > 10\n)\nselect count(*) from BUSY";
        assert_eq!(composed, expected);
        let composed = runner.with_saved("WITH a as (select 1) select * from a, offices");
        assert!(composed.starts_with("with offices as (") && composed.contains("),\na as (select 1)"), "{composed}");
        let composed = runner.with_saved("-- of offices\nwith recursive\na as (select 1) select * from offices");
        assert!(composed.starts_with("with recursive offices as ("), "{composed}");
        assert!(composed.ends_with("),\na as (select 1) select * from offices"), "{composed}");
    }

    #[test]
    fn both_ends_are_shown_across_batches() {
        let shown = table(&result(4), 10).unwrap();
        let first =
            |rows: &[Vec<Option<String>>]| -> Vec<String> { rows.iter().map(|row| row[0].clone().unwrap()).collect() };
        assert_eq!(first(&shown.head), ["0", "1", "2", "3", "4"]);
        assert_eq!(first(&shown.tail), ["7", "8", "9", "10", "11"]);
        assert_eq!(shown.head[1][1], None);
        let types: Vec<&str> = shown.columns.iter().map(|c| c.data_type.as_str()).collect();
        assert_eq!(types, ["i64", "f64", "str"]);
    }

    #[test]
    fn a_small_and_an_empty_result() {
        let shown = table(&result(1), 10).unwrap();
        assert_eq!((shown.head.len(), shown.tail.len()), (3, 0));
        let shown = table(&result(0), 10).unwrap();
        assert_eq!((shown.head.len(), shown.columns.len()), (0, 3));
    }
}
