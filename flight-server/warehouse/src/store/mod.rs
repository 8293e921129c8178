//! What goes in: record batches and the files they replace. What comes out: a new version of the
//! tables, durable before it is acknowledged; and old versions for who asks for them.
//!
//! A warehouse is a directory:
//!
//! ```text
//! manifest-7.json             version 7: which files are the tables, and all that was ever done
//! data/customs/fact_item/…    immutable Parquet files
//! tmp/8421-0/                 files of a transaction that is not committed, locked while it lives
//! lock                        held for a moment by who begins or commits
//! ```
//!
//! The manifest with the highest number is the warehouse. It appears by one rename, so that a
//! reader sees the old version or the new one and nothing between.
//!
//! ```
//! use haetae_warehouse::store::Store;
//! # let folder = tempfile::tempdir()?;
//! let store = Store::open(folder.path().join("warehouse"))?;
//! let nothing = store.begin()?;
//! assert_eq!(nothing.base().version, 0);
//! drop(nothing); // not committed: nothing has changed
//! assert_eq!(store.current_version()?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bounds;
mod catalogue;
mod clock;
mod commit;
mod compact;
mod disk;
mod edit;
mod first_format;
mod lock;
mod manifest;
mod merge;
mod new_files;
mod order;
mod outside;
mod parquet_file;
mod pinned;
mod rewrite;
mod transaction;
mod vacuum;
mod whole_file;
mod work_directory;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use bounds::{Bound, Bounds};
pub use clock::{Clock, SystemClock, parse_time, time_text};
pub use commit::Committed;
pub use compact::{Compacted, CompactedTable, Compaction, compact};
pub use disk::{Disk, LocalDisk};
pub use edit::{About, Edit, Edits, NewEdit};
pub use manifest::{Commit, DataFile, Input, Key, Kind, MadeColumn, Manifest, Operation, TableFiles};
pub use outside::{OutsideEntry, OutsideKind, OutsideTable};
pub(crate) use parquet_file::{BATCH_ROWS, BLOOM, read as read_parquet};
pub use pinned::Pinned;
pub use transaction::{NewOperation, Savepoint, Transaction};
pub use vacuum::{Retention, Vacuumed, vacuum};
pub(crate) use whole_file::Filling;

use crate::{Error, Result};
use lock::Lock;

/// A warehouse directory. Cheap to clone; any number of threads and processes may have it open.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    options: StoreOptions,
}

/// What a store works with.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Through which the disk is changed.
    pub disk: Arc<dyn Disk>,
    /// Which says when a version was committed.
    pub clock: Arc<dyn Clock>,
    /// How many versions a commit leaves; 0 leaves all of them, for [`vacuum`] to remove.
    pub keep_versions: u64,
}

impl Default for StoreOptions {
    /// The disk and the clock of this machine; the last sixteen versions.
    fn default() -> Self {
        Self { disk: Arc::new(LocalDisk), clock: Arc::new(SystemClock), keep_versions: 16 }
    }
}

/// One version, as a list of versions shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What made it.
    pub commit: Commit,
    /// Whether it can still be read.
    pub kept: bool,
}

impl Store {
    /// Opens the warehouse in `root`, creating an empty directory where there is none. Fails when
    /// the directory cannot be created or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        Self::open_with(root, StoreOptions::default())
    }

    /// [`open`](Self::open) with another disk, clock or number of kept versions.
    pub fn open_with(root: impl Into<PathBuf>, options: StoreOptions) -> Result<Self> {
        let root = std::path::absolute(root.into()).map_err(Error::io("find", "the warehouse"))?;
        let missing: Vec<&Path> = root.ancestors().take_while(|path| !path.exists()).collect();
        for path in missing.into_iter().rev() {
            match options.disk.create_directory(path) {
                // Another process was faster.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                done => done.map_err(Error::io("create the warehouse", path))?,
            }
            if let Some(parent) = path.parent() {
                options.disk.keep_directory(parent)?;
            }
        }
        let root = root.canonicalize().map_err(Error::io("open the warehouse", &root))?;
        Ok(Self { root, options })
    }

    /// The directory, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The newest version. A warehouse without any load is version 0 with no files.
    pub fn current(&self) -> Result<Arc<Pinned>> {
        // The newest manifest can vanish between listing and reading only when newer ones were
        // written meanwhile, so that trying again ends.
        loop {
            if let Some(found) = self.version(self.current_version()?)? {
                return Ok(found);
            }
        }
    }

    /// The number of the newest version, without reading it.
    pub fn current_version(&self) -> Result<u64> {
        Ok(manifest::versions(&self.root)?.pop().unwrap_or(0))
    }

    /// The version of that number, or `None` when it does not exist or is no longer kept. As long
    /// as the result lives, nobody removes the files that it mentions.
    pub fn version(&self, version: u64) -> Result<Option<Arc<Pinned>>> {
        Ok(Pinned::open(&self.root, version)?.map(Arc::new))
    }

    /// The number of the version that was the newest at a time, 0 when there was none yet. It may
    /// be one that is no longer kept.
    pub fn version_at(&self, time_ms: i64) -> Result<u64> {
        let current = self.current()?;
        let before = current.commits.iter().rev().find(|commit| commit.time_ms <= time_ms);
        Ok(before.map_or(0, |commit| commit.version))
    }

    /// All versions, the oldest first.
    pub fn versions(&self) -> Result<Vec<Version>> {
        let current = self.current()?;
        let kept = manifest::versions(&self.root)?;
        let version = |commit: &Commit| Version { commit: commit.clone(), kept: kept.contains(&commit.version) };
        Ok(current.commits.iter().map(version).collect())
    }

    /// Begins a transaction on the newest version.
    pub fn begin(&self) -> Result<Transaction> {
        Transaction::begin(self)
    }

    fn disk(&self) -> &dyn Disk {
        &*self.options.disk
    }

    /// The lock of who begins or publishes.
    fn lock(&self) -> Result<Lock> {
        Lock::wait(&self.root.join("lock"))
    }
}
