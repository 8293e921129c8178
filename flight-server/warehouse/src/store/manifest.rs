//! What goes in: a directory, a version number. What comes out: the manifest of that version.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The layout of the JSON. A reader refuses what it does not know.
const FORMAT: u32 = 1;

/// One version of all tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of this document.
    pub format: u32,
    /// Number of the version, counted from 1; 0 is the empty warehouse.
    pub version: u64,
    /// The number that the next load gets.
    pub next_load: u64,
    /// Schema -> table -> files, in the order in which they were loaded.
    pub tables: BTreeMap<String, BTreeMap<String, Vec<DataFile>>>,
    /// Every load that was committed.
    pub loads: Vec<Load>,
}

/// One immutable Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Path below the warehouse, with `/` between the parts.
    pub path: String,
    /// Number of rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
}

/// One committed load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Number of the load, counted from 1.
    pub id: u64,
    /// Schema that was loaded into.
    pub schema: String,
    /// Table that was loaded into (of a KCS file: the fact table).
    pub table: String,
    /// `table` or `kcs`.
    pub format: String,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
}

/// One input of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The path as it was given.
    pub name: String,
    /// SHA-256 of the content in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(crate) fn empty() -> Self {
        Self { format: FORMAT, version: 0, next_load: 1, tables: BTreeMap::new(), loads: Vec::new() }
    }

    /// The files of a table, none where nothing was loaded yet.
    pub fn files(&self, schema: &str, table: &str) -> &[DataFile] {
        self.tables.get(schema).and_then(|tables| tables.get(table)).map_or(&[], Vec::as_slice)
    }

    /// Number of rows of a table.
    pub fn rows(&self, schema: &str, table: &str) -> u64 {
        self.files(schema, table).iter().map(|file| file.rows).sum()
    }

    /// The load that has already read this content into this table, if there was one.
    pub fn find_load(&self, schema: &str, table: &str, format: &str, sha256: &str) -> Option<&Load> {
        self.loads.iter().find(|load| {
            load.schema == schema
                && load.table == table
                && load.format == format
                && load.inputs.iter().any(|input| input.sha256 == sha256)
        })
    }
}

/// The file name of a version.
pub(super) fn file_name(version: u64) -> String {
    format!("manifest-{version}.json")
}

/// The versions whose manifests are in the directory, unsorted.
pub(super) fn versions(root: &Path) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(Error::io("list the warehouse", root))? {
        let name = entry.map_err(Error::io("list the warehouse", root))?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|n| n.strip_prefix("manifest-")?.strip_suffix(".json")?.parse().ok());
        found.extend(number);
    }
    Ok(found)
}

/// Reads a version; `None` when its file is gone.
pub(super) fn read(root: &Path, version: u64) -> Result<Option<Manifest>> {
    let path: PathBuf = root.join(file_name(version));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read the manifest", path)(error)),
    };
    let bad = |reason: String| Error::BadManifest { path: path.clone(), reason };
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(bad(format!(
            "expected format {FORMAT}, found {}; it was written by another release",
            manifest.format
        )));
    }
    if manifest.version != version {
        return Err(bad(format!("expected version {version}, found {}", manifest.version)));
    }
    Ok(Some(manifest))
}
