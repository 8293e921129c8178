//! What goes in: the path of a policy file. What comes out: the newest policy in it that is right.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use haetae_warehouse::ingest::hexadecimal;
use haetae_warehouse::query::policy::{Access, MaskKey};
use sha2::{Digest, Sha256};

use super::{Kept, Policy, Problem};
use crate::files::open_guarded;
use crate::lock::lock;
use crate::{Error, Result};

/// Changes whenever the file is written or replaced.
type Stamp = (u64, u64, i64, i64, i64, i64);

/// The policy in use, which follows its file.
pub(crate) struct Policies {
    path: PathBuf,
    key: MaskKey,
    kept: Kept,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    stamp: Option<Stamp>,
    policy: Arc<Policy>,
    accesses: Arc<BTreeMap<String, Arc<Access>>>,
    /// Of those whom an issuer vouches for, by the id.
    others: BTreeMap<String, Arc<Access>>,
}

/// More accesses of an issuer's users are not kept.
const OTHERS: usize = 1024;

impl Policies {
    /// Fails when the file cannot be read or is wrong.
    pub(crate) fn load(path: &Path, key: MaskKey, kept: Kept) -> Result<Self> {
        let stamp = stamp(path);
        let policy = Arc::new(Policy::read(path)?);
        warn(path, &policy);
        let accesses = accesses(&policy, &key, &kept);
        let loaded = Mutex::new(Loaded { stamp, policy, accesses, others: BTreeMap::new() });
        Ok(Self { path: path.to_owned(), key, kept, loaded })
    }

    /// The policy as the file has it now; the one before where the file is wrong or gone.
    pub(crate) fn current(&self) -> Arc<Policy> {
        self.with_current(|loaded| Arc::clone(&loaded.policy))
    }

    /// What a user may see now, by the policy of the same moment.
    pub(crate) fn access(&self, user: &str) -> Option<(Arc<Policy>, Arc<Access>)> {
        self.with_current(|loaded| {
            let access = loaded.accesses.get(user)?;
            Some((Arc::clone(&loaded.policy), Arc::clone(access)))
        })
    }

    /// What a user whom an issuer vouches for may see now, with a role and attributes that come from a token; `None` where
    /// there is no such role.
    pub(crate) fn access_of(
        &self,
        user: &str,
        role: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Option<(Arc<Policy>, Arc<Access>)> {
        self.with_current(|loaded| {
            let policy = Arc::clone(&loaded.policy);
            // Debug puts quotes around each, so that no two contents have one text.
            let content = format!("{user:?} {role:?} {attributes:?}");
            let id = format!("{}/{}", policy.version, hexadecimal(&Sha256::digest(content)));
            if let Some(known) = loaded.others.get(&id) {
                return Some((policy, Arc::clone(known)));
            }
            let access = policy.access_as(id.clone(), user, role, attributes, &self.key, &self.kept)?;
            if loaded.others.len() >= OTHERS {
                loaded.others.clear();
            }
            loaded.others.insert(id, Arc::clone(&access));
            Some((policy, access))
        })
    }

    fn with_current<T>(&self, look: impl FnOnce(&mut Loaded) -> T) -> T {
        let mut loaded = lock(&self.loaded);
        let stamp = stamp(&self.path);
        if stamp != loaded.stamp {
            // Remembered in any case, so that a wrong file is complained about once.
            loaded.stamp = stamp;
            match Policy::read(&self.path) {
                Ok(policy) if policy.version == loaded.policy.version => {}
                Ok(policy) => {
                    eprintln!("policy {} is in use from {}", policy.version, self.path.display());
                    warn(&self.path, &policy);
                    loaded.policy = Arc::new(policy);
                    loaded.accesses = accesses(&loaded.policy, &self.key, &self.kept);
                    loaded.others.clear();
                }
                Err(error) => eprintln!("policy {} stays in use: {error}", loaded.policy.version),
            }
        }
        look(&mut loaded)
    }
}

/// Says what the roles show that may not be meant.
fn warn(path: &Path, policy: &Policy) {
    for Problem { line, what } in policy.warnings() {
        eprintln!("warning: {}, line {line}: {what}", path.display());
    }
}

fn accesses(policy: &Policy, key: &MaskKey, kept: &Kept) -> Arc<BTreeMap<String, Arc<Access>>> {
    let users = policy.users.keys();
    Arc::new(users.filter_map(|user| Some((user.clone(), policy.access(user, key, kept)?))).collect())
}

impl Policy {
    /// The policy of a file. Fails when it cannot be read, when others than its owner can write it, and with all that is
    /// wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |what: String| Error::Policy { path: path.to_owned(), problems: vec![Problem { line: 1, what }] };
        let text = open_guarded(path).map_err(wrong)?;
        let text = io::read_to_string(text).map_err(|error| wrong(format!("cannot read the file: {error}")))?;
        Self::parse(path, &text)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()))
}
