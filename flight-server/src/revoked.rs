//! What goes in: sessions and tokens that have been ended. What comes out: whether one has. With a
//! file, they stay ended when the server is started again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::files::replace_file;
use crate::lock::lock;
use crate::{Error, Result};

/// Ended sessions and used tokens, each until it would have ended by itself.
pub(crate) struct Revoked {
    /// Id -> seconds since 1970 after which nobody could use it anyway.
    ended: Mutex<HashMap<String, u64>>,
    /// Locked apart from the ids: every request looks for one, and must not wait for the disk.
    file: Option<(PathBuf, Mutex<File>)>,
}

impl Revoked {
    /// Kept in memory only.
    pub(crate) fn in_memory() -> Self {
        Self { ended: Mutex::default(), file: None }
    }

    /// Kept in a file, which is written anew without what has ended by itself at `now`.
    pub(crate) fn in_file(path: &Path, now: u64) -> Result<Self> {
        let failed = |source| Error::Tokens { path: path.to_owned(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        // A line that a crash cut short is of a request that was not answered.
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let ended: HashMap<String, u64> = lines
            .filter_map(|(until, id)| Some((id.to_owned(), until.parse().ok()?)))
            .filter(|(_, until)| *until > now)
            .collect();
        let mut sorted: Vec<_> = ended.iter().collect();
        sorted.sort();
        let text: String = sorted.into_iter().map(|(id, until)| format!("{until} {id}\n")).collect();
        let file = replace_file(path, text.as_bytes(), 0o600).map_err(failed)?;
        Ok(Self { ended: Mutex::new(ended), file: Some((path.to_owned(), Mutex::new(file))) })
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        lock(&self.ended).contains_key(id)
    }

    /// Ends `id`, which would be good until `until`; on the disk when this returns. False where it had
    /// been ended before.
    pub(crate) fn end(&self, id: &str, until: u64, now: u64) -> Result<bool> {
        {
            let mut ended = lock(&self.ended);
            ended.retain(|_, until| *until > now);
            if ended.insert(id.to_owned(), until).is_some() {
                return Ok(false);
            }
        }
        if let Some((path, file)) = &self.file {
            let mut file = lock(file);
            let written = file.write_all(format!("{until} {id}\n").as_bytes()).and_then(|()| file.sync_data());
            written.map_err(|source| Error::Tokens { path: path.clone(), source })?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ended_stays_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ended");
        let revoked = Revoked::in_file(&path, 0).unwrap();
        assert!(revoked.end("a", 100, 0).unwrap());
        assert!(revoked.end("b", 200, 0).unwrap() && !revoked.end("b", 200, 0).unwrap());
        drop(revoked);
        let again = Revoked::in_file(&path, 150).unwrap();
        assert!(again.has("b") && !again.has("a") && !again.has("c"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "200 b\n");
    }
}
