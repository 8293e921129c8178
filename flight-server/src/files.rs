//! What goes in: a path and bytes. What comes out: a file with them, whole and on the disk, in place
//! of the one before. And a file that gives rights, open to be read.

use std::fs::{self, File, OpenOptions};
use std::io::{Result, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Replaces a file, or makes it with this mode. Readers see the old one or the new one, also after a
/// power cut. The file comes back open, at its end.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Fails, with the reason, where others than its owner can write the file.
pub(crate) fn open_guarded(path: &Path) -> std::result::Result<File, String> {
    let failed = |error: std::io::Error| format!("cannot read the file: {error}");
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o022 != 0 {
        let remedy = format!("run `chmod go-w {}`", path.display());
        return Err(format!("others can write the file (mode {mode:04o}), and so give themselves rights; {remedy}"));
    }
    Ok(file)
}
