//! What goes in: a manifest of format 1, which knew loads only. What comes out: the same version in
//! today's format. Its files need no change.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::manifest::{Commit, DataFile, Input, Kind, Manifest, Operation, TableFiles};

/// The number that such a manifest bears.
pub(super) const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct First {
    version: u64,
    next_load: u64,
    tables: BTreeMap<String, BTreeMap<String, Vec<DataFile>>>,
    loads: Vec<Load>,
}

#[derive(Deserialize)]
struct Load {
    id: u64,
    schema: String,
    table: String,
    format: String,
    inputs: Vec<Input>,
    accepted: u64,
    rejected: u64,
}

pub(super) fn parse(text: &str) -> Result<Manifest, serde_json::Error> {
    let First { version, next_load, tables, loads } = serde_json::from_str(text)?;
    let of_table = |(name, files)| (name, TableFiles { changed: version, files, columns: Vec::new() });
    let tables = tables.into_iter().map(|(schema, tables)| (schema, tables.into_iter().map(of_table).collect()));
    // Each load was a version of its own.
    let commits = loads.into_iter().map(|load| {
        let Load { id, schema, table, format, inputs, accepted, rejected } = load;
        let kind = Kind::Append;
        let operation = Operation { id, kind, schema, table, format, inputs, accepted, rejected, removed: 0 };
        Commit { version: id, time_ms: 0, key: None, operations: vec![operation] }
    });
    Ok(Manifest::from_first(version, next_load, tables.collect(), commits.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warehouse_of_the_first_format_is_read() {
        let text = r#"{"format": 1, "version": 1, "next_load": 2,
            "tables": {"customs": {"dim_courier": [{"path": "data/customs/dim_courier/00000001-000.parquet",
                "rows": 3, "bytes": 700}]}},
            "loads": [{"id": 1, "schema": "customs", "table": "dim_courier", "format": "table",
                "inputs": [{"name": "a.csv", "sha256": "00"}], "accepted": 3, "rejected": 1}]}"#;
        let manifest = parse(text).unwrap();
        assert_eq!((manifest.version, manifest.next_load, manifest.rows("customs", "dim_courier")), (1, 2, 3));
        let done = manifest.operations("customs", "dim_courier").next().unwrap();
        assert_eq!((done.id, done.kind, done.accepted, done.rejected), (1, Kind::Append, 3, 1));
        assert_eq!(manifest.time_ms(), 0);
    }
}
