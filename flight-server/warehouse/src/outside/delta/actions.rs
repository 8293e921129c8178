//! What goes in: one action of a log as JSON. What comes out: what of it says which files and columns a version has,
//! and a refusal of what cannot be read rightly.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::Result;
use crate::outside::wrong;

/// The newest version of the protocol for readers without features.
const READER: i64 = 2;

/// Actions that say nothing of the rows.
const SILENT: [&str; 4] = ["txn", "commitInfo", "cdc", "domainMetadata"];

#[derive(Debug)]
pub(super) enum Action {
    Protocol(Protocol),
    MetaData(MetaData),
    Add(Add),
    Remove(String),
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    min_reader_version: i64,
    #[serde(default)]
    reader_features: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetaData {
    format: Option<Format>,
    pub(super) schema_string: String,
    #[serde(default)]
    pub(super) partition_columns: Vec<String>,
    #[serde(default)]
    pub(super) configuration: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Deserialize)]
struct Format {
    provider: String,
}

#[derive(Debug)]
pub(super) struct Add {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) partition_values: BTreeMap<String, Option<String>>,
    pub(super) statistics: Option<Arc<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    path: String,
    size: u64,
    #[serde(default)]
    partition_values: BTreeMap<String, Option<String>>,
    #[serde(default)]
    stats: Option<String>,
    #[serde(default)]
    deletion_vector: Option<Value>,
}

#[derive(Deserialize)]
struct Removed {
    path: String,
}

impl Action {
    /// The action called `name`; the error says what was found instead.
    pub(super) fn of(name: &str, value: Value) -> Result<Self, String> {
        let failed = |error: serde_json::Error| format!("an action {name} that is none: {error}");
        Ok(match name {
            "protocol" => Self::Protocol(serde_json::from_value(value).map_err(failed)?),
            "metaData" => Self::MetaData(serde_json::from_value(value).map_err(failed)?),
            "add" => {
                let found: Added = serde_json::from_value(value).map_err(failed)?;
                if found.deletion_vector.is_some_and(|vector| !vector.is_null()) {
                    return Err(format!("a deletion vector of {}, which this reader does not know", found.path));
                }
                // Statistics only skip files; ones that are no JSON are as good as none.
                let statistics = found.stats.and_then(|text| serde_json::from_str(&text).ok()).map(Arc::new);
                let (path, size, partition_values) = (found.path, found.size, found.partition_values);
                Self::Add(Add { path, size, partition_values, statistics })
            }
            "remove" => {
                let found: Removed = serde_json::from_value(value).map_err(failed)?;
                Self::Remove(found.path)
            }
            silent if SILENT.contains(&silent) => Self::Other,
            "sidecar" | "checkpointMetadata" => {
                return Err("a checkpoint of the second form, which is not read".to_owned());
            }
            other => return Err(format!("an action {other}, which this reader does not know")),
        })
    }
}

impl Protocol {
    /// Fails where the table asks more of its readers than is done here.
    pub(super) fn check(&self, log: &Path) -> Result<()> {
        let features = self.reader_features.as_deref().unwrap_or_default();
        if !features.is_empty() {
            let found = format!("a table that asks its readers for {}", features.join(", "));
            return Err(wrong(log, "a Delta Lake table without reader features", found));
        }
        match self.min_reader_version {
            1..=READER => Ok(()),
            // With a list that is empty it asks for nothing.
            3 if self.reader_features.is_some() => Ok(()),
            other => {
                Err(wrong(log, format!("a table for readers of version 1 to {READER}"), format!("version {other}")))
            }
        }
    }
}

impl MetaData {
    pub(super) fn check(&self, log: &Path) -> Result<()> {
        let setting = |name: &str| self.configuration.as_ref()?.get(name)?.as_deref();
        if let Some(mode) = setting("delta.columnMapping.mode").filter(|mode| *mode != "none") {
            return Err(wrong(log, "columns that files know by their names", format!("column mapping by {mode}")));
        }
        match &self.format {
            Some(format) if format.provider != "parquet" => {
                Err(wrong(log, "files of Parquet", format!("files of {}", format.provider)))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(text: &str) -> Result<(), String> {
        let action = Action::of("protocol", serde_json::from_str(text).unwrap())?;
        let Action::Protocol(found) = action else { return Err("another action".to_owned()) };
        found.check(Path::new("log")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_table_asks_of_its_readers_is_refused_by_name() {
        for fine in [
            r#"{"minReaderVersion":1,"minWriterVersion":2}"#,
            r#"{"minReaderVersion":2,"minWriterVersion":5,"readerFeatures":null}"#,
            r#"{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":["appendOnly"]}"#,
        ] {
            protocol(fine).unwrap();
        }
        let vectors = protocol(r#"{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"]}"#);
        assert!(vectors.unwrap_err().contains("deletionVectors"));
        assert!(protocol(r#"{"minReaderVersion":3}"#).unwrap_err().contains("version 3"));
        assert!(protocol(r#"{"minReaderVersion":9,"readerFeatures":[]}"#).unwrap_err().contains("version 9"));
        assert!(protocol(r#"{"minWriterVersion":9}"#).unwrap_err().contains("minReaderVersion"));
    }

    #[test]
    fn actions_that_are_not_known_are_refused() {
        let add = r#"{"path":"a","size":1,"partitionValues":{},"deletionVector":{"storageType":"u"}}"#;
        let add = Action::of("add", serde_json::from_str(add).unwrap()).unwrap_err();
        assert!(add.contains("deletion vector of a"), "{add}");
        assert!(Action::of("compact", Value::Null).unwrap_err().contains("compact"));
        assert!(Action::of("sidecar", Value::Null).unwrap_err().contains("second form"));
        assert!(matches!(Action::of("commitInfo", Value::Null), Ok(Action::Other)));
    }
}
