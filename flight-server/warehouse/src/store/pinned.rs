//! What goes in: the number of a version. What comes out: its manifest, and the promise that its
//! files stay.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;
use std::sync::OnceLock;

use super::edit::{self, Edits};
use super::lock::Lock;
use super::manifest::{self, Manifest};
use crate::{Error, Result};

/// A version that is being read. As long as it lives, no process removes the files that it mentions.
#[derive(Debug)]
pub struct Pinned {
    manifest: Manifest,
    /// See [`edit::in_force`].
    in_force: OnceLock<Vec<usize>>,
    // Held, never read; the empty version has no file to hold.
    _lock: Option<Lock>,
}

impl Deref for Pinned {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

impl Pinned {
    fn new(manifest: Manifest, lock: Option<Lock>) -> Self {
        Self { manifest, in_force: OnceLock::new(), _lock: lock }
    }

    /// The edits of the catalogue that hold in this version.
    pub fn in_force(&self) -> Edits<'_> {
        Edits::new(&self.manifest.edits, self.in_force.get_or_init(|| edit::in_force(&self.manifest.edits)))
    }

    pub(super) fn open(root: &Path, version: u64) -> Result<Option<Self>> {
        if version == 0 {
            return Ok(Some(Self::new(Manifest::empty(), None)));
        }
        let path = root.join(manifest::file_name(version));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("open the manifest", path)(error)),
        };
        let Some(lock) = Lock::share(file, &path)? else { return Ok(None) };
        let mut text = String::new();
        let mut file = lock.file();
        file.read_to_string(&mut text).map_err(Error::io("read the manifest", &path))?;
        Ok(Some(Self::new(manifest::parse(&path, version, &text)?, Some(lock))))
    }
}
