//! What goes in: a warehouse. What comes out: a directory for the files of one transaction, which goes with it.

use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{Store, vacuum};
use crate::Result;

/// The directory below `tmp/` that a living transaction holds locked. Whoever finds one that is not
/// locked knows that its owner was interrupted.
#[derive(Debug)]
pub(super) struct WorkDirectory {
    store: Store,
    pub(super) path: PathBuf,
    /// Set when an interrupted commit may have left files elsewhere, so that the next one sweeps.
    pub(super) leave: bool,
    _lock: Option<Lock>,
}

impl WorkDirectory {
    /// Only the holder of the store's lock may call it.
    pub(super) fn create(store: &Store) -> Result<Self> {
        store.disk().make_directories(store.root(), Path::new("tmp"))?;
        let tmp = store.root().join("tmp");
        let process = std::process::id();
        let mut free = (0..).map(|n: u32| tmp.join(format!("{process}-{n}"))).filter(|path| !path.exists());
        let path = free.next().unwrap_or_else(|| tmp.join("last"));
        store.disk().make_directory(&path)?;
        let lock = Lock::attempt(&path)?;
        // Its name on the disk is what tells of a commit that a power cut interrupted.
        store.disk().keep_directory(&tmp)?;
        Ok(Self { store: store.clone(), path, leave: false, _lock: lock })
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        if !self.leave {
            // What cannot be removed now is found and removed by the next transaction.
            let _ = vacuum::remove_work(&self.store, &self.path);
        }
    }
}
