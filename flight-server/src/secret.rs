//! What goes in: a warehouse directory. What comes out: the password of the one user, or the key of
//! a server with a policy, from a file that only its owner can read.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{Error, Result, random};

/// Name of the file below the warehouse directory.
pub const FILE_NAME: &str = "server.secret";

/// Name of the file with the key that tokens, masks and the audit are made with.
pub const KEY_FILE: &str = "server.key";

/// The password in `root/server.secret` (mode 0600, one line); a new random one is written where
/// the file does not exist. Fails when others may read the file, or when it is empty.
pub fn load_or_create(root: &Path) -> Result<String> {
    secret(root, FILE_NAME)
}

/// The key in `root/server.key`, made and guarded as the password is. Whoever has it can make
/// tokens, undo hashes by trying, and forge the audit.
pub(crate) fn key(root: &Path) -> Result<Key> {
    Ok(Key(secret(root, KEY_FILE)?))
}

/// The key that the audit of the warehouse in `root` is made with. Fails where there is none yet.
pub fn audit_key(root: &Path) -> Result<[u8; 32]> {
    let path = root.join(KEY_FILE);
    if !path.exists() {
        return Err(Error::Secret {
            path,
            reason: "there is none: this warehouse has been served without a policy".to_owned(),
        });
    }
    Ok(key(root)?.of("audit"))
}

/// HMAC-SHA-256 with a key of its own size. Padded by hand, because a key of any length could fail.
pub(crate) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(key);
    <Hmac<Sha256> as Mac>::new((&padded).into())
}

/// A secret from which a key for each purpose is made.
pub(crate) struct Key(String);

impl Key {
    /// The key for one purpose. It says nothing about those for others.
    pub(crate) fn of(&self, purpose: &str) -> [u8; 32] {
        // HMAC takes a key of any length, so that this cannot fail.
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.as_bytes());
        mac.map(|mac| mac.chain_update(purpose).finalize().into_bytes().into()).unwrap_or_default()
    }

    /// A key that ends with the process.
    pub(crate) fn random() -> Result<Self> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?)))
    }
}

fn secret(root: &Path, name: &str) -> Result<String> {
    let path = root.join(name);
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
    fn each_purpose_has_its_own_key() {
        let root = tempfile::tempdir().unwrap();
        let key = key(root.path()).unwrap();
        assert_eq!(key.of("tokens"), super::key(root.path()).unwrap().of("tokens"));
        assert_ne!(key.of("tokens"), key.of("masks"));
        assert_ne!(key.of("tokens"), Key::random().unwrap().of("tokens"));
    }

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
