//! What goes in: a warehouse directory. What comes out: the password of the one user, from a file
//! that only its owner can read.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, Result, random};

/// Name of the file below the warehouse directory.
pub const FILE_NAME: &str = "server.secret";

/// The password in `root/server.secret` (mode 0600, one line); a new random one is written where
/// the file does not exist. Fails when others may read the file, or when it is empty.
pub fn load_or_create(root: &Path) -> Result<String> {
    let path = root.join(FILE_NAME);
    let failed = |reason: String| Error::Secret { path: path.clone(), reason };
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let password = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
            let written = file.write_all(format!("{password}\n").as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| failed(error.to_string()))?;
            return Ok(password);
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error.to_string())),
    }
    let mode = std::fs::metadata(&path).map_err(|error| failed(error.to_string()))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(failed(format!(
            "expected mode 0600, found {mode:04o}: others can read it. Run `chmod 600 {}`, or remove it to get a new password",
            path.display()
        )));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    match text.lines().next().map(str::trim) {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(failed("expected one line with the password, found nothing; remove it to get a new one".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_private() {
        let root = tempfile::tempdir().unwrap();
        let first = load_or_create(root.path()).unwrap();
        assert!(first.len() >= 40);
        assert_eq!(load_or_create(root.path()).unwrap(), first);
        let path = root.path().join(FILE_NAME);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let message = load_or_create(root.path()).unwrap_err().to_string();
        assert!(message.contains("expected mode 0600, found 0644"), "{message}");
    }
}
