//! What goes in: the folder of a Delta Lake table. What comes out: one of its versions. A log that was replayed is not
//! replayed again until one of its files changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::log::Source;
use super::{MOST_FILES, Replayed, log, replay};
use crate::Result;
use crate::outside::place;

/// How many versions are kept, as long as they have no more than [`MOST_FILES`] files together.
const VERSIONS: usize = 64;

/// Logs that were replayed, those that were asked for last at the end.
#[derive(Debug, Default)]
pub(crate) struct Logs(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    /// The version that was asked for; `None` is the newest.
    asked: Option<u64>,
    /// All that was read, as it was.
    sources: Vec<Source>,
    log: Arc<Replayed>,
}

impl Logs {
    /// The version of that number, or the newest, as it is now.
    pub(in crate::outside) fn replay(&self, folder: &Path, asked: Option<u64>) -> Result<Arc<Replayed>> {
        let path = place::inside(folder, &folder.join("_delta_log"))?;
        let plan = log::plan(&path, asked)?;
        // Before they are read: what is written meanwhile is another state for the next who asks.
        let sources = plan.sources(folder, &path)?;
        if let Some(log) = self.find(folder, asked, &sources) {
            return Ok(log);
        }
        let log = Arc::new(replay(path, &plan)?);
        self.keep(Kept { folder: folder.to_owned(), asked, sources, log: Arc::clone(&log) });
        Ok(log)
    }

    fn find(&self, folder: &Path, asked: Option<u64>, sources: &[Source]) -> Option<Arc<Replayed>> {
        let mut all = self.lock();
        let place = all.iter().position(|kept| kept.is(folder, asked) && kept.sources == sources)?;
        let kept = all.remove(place);
        let log = Arc::clone(&kept.log);
        all.push(kept);
        Some(log)
    }

    fn keep(&self, fresh: Kept) {
        let mut all = self.lock();
        all.retain(|kept| !kept.is(&fresh.folder, fresh.asked));
        all.push(fresh);
        while all.len() > VERSIONS || all.iter().map(|kept| kept.log.adds.len()).sum::<usize>() > MOST_FILES {
            all.remove(0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is(&self, folder: &Path, asked: Option<u64>) -> bool {
        self.folder == folder && self.asked == asked
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    const START: &str = concat!(
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
        "\n",
        r#"{"metaData":{"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"}}"#,
    );

    fn commit(folder: &Path, version: u64, text: &str) -> PathBuf {
        let log = folder.join("_delta_log");
        fs::create_dir_all(&log).unwrap();
        let path = log.join(format!("{version:020}.json"));
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_log_is_replayed_once_until_one_of_its_files_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().canonicalize().unwrap();
        let first = commit(folder, 0, START);
        let logs = Logs::default();
        let newest = || logs.replay(folder, None).unwrap();
        let (start, again) = (newest(), newest());
        assert!(Arc::ptr_eq(&start, &again));
        commit(folder, 1, r#"{"add":{"path":"a.parquet","size":1}}"#);
        let next = newest();
        assert_eq!((next.version, next.adds.len()), (1, 1));
        assert!(Arc::ptr_eq(&next, &newest()));
        // An older version is kept beside the newest, which it does not replace.
        let old = logs.replay(folder, Some(0)).unwrap();
        assert_eq!((old.version, old.adds.len()), (0, 0));
        assert!(Arc::ptr_eq(&old, &logs.replay(folder, Some(0)).unwrap()));
        assert!(Arc::ptr_eq(&next, &newest()));
        // Not the last file alone.
        File::open(&first).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        assert!(!Arc::ptr_eq(&next, &newest()));
    }

    #[test]
    fn the_logs_that_were_asked_for_last_are_kept() {
        let lake = tempfile::tempdir().unwrap();
        let lake = lake.path().canonicalize().unwrap();
        let folders: Vec<PathBuf> = (0..=VERSIONS).map(|number| lake.join(number.to_string())).collect();
        folders.iter().for_each(|folder| drop(commit(folder, 0, START)));
        let logs = Logs::default();
        let first: Vec<_> = folders.iter().take(VERSIONS).map(|folder| logs.replay(folder, None).unwrap()).collect();
        let same = |number: usize| Arc::ptr_eq(&first[number], &logs.replay(&folders[number], None).unwrap());
        assert!(same(0));
        logs.replay(&folders[VERSIONS], None).unwrap();
        assert!(same(0) && same(2) && !same(1));
    }
}
