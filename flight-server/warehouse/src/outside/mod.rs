//! What goes in: a folder of Parquet files or a Delta Lake table, elsewhere. What comes out: its columns when it is
//! made known, and the files of one state of it when it is read. Nothing is ever written there.
//!
//! Nobody vouches for such files. So nothing is believed that can be checked: that a file lies in a folder that is
//! allowed, that it ends as a Parquet file, that its columns are those that were made known.

mod delta;
mod folder;
mod footer;
mod names;
mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arrow::datatypes::{DataType, Field, Schema};

use crate::ingest::{made_columns, made_schema};
use crate::store::{MadeColumn, OutsideEntry, OutsideKind, OutsideTable};
use crate::{Error, Result};

pub(crate) use delta::Logs;
pub(crate) use footer::{OLD_TIMES, check as check_footer, zone_of_old_times};
pub use names::check as check_name;
pub use place::FILE_NAME as ALLOWED_FILE;

/// One file of a table.
#[derive(Debug, Clone)]
pub struct OutsideFile {
    /// Where it is, without symbolic links.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was changed last.
    pub modified: SystemTime,
    /// What its place says of each partition column.
    pub partitions: Vec<Option<String>>,
    /// What a log says of its values.
    pub statistics: Option<Arc<serde_json::Value>>,
}

/// What is to be made known.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What lies there.
    pub kind: OutsideKind,
    /// The folder.
    pub folder: PathBuf,
    /// The version of a Delta Lake table; `None` = the newest, each time.
    pub version: Option<u64>,
    /// Types of partition columns of a Parquet folder; those that are not named are texts.
    pub partitions: Vec<(String, PartitionType)>,
    /// The entry in the catalogue.
    pub entry: OutsideEntry,
}

/// The types that a column can have whose values stand in names of folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionType {
    /// Text.
    Text,
    /// Whole number of 64 bits.
    Whole,
    /// Day, as 2026-03-02.
    Date,
    /// true or false.
    Flag,
}

impl PartitionType {
    /// The type of that name: text, whole, date, flag.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "whole" => Self::Whole,
            "date" => Self::Date,
            "flag" => Self::Flag,
            _ => return None,
        })
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Whole => DataType::Int64,
            Self::Date => DataType::Date32,
            Self::Flag => DataType::Boolean,
        }
    }

    fn from_data_type(data_type: &str) -> Self {
        let all = [Self::Whole, Self::Date, Self::Flag];
        all.into_iter().find(|kind| kind.data_type().to_string() == data_type).unwrap_or(Self::Text)
    }
}

/// The same table as it is now.
pub fn again(root: &Path, table: OutsideTable) -> Result<OutsideTable> {
    let known = |name: &String| {
        let column = table.columns.iter().find(|column| column.name == *name);
        column.map(|column| (name.clone(), PartitionType::from_data_type(&column.data_type)))
    };
    let partitions = match table.kind {
        OutsideKind::Parquet => table.partitions.iter().filter_map(known).collect(),
        OutsideKind::Delta => Vec::new(),
    };
    let OutsideTable { kind, folder, version, entry, .. } = table;
    look(root, Wanted { kind, folder: folder.into(), version, partitions, entry })
}

/// Looks at a table and says what the manifest shall know of it. Every file is looked at. Fails when the folder is not
/// allowed, when a file cannot be read or has other columns than the first, and for all that cannot be read rightly.
pub fn look(root: &Path, wanted: Wanted) -> Result<OutsideTable> {
    let folder = place::allowed(root, &wanted.folder)?;
    let Wanted { kind, version, partitions, entry, .. } = wanted;
    let logs = Logs::default();
    let (columns, names) = match kind {
        OutsideKind::Parquet => folder::columns(&folder, &partitions)?,
        OutsideKind::Delta => delta::columns(&folder, version, &logs)?,
    };
    let columns = known(&folder, &columns)?;
    let text = folder.to_str().ok_or_else(|| Error::unreadable(&folder, "a path in UTF-8", "another one"))?.to_owned();
    let table = OutsideTable { kind, folder: text, version, columns, partitions: names, entry };
    for file in files(root, &table, None, &logs)? {
        check_footer(&table, &file)?;
    }
    Ok(table)
}

/// The files of a table now, in the order of their paths; those of `version` where one is asked for.
pub(crate) fn files(root: &Path, table: &OutsideTable, version: Option<u64>, logs: &Logs) -> Result<Vec<OutsideFile>> {
    let folder = place::allowed(root, Path::new(&table.folder))?;
    match table.kind {
        OutsideKind::Parquet => folder::files(&folder, &table.partitions),
        OutsideKind::Delta => logs.read(&folder, version.or(table.version), |log| {
            log.fits(table, version.is_some())?;
            log.files(&folder, &table.partitions)
        }),
    }
}

/// The columns as the manifest has them: all may be null, since nothing holds writers to their word.
fn known(folder: &Path, columns: &Schema) -> Result<Vec<MadeColumn>> {
    let fields = columns.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let known = made_columns(&names::plain(&name), &schema).map_err(|error| match error {
        Error::CannotMake { reason, .. } => Error::unreadable(folder, "columns of plain types", reason),
        other => other,
    })?;
    made_schema(&known)?;
    Ok(known)
}

fn wrong(file: impl Into<PathBuf>, expected: impl Into<String>, found: impl Into<String>) -> Error {
    Error::unreadable(file, expected, found)
}
