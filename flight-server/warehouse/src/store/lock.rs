//! What goes in: a file or directory of the store. What comes out: a lock on it that ends with the
//! process, even when that is killed.
//!
//! Three things are locked: `lock` by who begins or publishes, for a moment; the directory of a
//! transaction by its owner, so that others know that it lives; a manifest by its readers, together,
//! so that nobody removes what they read.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{Error, Result};

/// A held lock.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file alone does not unlock: a child process that another thread is just starting
    /// has the open file too, until it executes its program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Waits for the lock on `path`, which is created where it does not exist.
    pub(super) fn wait(path: &Path) -> Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(Error::io("open the lock", path))?;
        file.lock().map_err(Error::io("lock", path))?;
        Ok(Self(file))
    }

    /// The lock on a file or directory, unless somebody else has it or it is gone.
    pub(super) fn attempt(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("open", path)(error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }

    /// A share of the lock on an open file, `None` when the file has been removed meanwhile. Who
    /// removes a file holds its whole lock only while doing so.
    pub(super) fn share(file: File, path: &Path) -> Result<Option<Self>> {
        file.lock_shared().map_err(Error::io("lock", path))?;
        let lock = Self(file);
        let links = lock.0.metadata().map_err(Error::io("look at", path))?.nlink();
        Ok((links > 0).then_some(lock))
    }

    /// The locked file.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}
