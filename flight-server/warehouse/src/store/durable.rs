//! What goes in: a file that is written, a name for it. What comes out: the file under that name,
//! on the disk rather than in a cache.

use std::fs::File;
use std::path::Path;

use crate::{Error, Result};

/// The points of a commit at which the state on the disk has changed. A test may end the process
/// at each of them; see [`Writer::on_step`](super::Writer::on_step).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A data file is complete below `tmp/`.
    DataWritten,
    /// It is on the disk.
    DataSynced,
    /// It has its final name.
    DataRenamed,
    /// Its name is on the disk.
    DataDirectorySynced,
    /// The manifest is complete below `tmp/`.
    ManifestWritten,
    /// It is on the disk.
    ManifestSynced,
    /// It has its final name: readers see the new version from here on.
    ManifestRenamed,
    /// Its name is on the disk: the load may be acknowledged.
    Committed,
}

/// Puts the content of a file on the disk.
pub(super) fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io("write to the disk", path))
}

/// Puts the names in a directory on the disk.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(Error::io("write to the disk the directory", path))
}

/// Creates `root/relative` with all its parents below `root`. Afterwards their names are on the disk,
/// also those of directories that an interrupted commit created and did not come to sync.
pub(super) fn create_directories(root: &Path, relative: &Path) -> Result<()> {
    let mut path = root.to_path_buf();
    for part in relative.components() {
        let parent = path.clone();
        path.push(part);
        if !path.is_dir() {
            std::fs::create_dir(&path).map_err(Error::io("create", &path))?;
        }
        sync_directory(&parent)?;
    }
    Ok(())
}
