//! What goes in: a log that was replayed. What comes out: about how many bytes it takes in memory.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Replayed;
use super::actions::Add;

/// What a map and the allocator need beside each entry.
const ENTRY: usize = 32;
/// The schema is there as text and as columns, which take more than their text.
const COLUMNS: usize = 4;

impl Replayed {
    pub(super) fn weight(&self) -> usize {
        let about = &self.about;
        let adds: usize = self.adds.iter().map(|(path, add)| text(path) + add.weight()).sum();
        let partitions: usize = about.partition_columns.iter().map(|name| text(name)).sum();
        let columns = COLUMNS * about.schema_string.len();
        size_of::<Self>() + columns + partitions + about.configuration.as_ref().map_or(0, texts) + adds
    }
}

impl Add {
    fn weight(&self) -> usize {
        let statistics = self.statistics.as_deref().map_or(0, json);
        size_of::<Self>() + self.path.len() + texts(&self.partition_values) + statistics
    }
}

fn text(text: &str) -> usize {
    size_of::<String>() + ENTRY + text.len()
}

fn texts(named: &BTreeMap<String, Option<String>>) -> usize {
    named.iter().map(|(name, value)| text(name) + text(value.as_deref().unwrap_or_default())).sum()
}

/// Parsed, short values take far more than their text.
fn json(value: &Value) -> usize {
    let below = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(json).sum(),
        Value::Object(named) => named.iter().map(|(name, value)| text(name) + json(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + below
}
