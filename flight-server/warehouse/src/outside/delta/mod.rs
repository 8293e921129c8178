//! What goes in: the folder of a Delta Lake table. What comes out: the files and columns of one of its versions.
//!
//! A small and strict reader of the protocol (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>): commits as
//! JSON, checkpoints of the first form in one or several parts, reader versions 1 and 2. What else a table may ask of
//! its readers is refused by its name: deletion vectors, mapped columns and the other features.

mod actions;
mod checkpoint;
mod kept;
mod log;
mod schema;
mod weight;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;

use self::actions::{Action, Add, MetaData};
pub(crate) use self::kept::Logs;
use self::log::Plan;
use super::names::decoded;
use super::{OutsideFile, place, wrong};
use crate::ingest::made_schema;
use crate::store::OutsideTable;
use crate::{Error, Result};

/// More files are better compacted where they lie.
const MOST_FILES: usize = 100_000;

/// A version of a table, as its log has it.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) version: u64,
    log: PathBuf,
    about: MetaData,
    columns: Schema,
    adds: BTreeMap<String, Add>,
}

/// The columns of a version, and which of them are partition columns.
pub(super) fn columns(folder: &Path, version: Option<u64>, logs: &Logs) -> Result<(Schema, Vec<String>)> {
    logs.read(folder, version, |log| Ok((log.columns.clone(), log.about.partition_columns.clone())))
}

fn replay(log: PathBuf, plan: &Plan) -> Result<Replayed> {
    let (mut protocol, mut about) = (None, None);
    let mut adds: BTreeMap<String, Add> = BTreeMap::new();
    let mut take = |action: Action| {
        match action {
            Action::Protocol(found) => protocol = Some(found),
            Action::MetaData(found) => about = Some(found),
            Action::Add(add) => drop(adds.insert(add.path.clone(), add)),
            Action::Remove(path) => drop(adds.remove(&path)),
            Action::Other => {}
        }
        match adds.len() > MOST_FILES {
            true => Err(wrong(&log, format!("at most {MOST_FILES} files"), "more")),
            false => Ok(()),
        }
    };
    for path in &plan.checkpoint {
        checkpoint::read(path, &mut take)?;
    }
    for path in &plan.commits {
        log::read(path, &mut take)?;
    }
    let protocol = protocol.ok_or_else(|| wrong(&log, "an action protocol", "none"))?;
    protocol.check(&log)?;
    let about: MetaData = about.ok_or_else(|| wrong(&log, "an action metaData", "none"))?;
    about.check(&log)?;
    let columns = schema::columns(&log, &about)?;
    Ok(Replayed { version: plan.version, log, about, columns, adds })
}

impl Replayed {
    /// Fails where the columns are no longer those that were made known. An older version may lack some.
    pub(super) fn fits(&self, table: &OutsideTable, older: bool) -> Result<()> {
        let remedy = "register the table again";
        for field in made_schema(&table.columns)?.fields() {
            let expected = || format!("the column {} as {}", field.name(), field.data_type());
            match self.columns.column_with_name(field.name()) {
                None if older => {}
                None => return Err(wrong(&self.log, expected(), format!("none; {remedy}"))),
                Some((_, found)) if found.data_type() == field.data_type() => {}
                Some((_, found)) => {
                    return Err(wrong(&self.log, expected(), format!("{}; {remedy}", found.data_type())));
                }
            }
        }
        if self.about.partition_columns != table.partitions {
            let found = format!("{}; {remedy}", self.about.partition_columns.join(", "));
            return Err(wrong(&self.log, format!("the partition columns {}", table.partitions.join(", ")), found));
        }
        Ok(())
    }

    /// The files of the version, each of which must be there with its size.
    pub(super) fn files(&self, folder: &Path, partitions: &[String]) -> Result<Vec<OutsideFile>> {
        let log = &self.log;
        let file = |add: &Add| -> Result<OutsideFile> {
            let name = decoded(&add.path)
                .ok_or_else(|| wrong(log, "paths with percent signs before two digits", &add.path))?;
            let below = Path::new(&name);
            if add.path.contains("://")
                || below.components().any(|part| !matches!(part, std::path::Component::Normal(_)))
            {
                return Err(wrong(log, "paths below the folder of the table", name));
            }
            let path = folder.join(below);
            if !path.exists() {
                let found = "none; it was removed (VACUUM), or the table was copied in part";
                return Err(wrong(&path, format!("a file of version {}", self.version), found));
            }
            let path = place::inside(folder, &path)?;
            let found = fs::metadata(&path).map_err(Error::io("read", &path))?;
            if found.len() != add.size {
                return Err(wrong(&path, format!("{} bytes, as the log says", add.size), format!("{}", found.len())));
            }
            let value = |name: &String| match add.partition_values.get(name) {
                None => Err(wrong(log, format!("a value of the partition column {name} for {}", add.path), "none")),
                // An empty text is null, by the protocol.
                Some(value) => Ok(value.clone().filter(|value| !value.is_empty())),
            };
            let partitions = partitions.iter().map(value).collect::<Result<_>>()?;
            let modified = found.modified().map_err(Error::io("read", &path))?;
            Ok(OutsideFile { path, bytes: add.size, modified, partitions, statistics: add.statistics.clone() })
        };
        self.adds.values().map(file).collect()
    }
}
