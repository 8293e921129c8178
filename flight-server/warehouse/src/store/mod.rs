//! What goes in: record batches of one load. What comes out: a new table version, durable before
//! it is acknowledged.
//!
//! A warehouse is a directory:
//!
//! ```text
//! manifest-7.json             version 7: which files are the tables, which inputs were loaded
//! data/customs/fact_item/…    immutable Parquet files
//! tmp/                        files of a load that is not committed
//! lock                        held by the one writer
//! ```
//!
//! The manifest with the highest number is the warehouse. It appears by one rename, so that a
//! reader sees the old version or the new one and nothing between.

mod durable;
mod manifest;
mod parquet_file;
mod writer;

use std::path::{Path, PathBuf};

pub use durable::Step;
pub use manifest::{DataFile, Input, Load, Manifest};
pub use writer::{NewLoad, Writer};

use crate::{Error, Result};

/// The reader's side of a warehouse directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the warehouse in `root`, creating an empty directory where there is none. Fails when
    /// the directory cannot be created or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(Error::io("create the warehouse", &root))?;
        let root = root.canonicalize().map_err(Error::io("open the warehouse", &root))?;
        Ok(Self { root })
    }

    /// The directory, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The newest version. A warehouse without any load is version 0 with no files.
    pub fn current(&self) -> Result<Manifest> {
        // The newest manifest can vanish between listing and reading only when sixteen newer ones
        // were written meanwhile, so that trying again ends.
        loop {
            let Some(version) = manifest::versions(&self.root)?.into_iter().max() else {
                return Ok(Manifest::empty());
            };
            if let Some(found) = self.version(version)? {
                return Ok(found);
            }
        }
    }

    /// The number of the newest version, without reading it.
    pub fn current_version(&self) -> Result<u64> {
        Ok(manifest::versions(&self.root)?.into_iter().max().unwrap_or(0))
    }

    /// The version of that number, or `None` when it is no longer kept (the last sixteen are).
    pub fn version(&self, version: u64) -> Result<Option<Manifest>> {
        if version == 0 {
            return Ok(Some(Manifest::empty()));
        }
        manifest::read(&self.root, version)
    }
}
