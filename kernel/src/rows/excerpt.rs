//! Batches, one after the other -> the table of their first and last rows.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use haetae_display::pages::{MOST_BYTES, MOST_ROWS};
use haetae_display::{Pages, Table, TableColumn};
use std::collections::VecDeque;

/// Rows that are formatted at a time, where it is not known how many there will be room for.
const STEP: usize = 64;

type Row = Vec<Option<String>>;

/// Rows of a result that are kept to be shown.
pub struct Excerpt {
    columns: Vec<TableColumn>,
    /// Rows to show.
    limit: usize,
    /// The first ones: as many as could be shown if there were no more, and some to turn the pages to.
    first: Vec<Row>,
    /// Text of those of them that are for paging alone.
    bytes: usize,
    /// The last ones; what stands before them is let go.
    tail: VecDeque<RecordBatch>,
    rows: usize,
}

impl Excerpt {
    /// None yet, of a result with these columns.
    pub fn new(schema: &SchemaRef, limit: usize) -> Self {
        let columns = headers(schema);
        Self { columns, limit, first: Vec::new(), bytes: 0, tail: VecDeque::new(), rows: 0 }
    }

    /// Rows that have come.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes note of the next rows.
    ///
    /// # Errors
    /// When a column's type cannot be written as text.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if self.first.len() == self.rows {
            self.add_first(batch)?;
        }
        self.rows += batch.num_rows();
        let wanted = self.limit / 2;
        let last = batch.num_rows().min(wanted);
        self.tail.push_back(batch.slice(batch.num_rows() - last, last));
        let mut kept: usize = self.tail.iter().map(RecordBatch::num_rows).sum();
        while let Some(first) = self.tail.front()
            && kept - first.num_rows() >= wanted
        {
            kept -= first.num_rows();
            self.tail.pop_front();
        }
        Ok(())
    }

    fn add_first(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let mut next = 0;
        while next < batch.num_rows() {
            let missing = self.limit.saturating_sub(self.first.len());
            let room = self.bytes <= MOST_BYTES && self.first.len() < MOST_ROWS;
            let step = if missing > 0 {
                missing
            } else if room {
                STEP
            } else {
                return Ok(());
            };
            let end = (next + step).min(batch.num_rows());
            let rows = texts(batch, next..end)?;
            if missing == 0 {
                self.bytes += rows.iter().flatten().flatten().map(String::len).sum::<usize>();
            }
            self.first.extend(rows);
            next = end;
        }
        Ok(())
    }

    /// The table, of what has come so far.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn table(&self) -> Result<Table, ArrowError> {
        let (head, tail) = Table::shown(self.rows, self.limit);
        let (head, behind) = self.first.split_at(head);
        let mut last = Vec::new();
        let mut pages = Pages::behind(head);
        if tail > 0 {
            for batch in &self.tail {
                last.extend(texts(batch, 0..batch.num_rows())?);
            }
            last.drain(..last.len() - tail);
        }
        if !head.is_empty() && self.rows > self.limit {
            behind.iter().for_each(|row| pages.take(row.clone()));
        }
        Ok(Table {
            columns: self.columns.clone(),
            head: head.to_vec(),
            tail: last,
            more: pages.into_rows(),
            total_rows: self.rows,
        })
    }
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
pub fn type_name(data_type: &DataType) -> String {
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

    fn batch(from: i64) -> RecordBatch {
        let n: ArrayRef = Arc::new(Int64Array::from(vec![from, from + 1, from + 2]));
        let price: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.0)]));
        let hs6: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        RecordBatch::try_from_iter([("n", n), ("price", price), ("hs6", hs6)]).unwrap()
    }

    fn table(batches: i64, limit: usize) -> Table {
        let mut excerpt = Excerpt::new(&batch(0).schema(), limit);
        (0..batches).for_each(|i| excerpt.add(&batch(3 * i)).unwrap());
        excerpt.table().unwrap()
    }

    fn first(rows: &[Vec<Option<String>>]) -> Vec<&str> {
        rows.iter().map(|row| row[0].as_deref().unwrap()).collect()
    }

    #[test]
    fn both_ends_are_shown_across_batches() {
        let shown = table(4, 10);
        assert_eq!(first(&shown.head), ["0", "1", "2", "3", "4"]);
        assert_eq!(first(&shown.tail), ["7", "8", "9", "10", "11"]);
        // Those behind the head, without a gap, for paging.
        assert_eq!(first(&shown.more), ["5", "6", "7", "8", "9", "10", "11"]);
        assert_eq!((shown.total_rows, &shown.head[1][1]), (12, &None));
        let types: Vec<&str> = shown.columns.iter().map(|c| c.data_type.as_str()).collect();
        assert_eq!(types, ["i64", "f64", "str"]);
    }

    #[test]
    fn a_small_and_an_empty_result() {
        let shown = table(1, 10);
        assert_eq!((shown.head.len(), shown.tail.len(), shown.more.len()), (3, 0, 0));
        let shown = table(0, 10);
        assert_eq!((shown.head.len(), shown.columns.len()), (0, 3));
    }

    #[test]
    fn every_limit_shows_the_right_rows() {
        for (batches, limit) in (0..5).flat_map(|batches| (0..14).map(move |limit| (batches, limit))) {
            let shown = table(batches, limit);
            let all: Vec<String> = (0..3 * batches).map(|n| n.to_string()).collect();
            let (head, tail) = Table::shown(all.len(), limit);
            assert_eq!(first(&shown.head), all[..head], "{batches} batches, limit {limit}");
            assert_eq!(first(&shown.tail), all[all.len() - tail..], "{batches} batches, limit {limit}");
            let more = if head > 0 && all.len() > limit { &all[head..] } else { &[] };
            assert_eq!(first(&shown.more), more, "{batches} batches, limit {limit}");
        }
    }

    #[test]
    fn only_the_last_batches_are_kept() {
        let mut excerpt = Excerpt::new(&batch(0).schema(), 10);
        (0..1000).for_each(|i| excerpt.add(&batch(3 * i)).unwrap());
        assert!(excerpt.tail.len() <= 2 && excerpt.first.len() < MOST_ROWS + STEP);
        assert_eq!(first(&excerpt.table().unwrap().tail), ["2995", "2996", "2997", "2998", "2999"]);
    }
}
