//! What goes in: values. What comes out: batches of the tables of `risk`, and their part in a commit.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;
use haetae_schema::{Table, risk_tables};
use haetae_warehouse::RISK;
use haetae_warehouse::store::{Kind, NewOperation, Transaction};

use crate::Result;

pub(crate) fn table(name: &str) -> &'static Table {
    let found = risk_tables().iter().find(|table| table.name == name);
    found.unwrap_or(&risk_tables()[0])
}

pub(crate) fn text<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

pub(crate) fn maybe_text<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

pub(crate) fn number(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

pub(crate) fn maybe_number(values: impl IntoIterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Float64Array>())
}

pub(crate) fn whole(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

pub(crate) fn small(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values.into_iter().map(|value| i32::try_from(value).unwrap_or(i32::MAX))))
}

pub(crate) fn days(day: NaiveDate, rows: usize) -> ArrayRef {
    Arc::new(Date32Array::from(vec![Date32Type::from_naive_date(day); rows]))
}

pub(crate) fn dates(days: impl IntoIterator<Item = NaiveDate>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(days.into_iter().map(Date32Type::from_naive_date)))
}

pub(crate) fn flags(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.into_iter().collect::<Vec<bool>>()))
}

pub(crate) fn same(value: &str, rows: usize) -> ArrayRef {
    text(std::iter::repeat_n(value, rows))
}

pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Rows of a commit, table by table.
#[derive(Default)]
pub(crate) struct Rows {
    plain: Vec<(&'static str, RecordBatch)>,
    /// Those whose first column is the number of the commit's first operation.
    numbered: Vec<(&'static str, Vec<ArrayRef>)>,
}

impl Rows {
    pub(crate) fn add(&mut self, name: &'static str, columns: Vec<ArrayRef>) -> Result<()> {
        self.plain.push((name, RecordBatch::try_new(table(name).arrow_schema(), columns)?));
        Ok(())
    }

    /// Rows whose first column, the number, is left out.
    pub(crate) fn add_numbered(&mut self, name: &'static str, columns: Vec<ArrayRef>) {
        self.numbered.push((name, columns));
    }

    /// Puts them into a transaction. Another commit of the same tables meanwhile makes it fail, but for numbered rows.
    pub(crate) fn put(self, transaction: &mut Transaction) -> Result<()> {
        let mut done = Vec::new();
        // All numbered rows before the first operation is recorded, so that all bear its number.
        for (name, columns) in self.numbered {
            done.push((name, columns.first().map_or(0, |column| column.len())));
            transaction.add_numbered(RISK, name, move |number| {
                let rows = columns.first().map_or(0, |column| column.len());
                let first = whole(vec![i64::try_from(number).unwrap_or(i64::MAX); rows]);
                let columns = std::iter::once(first).chain(columns).collect();
                RecordBatch::try_new(table(name).arrow_schema(), columns).map_err(|source| {
                    haetae_warehouse::Error::Data { action: format!("write {name}"), source: Box::new(source) }
                })
            });
        }
        for (name, batch) in &self.plain {
            transaction.add(RISK, name, std::slice::from_ref(batch), table(name).sort)?;
            done.push((name, batch.num_rows()));
        }
        for (name, rows) in done.into_iter().filter(|(_, rows)| *rows > 0) {
            transaction.record(NewOperation {
                kind: Kind::Append,
                schema: RISK.to_owned(),
                table: name.to_owned(),
                format: String::new(),
                inputs: Vec::new(),
                accepted: rows as u64,
                rejected: 0,
                removed: 0,
            });
        }
        Ok(())
    }
}
