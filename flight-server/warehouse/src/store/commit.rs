//! What goes in: a draft. What comes out: a version that survives a power cut, or nothing at all.
//!
//! The order is the whole point: data files are written, put on the disk, renamed, and their names
//! put on the disk, before the manifest that mentions them goes the same way. Why it is so:
//! `docs/decisions/0008-commit-protocol.md`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;
use std::path::Path;

use super::disk::Disk;
use super::manifest::{self, Commit, DataFile, Key, Manifest, Operation};
use super::transaction::Transaction;
use super::{Pinned, Store, vacuum};
use crate::{Error, Result};

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is on the disk.
    Now {
        /// The version that it made.
        version: u64,
        /// The number of its first operation.
        first_id: u64,
    },
    /// A commit with the same idempotency key and the same content had been made before, and
    /// nothing was changed.
    Before {
        /// The version that that one made.
        version: u64,
    },
}

impl Transaction {
    /// Publishes the draft as one new version. After it returns, the version survives a kill and a
    /// power cut.
    ///
    /// Other commits since [`begin`](Store::begin) do no harm when they changed other tables. Fails
    /// with [`Error::Conflict`] when one changed rows of a table that this transaction changes, or
    /// removed a file that it replaces: then nothing is changed, and the work can be done again on
    /// the newest version. Fails with [`Error::KeyReused`] when the idempotency key stands for
    /// another content.
    pub fn commit(mut self) -> Result<Committed> {
        // The long part comes before the lock.
        let mut added = Vec::new();
        for ((schema, table), draft) in &self.drafts {
            for file in draft.files.iter().filter(|file| self.is_new(file)) {
                self.store.disk().keep_file(&self.path(file))?;
                added.push((schema.clone(), table.clone(), file.clone()));
            }
        }
        let store = self.store.clone();
        let lock = store.lock()?;
        let current = store.current()?;
        if let Some(key) = &self.key
            && let Some(version) = key_used(&current, key)?
        {
            return Ok(Committed::Before { version });
        }
        let first_id = current.next_load;
        let mut next = self.rebased(&current)?;
        for numbered in std::mem::take(&mut self.numbered) {
            let rows = (numbered.rows)(first_id + numbered.operation as u64)?;
            let mut sink = self.sink(&rows.schema(), &[])?;
            sink.write(&rows)?;
            let file = self.finish(sink)?;
            store.disk().keep_file(&self.path(&file))?;
            let table =
                next.tables.entry(numbered.schema.clone()).or_default().entry(numbered.table.clone()).or_default();
            table.files.push(file.clone());
            table.changed = next.version;
            added.push((numbered.schema, numbered.table, file));
        }
        // From here on files may lie where only a sweep finds them.
        self.directory.leave = true;
        self.publish_files(&mut next, &added, first_id)?;
        publish_manifest(&store, &self.directory.path, &next)?;
        self.directory.leave = false;
        if store.options.keep_versions > 0 {
            // Old versions only take up room: that one cannot be removed is no failure of the commit.
            let _ = vacuum::keep_newest(&store, store.options.keep_versions, &next.commits);
        }
        drop(lock);
        Ok(Committed::Now { version: next.version, first_id })
    }

    /// The next version: this draft on top of `current`, which may be newer than the base. The new
    /// files have their temporary names still.
    fn rebased(&self, current: &Pinned) -> Result<Manifest> {
        let mut next = Manifest::clone(current);
        next.version += 1;
        for ((schema, table), draft) in &self.drafts {
            let now = next.tables.entry(schema.clone()).or_default().entry(table.clone()).or_default();
            let changed_at_base = self.base.table(schema, table).map_or(0, |table| table.changed);
            // A warehouse may have tens of thousands of files, hence the sets.
            let stay: HashSet<&str> = draft.files.iter().map(|file| file.path.as_str()).collect();
            let base = self.base.files(schema, table).iter().map(|file| file.path.as_str());
            let dropped: HashSet<&str> = base.filter(|path| !stay.contains(path)).collect();
            let there: HashSet<&str> = now.files.iter().map(|file| file.path.as_str()).collect();
            if !dropped.is_subset(&there) || (draft.changes_rows && now.changed != changed_at_base) {
                return Err(self.conflict(schema, table, current.version));
            }
            now.files = if current.version == self.base.version {
                draft.files.clone()
            } else {
                let stays = now.files.iter().filter(|file| !dropped.contains(file.path.as_str()));
                stays.chain(draft.files.iter().filter(|file| self.is_new(file))).cloned().collect()
            };
            if draft.changes_rows {
                now.changed = next.version;
            }
            if let Some(columns) = &draft.columns {
                now.columns.clone_from(columns);
            }
        }
        self.rebase_catalogue(current, &mut next)?;
        next.format = next.needed_format();
        let first = next.next_load;
        // Also a commit that records nothing uses up a number, because its files are named by it.
        next.next_load += self.operations.len().max(1) as u64;
        let operations = self.operations.iter().cloned().zip(first..).map(|(new, id)| Operation {
            id,
            kind: new.kind,
            schema: new.schema,
            table: new.table,
            format: new.format,
            inputs: new.inputs,
            accepted: new.accepted,
            rejected: new.rejected,
            removed: new.removed,
        });
        let time_ms = self.store.options.clock.now_ms().max(current.time_ms());
        next.commits.push(Commit {
            version: next.version,
            time_ms,
            key: self.key.clone(),
            operations: operations.collect(),
        });
        Ok(next)
    }

    /// Gives the new files their final names, in `next` too.
    fn publish_files(&self, next: &mut Manifest, added: &[(String, String, DataFile)], first_id: u64) -> Result<()> {
        let (disk, root) = (self.store.disk(), self.store.root());
        let mut directories = BTreeSet::new();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        // An operation number is never used again, so that no published file has such a name.
        for (number, (schema, table, file)) in added.iter().enumerate() {
            let directory = format!("data/{schema}/{table}");
            if directories.insert(directory.clone()) {
                disk.make_directories(root, Path::new(&directory))?;
            }
            let path = format!("{directory}/{first_id:08}-{number:03}.parquet");
            disk.name(&self.path(file), &root.join(&path))?;
            names.insert(&file.path, path);
        }
        for directory in directories {
            disk.keep_directory(&root.join(directory))?;
        }
        for file in next.tables.values_mut().flat_map(BTreeMap::values_mut).flat_map(|table| &mut table.files) {
            if let Some(path) = names.remove(file.path.as_str()) {
                file.path = path;
            }
        }
        Ok(())
    }
}

/// The version that a commit with this key made; an error when that one had another content.
pub(super) fn key_used(current: &Manifest, key: &Key) -> Result<Option<u64>> {
    let Some(commit) = current.find_key(&key.name) else { return Ok(None) };
    if commit.key.as_ref().is_some_and(|used| used.sha256 == key.sha256) {
        return Ok(Some(commit.version));
    }
    Err(Error::KeyReused { key: key.name.clone(), version: commit.version })
}

fn publish_manifest(store: &Store, work: &Path, next: &Manifest) -> Result<()> {
    let (disk, root): (&dyn Disk, &Path) = (store.disk(), store.root());
    let name = manifest::file_name(next.version);
    let temporary = work.join(&name);
    let mut text = serde_json::to_vec_pretty(next).map_err(Error::data("write the manifest"))?;
    text.push(b'\n');
    let mut file = disk.make_file(&temporary)?;
    file.write_all(&text).and_then(|()| file.flush()).map_err(Error::io("write", &temporary))?;
    drop(file);
    disk.keep_file(&temporary)?;
    disk.name(&temporary, &root.join(name))?;
    disk.keep_directory(root)
}
