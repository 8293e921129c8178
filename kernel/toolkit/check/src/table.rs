//! A query's result, whoever ran it, as columns of plain values.

use std::cmp::Ordering;

use crate::says::Says;

/// One value of a result. Dates are text, `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Any number; true is 1, false is 0.
    Number(f64),
    /// Any text.
    Text(String),
}

impl Value {
    /// The word for its kind.
    pub(crate) fn kind(&self) -> Says {
        match self {
            Value::Null => Says::Nothing,
            Value::Number(_) => Says::Number,
            Value::Text(_) => Says::Text,
        }
    }

    /// Nulls first, then numbers, then texts.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        let rank = |value: &Value| match value {
            Value::Null => 0,
            Value::Number(_) => 1,
            Value::Text(_) => 2,
        };
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

/// Columns of equal length, with their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Vec<Value>)>,
}

impl Table {
    /// Columns in their order. Shorter ones are filled with nulls.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Vec<Value>)>) -> Self {
        let mut columns: Vec<(String, Vec<Value>)> =
            columns.into_iter().map(|(name, values)| (name.into(), values)).collect();
        let rows = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        columns.iter_mut().for_each(|(_, values)| values.resize(rows, Value::Null));
        Self { columns }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The values of a column; capitals do not matter.
    pub fn column(&self, name: &str) -> Option<&[Value]> {
        let found = self.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, values)| values.as_slice())
    }
}
