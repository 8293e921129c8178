//! What goes in: a fitted model. What comes out: a file beside the warehouse, called by the SHA-256 of its bytes; and the
//! bytes of a file that are still the same.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use haetae_warehouse::store::Store;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::{Error, Result};

/// The form of the files that this program writes.
const FORM: u32 = 1;
const FOLDER: &str = "models";

/// The first line of a file, JSON; what its kind needs follows as bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Head<T> {
    form: u32,
    kind: String,
    #[serde(flatten)]
    about: T,
}

fn path(store: &Store, sha256: &str) -> PathBuf {
    store.root().join(FOLDER).join(format!("{sha256}.model"))
}

/// The bytes of a file.
pub(crate) fn pack(kind: &str, about: &impl Serialize, body: &[u8]) -> Result<Vec<u8>> {
    let head = Head { form: FORM, kind: kind.to_owned(), about };
    let failed = |error: serde_json::Error| Error::Training { reason: format!("the model cannot be written: {error}") };
    let mut bytes = serde_json::to_vec(&head).map_err(failed)?;
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// Writes a file, and gives its sum. It is on the disk when this returns.
pub(crate) fn write(store: &Store, bytes: &[u8]) -> Result<String> {
    let sha256 = hex(Sha256::digest(bytes).as_slice());
    let path = path(store, &sha256);
    let io = |action: &'static str| {
        let path = path.clone();
        move |source| Error::Warehouse(haetae_warehouse::Error::Io { action, path, source })
    };
    let folder = store.root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(io("create the folder of"))?;
    let fresh = folder.join(format!("{sha256}.{}.new", std::process::id()));
    let mut file = File::create(&fresh).map_err(io("create"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io("write"))?;
    fs::rename(&fresh, &path).map_err(io("rename"))?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(io("keep"))?;
    Ok(sha256)
}

/// What the first line of a file says, and the bytes behind it.
pub(crate) fn read<T: DeserializeOwned>(store: &Store, model: &str, kind: &str, sha256: &str) -> Result<(T, Vec<u8>)> {
    let path = path(store, sha256);
    let fail = |reason: String| Error::File { model: model.to_owned(), path: path.display().to_string(), reason };
    let bytes = fs::read(&path).map_err(|error| fail(format!("{error}; bring it back, or train the model again")))?;
    let found = hex(Sha256::digest(&bytes).as_slice());
    if found != sha256 {
        return Err(fail(format!(
            "expected the sum {sha256}, found {found}: it was changed; bring the right one back"
        )));
    }
    let split = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(split);
    let head: Head<T> = serde_json::from_slice(head).map_err(|error| fail(format!("its first line: {error}")))?;
    if head.form != FORM || head.kind != kind {
        return Err(fail(format!("expected a {kind} model of form {FORM}, found {} of form {}", head.kind, head.form)));
    }
    Ok((head.about, body.get(1..).unwrap_or_default().to_vec()))
}
