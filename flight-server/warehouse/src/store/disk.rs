//! What goes in: the changes that a store makes to files and directories. What comes out: the same
//! changes on a disk. It is a trait so that tests can watch, refuse or lose each of them.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::{Error, Result};

/// Everything by which a store changes a disk. Reading needs no trait: readers only ever see what
/// was published.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates a directory whose parent exists.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that does not exist yet, and opens it for writing.
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn Write + Send>>;
    /// Puts the content of a file on the disk.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Puts the names in a directory on the disk.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of any file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(File::create_new(path)?))
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }
}

/// The changes of a [`Disk`], with errors that name what was tried and on which path.
impl dyn Disk + '_ {
    pub(super) fn make_file(&self, path: &Path) -> Result<Box<dyn Write + Send>> {
        self.create_file(path).map_err(Error::io("create", path))
    }

    pub(super) fn make_directory(&self, path: &Path) -> Result<()> {
        self.create_directory(path).map_err(Error::io("create the directory", path))
    }

    pub(super) fn keep_file(&self, path: &Path) -> Result<()> {
        self.sync_file(path).map_err(Error::io("write to the disk", path))
    }

    pub(super) fn keep_directory(&self, path: &Path) -> Result<()> {
        self.sync_directory(path).map_err(Error::io("write to the disk the directory", path))
    }

    pub(super) fn name(&self, from: &Path, to: &Path) -> Result<()> {
        self.rename(from, to).map_err(Error::io("rename a finished file to", to))
    }

    pub(super) fn take_away(&self, path: &Path) -> Result<()> {
        self.remove_file(path).map_err(Error::io("remove", path))
    }

    /// Creates `root/relative` with all its parents below `root`. Afterwards their names are on the
    /// disk, also those of directories that an interrupted commit created and did not come to sync.
    pub(super) fn make_directories(&self, root: &Path, relative: &Path) -> Result<()> {
        let mut path = root.to_path_buf();
        for part in relative.components() {
            let parent = path.clone();
            path.push(part);
            if !path.is_dir() {
                self.make_directory(&path)?;
            }
            self.keep_directory(&parent)?;
        }
        Ok(())
    }
}
