//! Disks that watch, refuse and die.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use haetae_warehouse::store::{Clock, Disk, LocalDisk, Store, StoreOptions};

/// One change of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    MakeDirectory(PathBuf),
    Create(PathBuf),
    Write(PathBuf, Vec<u8>),
    SyncFile(PathBuf),
    SyncDirectory(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// What is to happen before an operation is carried out.
pub type Watch = Arc<dyn Fn(&Op) -> io::Result<()> + Send + Sync>;

/// The disk of this machine, with somebody who sees each operation first and may refuse it. What is
/// synced is not synced in truth: that costs time and is simulated anyway.
#[derive(Clone)]
pub struct Watched(pub Watch);

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

struct File {
    path: PathBuf,
    file: Box<dyn Write + Send>,
    watch: Watch,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = (self.watch)(&Op::Write(self.path.clone(), bytes.to_vec())) {
            // Half of it got there.
            self.file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Disk for Watched {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        (self.0)(&Op::MakeDirectory(path.into()))?;
        LocalDisk.create_directory(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn Write + Send>> {
        (self.0)(&Op::Create(path.into()))?;
        let file = LocalDisk.create_file(path)?;
        Ok(Box::new(File { path: path.into(), file, watch: Arc::clone(&self.0) }))
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        (self.0)(&Op::SyncFile(path.into()))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        (self.0)(&Op::SyncDirectory(path.into()))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        (self.0)(&Op::Rename(from.into(), to.into()))?;
        LocalDisk.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        (self.0)(&Op::Remove(path.into()))?;
        LocalDisk.remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        (self.0)(&Op::Remove(path.into()))?;
        LocalDisk.remove_directory(path)
    }
}

/// A clock that goes on by a second each time it is asked.
#[derive(Debug, Default)]
pub struct Ticks(Mutex<i64>);

impl Clock for Ticks {
    fn now_ms(&self) -> i64 {
        let mut now = self.0.lock().unwrap();
        *now += 1000;
        *now
    }
}

pub fn open(root: &Path, watch: Watch) -> Store {
    let options = StoreOptions { disk: Arc::new(Watched(watch)), clock: Arc::new(Ticks::default()), keep_versions: 0 };
    Store::open_with(root, options).unwrap()
}

/// A store of which nobody sees the operations.
pub fn quiet(root: &Path) -> Store {
    open(root, Arc::new(|_| Ok(())))
}

/// A store that notes its operations, and the notes.
pub fn recorded(root: &Path) -> (Store, Arc<Mutex<Vec<Op>>>) {
    recorded_but(root, usize::MAX, ErrorKind::Other)
}

/// The same, but operation `fails` (counted from 0) is refused.
pub fn recorded_but(root: &Path, fails: usize, kind: ErrorKind) -> (Store, Arc<Mutex<Vec<Op>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let (seen, count) = (Arc::clone(&notes), Mutex::new(0));
    let watch = move |op: &Op| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count - 1 == fails {
            return Err(io::Error::from(kind));
        }
        seen.lock().unwrap().push(op.clone());
        Ok(())
    };
    (open(root, Arc::new(watch)), notes)
}

/// A folder for a trial: in memory where that is possible, for there are thousands.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Copies a directory.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
