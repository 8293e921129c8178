//! What goes in: a warehouse, how many old versions to keep. What comes out: the same warehouse
//! without the others, and without files that no version mentions.
//!
//! Manifests go first, and their going is on the disk before the first data file goes: a version that
//! can be seen has all its files, after a power cut too.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::manifest::{self, Commit};
use super::work_directory::WorkDirectory;
use super::{Pinned, Store};
use crate::{Error, Result};

/// Which versions stay. The newest does, whatever is asked for, and so does one that is being read.
/// With both limits a version goes when both let it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many versions stay, the newest among them.
    pub versions: Option<u64>,
    /// Every version stays that was the newest at this time (milliseconds since 1970) or later.
    pub before_ms: Option<i64>,
}

/// What [`vacuum`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The versions that can no longer be read.
    pub versions: Vec<u64>,
    /// Versions that would have gone, but are being read.
    pub in_use: Vec<u64>,
    /// Data files removed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Removes old versions, and data files that no version mentions. Readers and writers go on; who
/// reads an old version keeps it. Interrupted, it leaves a warehouse of which every version that is
/// left is whole.
pub fn vacuum(store: &Store, retention: &Retention) -> Result<Vacuumed> {
    let _lock = store.lock()?;
    sweep_interrupted(store)?;
    // Tells the next one of a vacuum that was interrupted.
    let mut work = WorkDirectory::create(store)?;
    work.leave = true;
    let commits = store.current()?.commits.clone();
    let (versions, in_use) = forget(store, retention, &commits)?;
    let (files, bytes) = remove_unmentioned(store)?;
    work.leave = false;
    Ok(Vacuumed { versions, in_use, files, bytes })
}

/// After a commit: leaves the newest `versions` versions. Only the holder of the store's lock may
/// call it.
pub(super) fn keep_newest(store: &Store, versions: u64, commits: &[Commit]) -> Result<()> {
    let retention = Retention { versions: Some(versions), before_ms: None };
    if !forget(store, &retention, commits)?.0.is_empty() {
        remove_unmentioned(store)?;
    }
    Ok(())
}

/// Removes manifests; returns their versions, and those that are being read.
fn forget(store: &Store, retention: &Retention, commits: &[Commit]) -> Result<(Vec<u64>, Vec<u64>)> {
    let (mut gone, mut in_use) = (Vec::new(), Vec::new());
    let kept = manifest::versions(store.root())?;
    let Some((_, older)) = kept.split_last() else { return Ok((gone, in_use)) };
    let no_limit = retention.versions.is_none() && retention.before_ms.is_none();
    for (position, version) in older.iter().enumerate() {
        let newer = (older.len() - position) as u64;
        let recent = retention.versions.is_some_and(|keep| newer < keep);
        let ended = commits.iter().find(|commit| commit.version == version + 1).map_or(0, |commit| commit.time_ms);
        let young = retention.before_ms.is_some_and(|time| ended > time);
        if no_limit || recent || young {
            continue;
        }
        let path = store.root().join(manifest::file_name(*version));
        match Lock::attempt(&path)? {
            Some(_whole) => {
                store.disk().take_away(&path)?;
                gone.push(*version);
            }
            None => in_use.push(*version),
        }
    }
    if !gone.is_empty() {
        store.disk().keep_directory(store.root())?;
    }
    Ok((gone, in_use))
}

/// Cleans up after transactions whose process has ended. Only the holder of the store's lock may
/// call it.
pub(super) fn sweep_interrupted(store: &Store) -> Result<()> {
    let tmp = store.root().join("tmp");
    let mut ended = Vec::new();
    for path in list(&tmp)? {
        if path.is_file() {
            store.disk().take_away(&path)?;
        } else if let Some(lock) = Lock::attempt(&path)? {
            // A transaction that ends takes its directory away without the store's lock.
            if path.is_dir() {
                ended.push((path, lock));
            }
        }
    }
    if ended.is_empty() {
        return Ok(());
    }
    // The manifest that an interrupted vacuum removed must not come back after its files are gone.
    store.disk().keep_directory(store.root())?;
    remove_unmentioned(store)?;
    // Last: until then they say that there is something to clean up.
    for (path, _lock) in ended {
        remove_work(store, &path)?;
    }
    Ok(())
}

/// Removes the directory of a transaction and what is in it.
pub(super) fn remove_work(store: &Store, path: &Path) -> Result<()> {
    for file in list(path)? {
        store.disk().take_away(&file)?;
    }
    store.disk().remove_directory(path).map_err(Error::io("remove the directory", path))
}

/// Removes the data files that no version mentions; returns how many, and their bytes.
fn remove_unmentioned(store: &Store) -> Result<(u64, u64)> {
    let root = store.root();
    let mut mentioned = HashSet::new();
    for version in manifest::versions(root)? {
        if let Some(manifest) = Pinned::open(root, version)? {
            mentioned.extend(manifest.all_files().map(|file| root.join(&file.path)));
        }
    }
    let (mut files, mut bytes) = (0, 0);
    let mut directories = vec![root.join("data")];
    while let Some(directory) = directories.pop() {
        for path in list(&directory)? {
            if path.is_dir() {
                directories.push(path);
            } else if !mentioned.contains(&path) {
                bytes += std::fs::metadata(&path).map_or(0, |file| file.len());
                store.disk().take_away(&path)?;
                files += 1;
            }
        }
    }
    Ok((files, bytes))
}

/// What is in a directory, sorted; nothing where it does not exist.
fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = || Error::io("list", directory);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed()(error)),
    };
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed())?;
    paths.sort();
    Ok(paths)
}
