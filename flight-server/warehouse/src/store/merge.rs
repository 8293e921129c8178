//! What goes in: batches from several sources, each in the same order. What comes out: all rows in
//! that order, a batch at a time. In memory is one batch of each source.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::row::{RowConverter, Rows, SortField};

use crate::{Error, Result};

/// A source of sorted batches.
pub(super) type Source = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// Merges sources by the columns `sort`, ascending with nulls first, as files are sorted. Rows that
/// agree in them come in the order of the sources. Without columns the sources come one after another.
pub(super) struct Merge {
    cursors: Vec<Cursor>,
    converter: RowConverter,
    sort: Vec<usize>,
    batch_rows: usize,
    /// Cursors that have rows left, as a heap with the smallest row first.
    heap: Vec<usize>,
}

struct Cursor {
    source: Source,
    batch: Option<RecordBatch>,
    rows: Option<Rows>,
    next: usize,
}

impl Merge {
    /// `sort` are positions of columns.
    pub(super) fn new(sources: Vec<Source>, sort: Vec<usize>, batch_rows: usize) -> Result<Self> {
        let mut cursors: Vec<Cursor> =
            sources.into_iter().map(|source| Cursor { source, batch: None, rows: None, next: 0 }).collect();
        let mut first = None;
        for cursor in &mut cursors {
            cursor.batch = next_filled(&mut cursor.source)?;
            first = first.or_else(|| cursor.batch.as_ref().map(RecordBatch::schema));
        }
        let types = first.iter().flat_map(|schema| sort.iter().map(|column| schema.field(*column).data_type().clone()));
        let converter = RowConverter::new(types.map(SortField::new).collect()).map_err(Error::data("merge files"))?;
        let mut merge = Self { cursors, converter, sort, batch_rows, heap: Vec::new() };
        for index in 0..merge.cursors.len() {
            merge.encode(index)?;
            if merge.cursors[index].batch.is_some() {
                merge.heap.push(index);
                merge.rise(merge.heap.len() - 1);
            }
        }
        Ok(merge)
    }

    /// The next rows, or `None` at the end.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut used: Vec<RecordBatch> = Vec::new();
        // Cursor -> position of its batch in `used`.
        let mut place: Vec<Option<usize>> = vec![None; self.cursors.len()];
        let mut picked: Vec<(usize, usize)> = Vec::with_capacity(self.batch_rows);
        while picked.len() < self.batch_rows {
            let Some(index) = self.heap.first().copied() else { break };
            let cursor = &mut self.cursors[index];
            let Some(batch) = &cursor.batch else { break };
            let position = *place[index].get_or_insert_with(|| {
                used.push(batch.clone());
                used.len() - 1
            });
            picked.push((position, cursor.next));
            cursor.next += 1;
            if cursor.next == batch.num_rows() {
                place[index] = None;
                cursor.batch = next_filled(&mut cursor.source)?;
                cursor.next = 0;
                self.encode(index)?;
                if self.cursors[index].batch.is_none() {
                    self.heap.swap_remove(0);
                }
            }
            self.sink(0);
        }
        if picked.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = used.iter().collect();
        interleave_record_batch(&batches, &picked).map(Some).map_err(Error::data("merge files"))
    }

    fn encode(&mut self, index: usize) -> Result<()> {
        let cursor = &mut self.cursors[index];
        cursor.rows = None;
        if let Some(batch) = cursor.batch.as_ref().filter(|_| !self.sort.is_empty()) {
            let columns: Vec<ArrayRef> = self.sort.iter().map(|column| batch.column(*column).clone()).collect();
            cursor.rows = Some(self.converter.convert_columns(&columns).map_err(Error::data("merge files"))?);
        }
        Ok(())
    }

    /// Whether the next row of cursor `a` comes before that of `b`.
    fn before(&self, a: usize, b: usize) -> bool {
        match (&self.cursors[a].rows, &self.cursors[b].rows) {
            (Some(of_a), Some(of_b)) => {
                let order = of_a.row(self.cursors[a].next).cmp(&of_b.row(self.cursors[b].next));
                order.then(a.cmp(&b)).is_lt()
            }
            _ => a < b,
        }
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 && self.before(self.heap[at], self.heap[(at - 1) / 2]) {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.before(self.heap[child], self.heap[least]) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}

/// The next batch that has rows.
fn next_filled(source: &mut Source) -> Result<Option<RecordBatch>> {
    for batch in source {
        let batch = batch?;
        if batch.num_rows() > 0 {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int32Array, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn source(rows: Vec<(Option<i32>, String)>, cut: usize) -> Source {
        let batches: Vec<Result<RecordBatch>> = rows
            .chunks(cut)
            .map(|rows| {
                let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Int32Array>());
                let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1)));
                Ok(RecordBatch::try_from_iter_with_nullable([("n", numbers, true), ("s", names, false)]).unwrap())
            })
            .collect();
        Box::new(batches.into_iter())
    }

    fn all(merge: &mut Merge) -> Vec<(Option<i32>, String)> {
        let mut rows = Vec::new();
        while let Some(batch) = merge.next_batch().unwrap() {
            let numbers = batch.column(0).as_primitive::<Int32Type>();
            let names = batch.column(1).as_string::<i32>();
            rows.extend(numbers.iter().zip(names).map(|(n, s)| (n, s.unwrap().to_owned())));
        }
        rows
    }

    #[test]
    fn merged_rows_are_the_sorted_rows() {
        let mut sources = Vec::new();
        let mut expected = Vec::new();
        for index in 0..7_i32 {
            let value = |n: i32| if n % 11 == 0 { None } else { Some(n * n * (index + 3) % 50) };
            let mut rows: Vec<(Option<i32>, String)> =
                (0..index * 13).map(|n| (value(n), format!("{index}-{n:03}"))).collect();
            rows.sort();
            expected.extend(rows.clone());
            sources.push(source(rows, 4));
        }
        // By the first column alone rows that agree keep the order of the sources, then their own.
        expected.sort_by(|a, b| (a.0, &a.1[..1]).cmp(&(b.0, &b.1[..1])));
        assert_eq!(all(&mut Merge::new(sources, vec![0], 10).unwrap()), expected);
    }

    #[test]
    fn without_an_order_sources_follow_each_other() {
        let rows = |text: &str| text.chars().map(|c| (Some(1), c.to_string())).collect::<Vec<_>>();
        let sources = vec![source(rows("cab"), 2), source(Vec::new(), 2), source(rows("ba"), 2)];
        let names: String =
            all(&mut Merge::new(sources, Vec::new(), 2).unwrap()).into_iter().map(|row| row.1).collect();
        assert_eq!(names, "cabba");
        assert!(all(&mut Merge::new(Vec::new(), Vec::new(), 2).unwrap()).is_empty());
    }
}
