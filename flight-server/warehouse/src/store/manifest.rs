//! What goes in: the text of a manifest. What comes out: one version of all tables, and how it came
//! about.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;
use super::edit::Edit;
use super::first_format;
use super::outside::OutsideTable;
use crate::{Error, Result};

/// The layout of the JSON. A reader refuses what it does not know.
const FORMAT: u32 = 2;
/// The same with tables outside of the warehouse or edits of the catalogue. They decide on who sees what, and a release
/// that does not know them would drop them without a word; with this number it refuses the warehouse.
const WITH_CATALOGUE: u32 = 3;

/// One version of all tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of this document.
    pub format: u32,
    /// Number of the version, counted from 1; 0 is the empty warehouse.
    pub version: u64,
    /// The number that the next operation gets.
    pub next_load: u64,
    /// Schema -> table -> its files.
    pub tables: BTreeMap<String, BTreeMap<String, TableFiles>>,
    /// Tables that lie elsewhere and are read there, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outside: BTreeMap<String, OutsideTable>,
    /// Every edit of the catalogue, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Every commit, the oldest first; the last one made this version.
    pub commits: Vec<Commit>,
}

/// One table of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFiles {
    /// The version that last changed rows. Compaction changes files and no rows.
    pub changed: u64,
    /// The files, in the order in which they were added.
    pub files: Vec<DataFile>,
    /// The columns of a table that a user has made; none where the schema of the warehouse has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<MadeColumn>,
}

/// One column of a table that a user has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeColumn {
    /// Its name.
    pub name: String,
    /// Its Arrow type, as Arrow writes it.
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
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
    /// Of the columns that the file is sorted by; none where an earlier release has written the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<Bounds>,
}

/// What made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The version.
    pub version: u64,
    /// When it was committed, in milliseconds since 1970 in UTC, by the clock of the store; never
    /// before an earlier version. 0 where it is not known.
    pub time_ms: i64,
    /// By which a retried commit is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What was done, in order.
    pub operations: Vec<Operation>,
}

/// An idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// As the writer chose it.
    pub name: String,
    /// SHA-256 over what was to be done, in lower-case hexadecimal.
    pub sha256: String,
}

/// One operation of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Number of the operation, counted from 1 over the life of the warehouse. The table of rejects
    /// calls it `load_id`.
    pub id: u64,
    /// What was done.
    pub kind: Kind,
    /// Schema of the table.
    pub schema: String,
    /// The table (of a KCS file: the fact table).
    pub table: String,
    /// `table` or `kcs`; empty where nothing was read.
    pub format: String,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows of the table that are there no longer.
    pub removed: u64,
}

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Rows were added.
    Append,
    /// Rows were put in the place of all others.
    Replace,
    /// Rows were put in the place of those with the same keys, or added.
    Upsert,
    /// Rows with given keys were removed.
    Delete,
    /// Files were merged; rows stayed as they were.
    Compact,
    /// A table that lies elsewhere was made known, or known anew.
    Register,
    /// Such a table is known no longer.
    Unregister,
}

/// One input of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The path as it was given.
    pub name: String,
    /// SHA-256 of the content in lower-case hexadecimal.
    pub sha256: String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::Compact => "compact",
            Self::Register => "register",
            Self::Unregister => "unregister",
        })
    }
}

impl Manifest {
    pub(crate) fn empty() -> Self {
        Self::from_first(0, 1, BTreeMap::new(), Vec::new())
    }

    /// A version of the first format in this one.
    pub(super) fn from_first(
        version: u64,
        next_load: u64,
        tables: BTreeMap<String, BTreeMap<String, TableFiles>>,
        commits: Vec<Commit>,
    ) -> Self {
        let (outside, edits) = (BTreeMap::new(), Vec::new());
        Self { format: FORMAT, version, next_load, tables, outside, edits, commits }
    }

    /// The oldest format that says all of it.
    pub(super) fn needed_format(&self) -> u32 {
        if self.outside.is_empty() && self.edits.is_empty() { FORMAT } else { WITH_CATALOGUE }
    }

    /// The files of a table, none where nothing was loaded yet.
    pub fn files(&self, schema: &str, table: &str) -> &[DataFile] {
        self.table(schema, table).map_or(&[], |table| table.files.as_slice())
    }

    /// Number of rows of a table.
    pub fn rows(&self, schema: &str, table: &str) -> u64 {
        self.files(schema, table).iter().map(|file| file.rows).sum()
    }

    /// A table that was loaded into.
    pub fn table(&self, schema: &str, table: &str) -> Option<&TableFiles> {
        self.tables.get(schema)?.get(table)
    }

    /// All files of the version.
    pub fn all_files(&self) -> impl Iterator<Item = &DataFile> {
        self.tables.values().flat_map(BTreeMap::values).flat_map(|table| &table.files)
    }

    /// When the version was committed; see [`Commit::time_ms`].
    pub fn time_ms(&self) -> i64 {
        self.commits.last().map_or(0, |commit| commit.time_ms)
    }

    /// The commit that bears this idempotency key.
    pub fn find_key(&self, name: &str) -> Option<&Commit> {
        self.commits.iter().find(|commit| commit.key.as_ref().is_some_and(|key| key.name == name))
    }

    /// The operations on a table, the newest first; compaction is none.
    pub fn operations(&self, schema: &str, table: &str) -> impl Iterator<Item = &Operation> {
        let all = self.commits.iter().rev().flat_map(|commit| commit.operations.iter().rev());
        all.filter(move |done| done.schema == schema && done.table == table && done.kind != Kind::Compact)
    }
}

/// The file name of a version.
pub(super) fn file_name(version: u64) -> String {
    format!("manifest-{version}.json")
}

/// The versions whose manifests are in the directory, the oldest first.
pub(super) fn versions(root: &Path) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(Error::io("list the warehouse", root))? {
        let name = entry.map_err(Error::io("list the warehouse", root))?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|n| n.strip_prefix("manifest-")?.strip_suffix(".json")?.parse().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

/// The manifest of `version` out of its text; `path` is where it stood.
pub(super) fn parse(path: &Path, version: u64, text: &str) -> Result<Manifest> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let bad = |reason: String| Error::BadManifest { path: path.to_path_buf(), reason };
    let failed = |error: serde_json::Error| bad(error.to_string());
    let head: Head = serde_json::from_str(text).map_err(failed)?;
    let manifest = match head.format {
        FORMAT | WITH_CATALOGUE => serde_json::from_str(text).map_err(failed)?,
        first_format::FORMAT => first_format::parse(text).map_err(failed)?,
        other => {
            let reason =
                format!("expected format 1 to {WITH_CATALOGUE}, found {other}; it was written by another release");
            return Err(bad(reason));
        }
    };
    if manifest.version != version {
        return Err(bad(format!("expected version {version}, found {}", manifest.version)));
    }
    Ok(manifest)
}
