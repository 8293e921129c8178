//! What goes in: the batches of one load. What comes out: a committed version, or nothing at all.
//!
//! The order of the commit is the whole point: data files are written, put on the disk, renamed,
//! and their names put on the disk, before the manifest that mentions them goes the same way.

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use super::durable::{create_directories, sync_directory, sync_file};
use super::{DataFile, Input, Load, Manifest, Step, Store, manifest, parquet_file};
use crate::{Error, Result};

/// How many versions stay readable.
const VERSIONS_KEPT: u64 = 16;

/// The one writer of a warehouse. Dropped without [`commit`](Self::commit), it changes nothing that
/// a reader sees.
pub struct Writer {
    store: Store,
    base: Manifest,
    pending: Vec<Pending>,
    on_step: Box<dyn FnMut(Step) + Send>,
    // Held, never read.
    _lock: Lock,
}

/// The lock on the warehouse. It ends with the process, even when that is killed.
struct Lock(File);

impl Drop for Lock {
    /// Closing the file alone does not unlock: a child process that another thread is just starting
    /// has the open file too, until it executes its program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

struct Pending {
    schema: String,
    table: String,
    temporary: PathBuf,
    rows: u64,
    bytes: u64,
}

/// What a commit records about its load.
#[derive(Debug, Clone)]
pub struct NewLoad {
    /// Schema that was loaded into.
    pub schema: String,
    /// Table that was loaded into.
    pub table: String,
    /// `table` or `kcs`.
    pub format: String,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("root", &self.store.root()).field("base", &self.base.version).finish()
    }
}

impl Writer {
    /// Takes the lock of the warehouse and sweeps what an interrupted load left behind. Fails with
    /// [`Error::Locked`] when another process is writing.
    pub fn open(store: &Store) -> Result<Self> {
        let path = store.root().join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io("open the lock", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { root: store.root().to_path_buf() }),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        }
        let base = store.current()?;
        sweep(store, &base)?;
        create_directories(store.root(), Path::new("tmp"))?;
        Ok(Self { store: store.clone(), base, pending: Vec::new(), on_step: Box::new(|_| {}), _lock: Lock(lock) })
    }

    /// Calls `observer` after each point at which the disk has changed. For tests of crash safety:
    /// an observer may end the process.
    pub fn on_step(mut self, observer: impl FnMut(Step) + Send + 'static) -> Self {
        self.on_step = Box::new(observer);
        self
    }

    /// The version that this load builds on.
    pub fn base(&self) -> &Manifest {
        &self.base
    }

    /// The warehouse that is written.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The number that this load will have.
    pub fn load_id(&self) -> u64 {
        self.base.next_load
    }

    /// Adds one file with the rows of `batches`, sorted by `sort`, to a table. Nothing is visible
    /// before the commit. No rows, no file.
    pub fn add(&mut self, schema: &str, table: &str, batches: &[RecordBatch], sort: &[&str]) -> Result<()> {
        if batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(());
        }
        let temporary = self.store.root().join("tmp").join(format!("data-{}.parquet", self.pending.len()));
        let (rows, bytes) = parquet_file::write(&temporary, batches, sort)?;
        (self.on_step)(Step::DataWritten);
        self.pending.push(Pending { schema: schema.to_owned(), table: table.to_owned(), temporary, rows, bytes });
        Ok(())
    }

    /// Publishes all added files and the load as one new version. After it returns, the load
    /// survives a kill and a power cut.
    pub fn commit(mut self, load: NewLoad) -> Result<Manifest> {
        let root = self.store.root().to_path_buf();
        let mut next = self.base.clone();
        let id = next.next_load;
        next.version += 1;
        next.next_load += 1;
        let NewLoad { schema, table, format, inputs, accepted, rejected } = load;
        next.loads.push(Load { id, schema, table, format, inputs, accepted, rejected });

        let mut directories = Vec::new();
        for (number, file) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            sync_file(&file.temporary)?;
            (self.on_step)(Step::DataSynced);
            let directory = format!("data/{}/{}", file.schema, file.table);
            create_directories(&root, Path::new(&directory))?;
            let path = format!("{directory}/{id:08}-{number:03}.parquet");
            rename(&file.temporary, &root.join(&path))?;
            (self.on_step)(Step::DataRenamed);
            if !directories.contains(&directory) {
                directories.push(directory);
            }
            let files = next.tables.entry(file.schema).or_default().entry(file.table).or_default();
            files.push(DataFile { path, rows: file.rows, bytes: file.bytes });
        }
        for directory in directories {
            sync_directory(&root.join(directory))?;
            (self.on_step)(Step::DataDirectorySynced);
        }
        self.publish(&next)?;
        forget_old_versions(&root, next.version);
        Ok(next)
    }

    fn publish(&mut self, next: &Manifest) -> Result<()> {
        let root = self.store.root().to_path_buf();
        let name = manifest::file_name(next.version);
        let temporary = root.join("tmp").join(&name);
        let mut text = serde_json::to_string_pretty(next).map_err(Error::data("write the manifest"))?;
        text.push('\n');
        std::fs::write(&temporary, text).map_err(Error::io("write", &temporary))?;
        (self.on_step)(Step::ManifestWritten);
        sync_file(&temporary)?;
        (self.on_step)(Step::ManifestSynced);
        rename(&temporary, &root.join(name))?;
        (self.on_step)(Step::ManifestRenamed);
        sync_directory(&root)?;
        (self.on_step)(Step::Committed);
        Ok(())
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(Error::io("rename a finished file to", to))
}

/// Removes what no version mentions. Only the holder of the lock may call it; files are only ever
/// added, so the newest version mentions everything that an older one does.
fn sweep(store: &Store, current: &Manifest) -> Result<()> {
    let root = store.root();
    remove_all(&root.join("tmp"), &|_| false)?;
    let mentioned: std::collections::HashSet<PathBuf> = current
        .tables
        .values()
        .flat_map(|tables| tables.values())
        .flatten()
        .map(|file| root.join(&file.path))
        .collect();
    remove_all(&root.join("data"), &|path| mentioned.contains(path))
}

/// Removes the files below `directory`, however deep, that `keep` does not want.
fn remove_all(directory: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(directory).map_err(Error::io("list", directory))? {
        let path = entry.map_err(Error::io("list", directory))?.path();
        if path.is_dir() {
            remove_all(&path, keep)?;
        } else if !keep(&path) {
            std::fs::remove_file(&path).map_err(Error::io("remove the leftover", &path))?;
        }
    }
    Ok(())
}

/// Old manifests only take up room; a failure to remove one is no failure of the commit.
fn forget_old_versions(root: &Path, newest: u64) {
    for version in manifest::versions(root).unwrap_or_default() {
        if version + VERSIONS_KEPT <= newest {
            let _ = std::fs::remove_file(root.join(manifest::file_name(version)));
        }
    }
}
