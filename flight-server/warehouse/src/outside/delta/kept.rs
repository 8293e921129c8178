//! What goes in: the folder of a Delta Lake table. What comes out: what is asked of one of its versions. A log that was
//! replayed is not replayed again until one of its files changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::log::Source;
use super::{Replayed, log, replay};
use crate::Result;
use crate::outside::place;

/// How many versions are kept, as long as they take no more than [`BYTES`] together.
const VERSIONS: usize = 64;
const BYTES: usize = 256 << 20;

/// Logs that were replayed and were of use.
#[derive(Debug)]
pub(crate) struct Logs {
    /// Those that were asked for last are at the end.
    kept: Mutex<Vec<Kept>>,
    bytes: usize,
}

impl Default for Logs {
    fn default() -> Self {
        Self { kept: Mutex::default(), bytes: BYTES }
    }
}

#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    /// The version that was asked for; `None` is the newest.
    asked: Option<u64>,
    /// All that was read, as it was.
    sources: Vec<Source>,
    /// About how many bytes all of it takes.
    weight: usize,
    log: Arc<Replayed>,
}

impl Logs {
    /// What `take` makes of the version of that number, or of the newest, as it is now.
    pub(in crate::outside) fn read<T>(
        &self,
        folder: &Path,
        asked: Option<u64>,
        take: impl FnOnce(&Arc<Replayed>) -> Result<T>,
    ) -> Result<T> {
        let path = place::inside(folder, &folder.join("_delta_log"))?;
        let plan = log::plan(&path, asked)?;
        // Before they are read: what is written meanwhile is another state for the next who asks.
        let now = SystemTime::now();
        let sources = plan.sources(folder, &path)?;
        if let Some(log) = self.find(folder, asked, &sources) {
            return take(&log);
        }
        let log = Arc::new(replay(path, &plan)?);
        let taken = take(&log)?;
        if sources.iter().all(|source| source.is_settled(now)) {
            let weight = log.weight() + sources.iter().map(Source::weight).sum::<usize>();
            self.keep(Kept { folder: folder.to_owned(), asked, sources, weight, log });
        }
        Ok(taken)
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
        // It would drive out all others, and itself.
        if fresh.weight > self.bytes {
            return;
        }
        all.push(fresh);
        while all.len() > VERSIONS || all.iter().map(|kept| kept.weight).sum::<usize>() > self.bytes {
            all.remove(0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        // The list is whole after each change, so that a panic elsewhere does not spoil it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::time::Duration;

    use super::*;

    const START: &str = concat!(
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
        "\n",
        r#"{"metaData":{"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"}}"#,
    );

    fn at(path: &Path, time: SystemTime) {
        File::open(path).unwrap().set_modified(time).unwrap();
    }

    /// A commit that was written long ago.
    fn commit(folder: &Path, version: u64, text: &str) -> PathBuf {
        let log = folder.join("_delta_log");
        fs::create_dir_all(&log).unwrap();
        let path = log.join(format!("{version:020}.json"));
        fs::write(&path, text).unwrap();
        at(&path, SystemTime::UNIX_EPOCH + Duration::from_secs(1000));
        path
    }

    impl Logs {
        fn replay(&self, folder: &Path, asked: Option<u64>) -> Arc<Replayed> {
            self.read(folder, asked, |log| Ok(Arc::clone(log))).unwrap()
        }
    }

    #[test]
    fn a_log_is_replayed_once_until_one_of_its_files_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().canonicalize().unwrap();
        let first = commit(folder, 0, START);
        let logs = Logs::default();
        let newest = || logs.replay(folder, None);
        let (start, again) = (newest(), newest());
        assert!(Arc::ptr_eq(&start, &again));
        commit(folder, 1, r#"{"add":{"path":"a.parquet","size":1}}"#);
        let next = newest();
        assert_eq!((next.version, next.adds.len()), (1, 1));
        assert!(Arc::ptr_eq(&next, &newest()));
        // An older version is kept beside the newest, which it does not replace.
        let old = logs.replay(folder, Some(0));
        assert_eq!((old.version, old.adds.len()), (0, 0));
        assert!(Arc::ptr_eq(&old, &logs.replay(folder, Some(0))));
        assert!(Arc::ptr_eq(&next, &newest()));
        // Not the last file alone.
        at(&first, SystemTime::UNIX_EPOCH);
        assert!(!Arc::ptr_eq(&next, &newest()));
    }

    #[test]
    fn a_log_that_may_be_written_again_in_the_same_moment_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().canonicalize().unwrap();
        let first = commit(folder, 0, START);
        let second = commit(folder, 1, r#"{"add":{"path":"a.parquet","size":1}}"#);
        let logs = Logs::default();
        let newest = || logs.replay(folder, None);
        assert!(Arc::ptr_eq(&newest(), &newest()));
        // Of the time of a file that is to come nobody knows.
        at(&first, SystemTime::now() + Duration::from_secs(3600));
        assert!(!Arc::ptr_eq(&newest(), &newest()));
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(2000);
        at(&second, time);
        let path = folder.join("_delta_log");
        let sources = log::plan(&path, None).unwrap().sources(folder, &path).unwrap();
        let settled = |after: u64| sources[1].is_settled(time + Duration::from_secs(after));
        assert!(!settled(0) && !settled(3) && settled(4));
        assert!(!sources[1].is_settled(time - Duration::from_secs(1)));
    }

    #[test]
    fn a_log_that_was_of_no_use_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().canonicalize().unwrap();
        commit(folder, 0, START);
        let logs = Logs::default();
        let refused = logs.read::<()>(folder, None, |_| Err(crate::outside::wrong("a file", "it", "none")));
        assert!(refused.is_err() && logs.lock().is_empty());
        logs.replay(folder, None);
        assert_eq!(logs.lock().len(), 1);
    }

    #[test]
    fn logs_are_kept_up_to_a_number_of_bytes() {
        let lake = tempfile::tempdir().unwrap();
        let lake = lake.path().canonicalize().unwrap();
        let table = |name: &str, bytes: usize| {
            let add = format!(
                r#"{{"add":{{"path":"a.parquet","size":1,"stats":"{{\"maxValues\":{{\"id\":\"{}\"}}}}"}}}}"#,
                "a".repeat(bytes)
            );
            commit(&lake.join(name), 0, &format!("{START}\n{add}"));
            lake.join(name)
        };
        let logs = Logs { bytes: 250_000, ..Logs::default() };
        let kept = || logs.lock().iter().map(|kept| kept.folder.clone()).collect::<Vec<_>>();
        let [a, b, c] = ["a", "b", "c"].map(|name| table(name, 100_000));
        logs.replay(&a, None);
        logs.replay(&b, None);
        assert_eq!(kept(), [a.clone(), b.clone()]);
        let weight = logs.lock()[0].weight;
        assert!((100_000..125_000).contains(&weight), "{weight}");
        // One that is too large itself drives out no other.
        logs.replay(&table("large", 300_000), None);
        assert_eq!(kept(), [a, b.clone()]);
        logs.replay(&c, None);
        assert_eq!(kept(), [b, c]);
    }

    #[test]
    fn the_logs_that_were_asked_for_last_are_kept() {
        let lake = tempfile::tempdir().unwrap();
        let lake = lake.path().canonicalize().unwrap();
        let folders: Vec<PathBuf> = (0..=VERSIONS).map(|number| lake.join(number.to_string())).collect();
        folders.iter().for_each(|folder| drop(commit(folder, 0, START)));
        let logs = Logs::default();
        let first: Vec<_> = folders.iter().take(VERSIONS).map(|folder| logs.replay(folder, None)).collect();
        let same = |number: usize| Arc::ptr_eq(&first[number], &logs.replay(&folders[number], None));
        assert!(same(0));
        logs.replay(&folders[VERSIONS], None);
        assert!(same(0) && same(2) && !same(1));
    }
}
