//! What goes in: the manifest. What comes out: what it knows of a table that lies outside of the warehouse.

use serde::{Deserialize, Serialize};

use super::manifest::MadeColumn;

/// A table that is read where it lies. Its rows are no part of a version; what is known of it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideTable {
    /// What lies there.
    pub kind: OutsideKind,
    /// The folder, as an absolute path.
    pub folder: String,
    /// The version of a Delta Lake table that is read; `None` is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The columns that are served, as they were when the table was made known.
    pub columns: Vec<MadeColumn>,
    /// Those of them that stand in names of folders or in the log, and not in the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// Its entry in the catalogue.
    pub entry: OutsideEntry,
}

/// The kinds of tables that can be read where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutsideKind {
    /// A folder of Parquet files.
    Parquet,
    /// A Delta Lake table.
    Delta,
}

/// What the catalogue says of such a table, until it is edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideEntry {
    /// What the table is called.
    pub title: String,
    /// What one of its rows stands for.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Who looks after its quality.
    pub steward: String,
    /// Its class: public, internal, personal, secret.
    pub class: String,
    /// How sensitive its columns are, as policies name it.
    pub classification: String,
}

impl std::fmt::Display for OutsideKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parquet => "parquet",
            Self::Delta => "delta",
        })
    }
}
