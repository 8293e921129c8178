//! What goes in: a path, and the folders that tables may lie in. What comes out: where the path leads, if it is there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::wrong;
use crate::{Error, Result};

/// The file in the warehouse directory that names the folders.
pub const FILE_NAME: &str = "outside.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowed {
    folders: Vec<PathBuf>,
}

/// The folder that `path` leads to. Fails where that is in none of the folders of [`FILE_NAME`].
pub(super) fn allowed(root: &Path, path: &Path) -> Result<PathBuf> {
    let found = path.canonicalize().map_err(Error::io("find", path))?;
    let folders = folders(root)?;
    // What lies in the warehouse is under its own rules, and has names that others must not learn of.
    if found.starts_with(root) || root.starts_with(&found) {
        return Err(wrong(path, "a folder outside of the warehouse", "one that has to do with it"));
    }
    if !folders.iter().any(|folder| found.starts_with(folder)) {
        let list = root.join(FILE_NAME);
        return Err(wrong(
            path,
            format!("a folder in one of those that {} allows", list.display()),
            format!("{}, which is in none of them", found.display()),
        ));
    }
    if !found.is_dir() {
        return Err(wrong(path, "a folder", "something else"));
    }
    Ok(found)
}

/// The folders, without symbolic links.
fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let path = root.join(FILE_NAME);
    let example = "a line like folders = [\"/srv/lake\"]";
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong(&path, example, "no such file: no folder outside of the warehouse is allowed"));
        }
        text => text.map_err(Error::io("read", &path))?,
    };
    let mode = fs::metadata(&path).map_err(Error::io("read", &path))?.mode() & 0o777;
    if mode & 0o022 != 0 {
        let remedy = format!("permissions {mode:o}: others may write it; run `chmod go-w {}`", path.display());
        return Err(wrong(&path, "a file that its owner alone may write", remedy));
    }
    let allowed: Allowed = toml::from_str(&text).map_err(|error| wrong(&path, example, error.message()))?;
    let mut found = Vec::new();
    for folder in allowed.folders {
        if !folder.is_absolute() {
            return Err(wrong(&path, "folders that begin with /", folder.display().to_string()));
        }
        // One that is not there now, such as a disk that is not mounted, takes nothing from the others.
        found.extend(folder.canonicalize());
    }
    Ok(found)
}

/// A file of a table in `folder`, which must not leave it by a symbolic link.
pub(super) fn inside(folder: &Path, path: &Path) -> Result<PathBuf> {
    let found = path.canonicalize().map_err(Error::io("find", path))?;
    if found.starts_with(folder) {
        return Ok(found);
    }
    Err(wrong(path, format!("a file in {}", folder.display()), "a symbolic link that leads out of it"))
}
