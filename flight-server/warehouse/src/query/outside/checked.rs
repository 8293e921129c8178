//! What goes in: files of tables outside of the warehouse. What comes out: whether each is whole and has the columns of
//! its table, and what their logs say; a file that was looked at is not looked at again until it changes.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::Result;
use crate::outside::{Logs, OutsideFile, check_footer};
use crate::store::{MadeColumn, OutsideTable};

/// How many are remembered; beyond that all are looked at again.
const FILES: usize = 100_000;

type Key = (PathBuf, u64, SystemTime, Vec<(String, String)>);

/// What was found right.
#[derive(Debug, Default)]
pub(in crate::query) struct Checked {
    files: Mutex<HashSet<Key>>,
    pub(super) logs: Logs,
}

impl Checked {
    /// Fails with the first file that is not right.
    pub(super) fn all(&self, table: &OutsideTable, files: &[OutsideFile]) -> Result<()> {
        let columns = table.columns.iter().map(|MadeColumn { name, data_type, .. }| (name.clone(), data_type.clone()));
        let columns: Vec<(String, String)> = columns.collect();
        for file in files {
            let key = (file.path.clone(), file.bytes, file.modified, columns.clone());
            if self.files.lock().unwrap_or_else(PoisonError::into_inner).contains(&key) {
                continue;
            }
            check_footer(table, file)?;
            let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= FILES {
                known.clear();
            }
            known.insert(key);
        }
        Ok(())
    }
}
