//! What goes in: operations on tables. What comes out: one commit for all of them, or none.

mod about;
mod apply;
mod history;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Ingested;
use super::source::hexadecimal;
use crate::store::{Commit, Committed, Key, Savepoint, Store, Transaction};
use crate::{Error, Result};

pub use about::Noted;

/// The longest idempotency key, in bytes.
const KEY_BYTES: usize = 200;

/// Operations that are committed together. Dropped without [`commit`](Self::commit), they change
/// nothing.
///
/// ```
/// use haetae_warehouse::ingest::{Change, Changes, Format};
/// use haetae_warehouse::store::Store;
/// # let folder = tempfile::tempdir()?;
/// # let (couriers, gone) = (folder.path().join("couriers.csv"), folder.path().join("gone.csv"));
/// # std::fs::write(&couriers, "courier_id,name\nC1,Fast\nC2,Slow\n")?;
/// # std::fs::write(&gone, "courier_id\nC2\n")?;
/// let store = Store::open(folder.path().join("warehouse"))?;
/// let mut changes = Changes::begin(&store)?.with_key("couriers of 2026-03-02")?;
/// let table = Format::Table("dim_courier".to_owned());
/// changes.apply(Change::Append, "customs", &table, vec![couriers.into()], &mut |_| {})?;
/// changes.apply(Change::Delete, "customs", &table, vec![gone.into()], &mut |_| {})?;
/// let done = changes.commit()?;
/// // Two rows and one key were accepted.
/// assert_eq!((done.version, done.accepted, done.removed), (1, 3, 1));
/// assert_eq!(store.current()?.rows("customs", "dim_courier"), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Changes {
    pub(super) transaction: Transaction,
    key: Option<String>,
    /// The commit that had the key before.
    earlier: Option<Commit>,
    pub(super) content: Sha256,
    pub(super) done: Ingested,
    tables: BTreeMap<String, u64>,
    pub(super) changed: bool,
    /// Why the first of the refused rows was refused.
    refusal: Option<String>,
}

/// A state of [`Changes`].
#[derive(Debug, Clone)]
pub struct Mark {
    savepoint: Savepoint,
    done: Ingested,
    tables: BTreeMap<String, u64>,
    changed: bool,
}

impl Changes {
    /// Begins on the newest version. Any number of changes may be prepared at the same time.
    pub fn begin(store: &Store) -> Result<Self> {
        let transaction = store.begin()?;
        let done = Ingested { version: transaction.base().version, ..Ingested::default() };
        let (content, tables) = (Sha256::new(), BTreeMap::new());
        Ok(Self { transaction, key: None, earlier: None, content, done, tables, changed: false, refusal: None })
    }

    /// Gives the commit an idempotency key of 1 to 200 bytes: when a commit with this key was made
    /// before, with the same operations on the same content, nothing is changed and the answer is
    /// the same version. With another content [`commit`](Self::commit) fails with
    /// [`Error::KeyReused`]. To be called before the first operation.
    pub fn with_key(mut self, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || key.len() > KEY_BYTES || key.chars().any(char::is_control) {
            return Err(Error::BadKey { bytes: key.len(), most: KEY_BYTES });
        }
        self.earlier = self.transaction.base().find_key(&key).cloned();
        self.key = Some(key);
        Ok(self)
    }

    /// What the operations came to so far.
    pub fn done(&self) -> &Ingested {
        &self.done
    }

    /// The version that the changes build on.
    pub fn base_version(&self) -> u64 {
        self.transaction.base().version
    }

    /// Whether the operations so far have changed a table.
    pub fn touches(&self, schema: &str, table: &str) -> bool {
        self.transaction.changes(schema, table)
    }

    /// Whether a commit with the same key has been made before, so that nothing will be done.
    pub fn repeats(&self) -> bool {
        self.earlier.is_some()
    }

    /// Whether the changes have a key, so that their content counts.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Where the changes are now, to come back to.
    pub fn mark(&self) -> Mark {
        let (done, tables) = (self.done.clone(), self.tables.clone());
        Mark { savepoint: self.transaction.savepoint(), done, tables, changed: self.changed }
    }

    /// Takes back everything since `mark`. Marks that were set since then are good no more.
    pub fn back_to(&mut self, mark: Mark) {
        self.transaction.restore(mark.savepoint);
        (self.done, self.tables, self.changed) = (mark.done, mark.tables, mark.changed);
    }

    /// Does `work`; when it fails, everything is as it was before.
    pub fn whole<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mark = self.mark();
        let result = work(self);
        if result.is_err() {
            self.back_to(mark);
        }
        result
    }

    /// Publishes all operations as one version. Fails with [`Error::Conflict`] when another commit
    /// has changed the same tables meanwhile; then the same changes can be made once more.
    pub fn commit(mut self) -> Result<Ingested> {
        let sha256 = hexadecimal(&self.content.finalize());
        if let (Some(name), Some(earlier)) = (&self.key, &self.earlier) {
            if earlier.key.as_ref().is_none_or(|key| key.sha256 != sha256) {
                return Err(Error::KeyReused { key: name.clone(), version: earlier.version });
            }
            return Ok(Ingested { version: earlier.version, repeated: true, ..Ingested::default() });
        }
        if !self.changed && self.key.is_none() {
            return Ok(self.done);
        }
        if let Some(name) = self.key {
            self.transaction.set_key(Key { name, sha256 });
        }
        match self.transaction.commit()? {
            Committed::Now { version, first_id } => {
                self.done.version = version;
                self.done.load_id = self.changed.then_some(first_id);
                self.done.tables = self.tables.into_iter().collect();
                Ok(self.done)
            }
            Committed::Before { version } => Ok(Ingested { version, repeated: true, ..Ingested::default() }),
        }
    }
}
