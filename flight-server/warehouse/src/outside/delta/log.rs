//! What goes in: the folder `_delta_log`. What comes out: which of its files make a version, and what commits say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::actions::Action;
use crate::outside::{place, wrong};
use crate::{Error, Result};

/// A commit is a list of files; a longer one is none.
const COMMIT_BYTES: u64 = 256 << 20;
/// One action, which is about one file or about the columns.
const LINE_BYTES: u64 = 16 << 20;
/// All that is read for one version. A log that is longer wants a checkpoint.
const LOG_BYTES: u64 = 1 << 30;
/// Longer than any file system takes for one step of its clock.
const STEP_SECONDS: i64 = 3;

/// What is to be read, in this order.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) version: u64,
    pub(super) checkpoint: Vec<PathBuf>,
    pub(super) commits: Vec<PathBuf>,
}

/// A file that is to be read, and what changes when it changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    path: PathBuf,
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// The same of when anything of it was changed, that time among it: a copy can keep the time of its original.
    changed: (i64, i64),
}

impl Source {
    /// Whether a file that was written again since `now` cannot look as it did then: within one step of the clock a
    /// second write has the time of the first. Each write sets the time `modified`; whoever sets it back as well would
    /// have to do all of it in one step of `changed`.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        now.saturating_sub(self.modified.0) > STEP_SECONDS
    }

    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.path.as_os_str().len()
    }
}

/// What the names of the folder say.
#[derive(Default)]
struct Names {
    commits: BTreeMap<u64, PathBuf>,
    /// Version and number of parts -> part -> file.
    checkpoints: BTreeMap<(u64, u64), BTreeMap<u64, PathBuf>>,
    /// A checkpoint of the second form.
    second: Option<PathBuf>,
}

/// From the newest whole checkpoint that is not newer than the version, and all commits after it.
pub(super) fn plan(log: &Path, wanted: Option<u64>) -> Result<Plan> {
    let names = names(log)?;
    let whole = |(key, parts): (&(u64, u64), &BTreeMap<u64, PathBuf>)| {
        (parts.len() as u64 == key.1).then(|| (key.0, parts.values().cloned().collect::<Vec<_>>()))
    };
    let checkpoints: Vec<(u64, Vec<PathBuf>)> = names.checkpoints.iter().filter_map(whole).collect();
    let newest = names.commits.keys().last().copied().max(checkpoints.last().map(|(version, _)| *version));
    let Some(newest) = newest else {
        return Err(wrong(log, "commits like 00000000000000000000.json", "none: this is no Delta Lake table"));
    };
    let version = wanted.unwrap_or(newest);
    if version > newest {
        return Err(wrong(log, format!("version {version}"), format!("versions up to {newest}")));
    }
    let base = checkpoints.into_iter().rfind(|(of, _)| *of <= version);
    let commit = |number: u64| {
        names.commits.get(&number).cloned().ok_or_else(|| {
            let found = match &names.second {
                Some(path) => format!("none, and checkpoints of the second form are not read ({})", path.display()),
                None => "none: it was cleaned up, or the log is not whole".to_owned(),
            };
            wrong(log, format!("the commit {number:020}.json for version {version}"), found)
        })
    };
    // After the last number that there is, there is no commit.
    let first = base.as_ref().map_or(Some(0), |(of, _)| of.checked_add(1));
    let commits = match first {
        Some(first) => (first..=version).map(commit).collect::<Result<_>>()?,
        None => Vec::new(),
    };
    Ok(Plan { version, checkpoint: base.map(|(_, paths)| paths).unwrap_or_default(), commits })
}

fn names(log: &Path) -> Result<Names> {
    let mut names = Names::default();
    for entry in fs::read_dir(log).map_err(Error::io("list", log))? {
        let entry = entry.map_err(Error::io("list", log))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let parts: Vec<&str> = name.split('.').collect();
        let number = |text: &str, digits: usize| {
            (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| text.parse().ok())
                .flatten()
        };
        let Some(version) = parts.first().and_then(|text| number(text, 20)) else { continue };
        match parts.as_slice() {
            [_, "json"] => drop(names.commits.insert(version, path)),
            [_, "checkpoint", "parquet"] => drop(names.checkpoints.entry((version, 1)).or_default().insert(1, path)),
            [_, "checkpoint", part, all, "parquet"] => {
                if let (Some(part), Some(all)) = (number(part, 10), number(all, 10)) {
                    names.checkpoints.entry((version, all)).or_default().insert(part, path);
                }
            }
            [_, "checkpoint", _, "parquet" | "json"] => names.second = Some(path),
            // Checksums and compacted logs repeat what the others say.
            _ => {}
        }
    }
    Ok(names)
}

impl Plan {
    /// The files as they are now. Fails where there is more to read than is read, or something else than files of the
    /// table: a named pipe would be waited for, and a symbolic link leads elsewhere.
    pub(super) fn sources(&self, folder: &Path, log: &Path) -> Result<Vec<Source>> {
        let mut sources = Vec::with_capacity(self.checkpoint.len() + self.commits.len());
        let mut bytes = 0_u64;
        for path in self.checkpoint.iter().chain(&self.commits) {
            let about = place::inside(folder, path)?.metadata().map_err(Error::io("read", path))?;
            if !about.is_file() {
                return Err(wrong(path, "a file", "something else"));
            }
            bytes = bytes.saturating_add(about.len());
            sources.push(Source {
                path: path.clone(),
                device: about.dev(),
                inode: about.ino(),
                bytes: about.len(),
                modified: (about.mtime(), about.mtime_nsec()),
                changed: (about.ctime(), about.ctime_nsec()),
            });
        }
        if bytes > LOG_BYTES {
            let expected = format!("at most {LOG_BYTES} bytes of log for version {}", self.version);
            return Err(wrong(log, expected, format!("{bytes}; write a checkpoint, or clean the log up")));
        }
        Ok(sources)
    }
}

/// Gives each action of a commit to `take`.
pub(super) fn read(path: &Path, take: &mut dyn FnMut(Action) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let bytes = file.metadata().map_err(Error::io("read", path))?.len();
    if bytes > COMMIT_BYTES {
        return Err(wrong(path, format!("at most {COMMIT_BYTES} bytes"), bytes.to_string()));
    }
    // No more than was there when it was measured, whatever is written meanwhile.
    let mut text = BufReader::new(file.take(bytes));
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut text).take(LINE_BYTES + 1).read_until(b'\n', &mut line).map_err(Error::io("read", path))?;
        if read == 0 {
            break;
        }
        if read as u64 > LINE_BYTES {
            return Err(wrong(path, format!("lines of at most {LINE_BYTES} bytes"), format!("a longer line {number}")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let bad = |found: String| wrong(path, format!("an action of a Delta log in line {number}"), found);
        let value: serde_json::Value = serde_json::from_slice(&line).map_err(|error| bad(error.to_string()))?;
        let serde_json::Value::Object(named) = value else { return Err(bad("something else".to_owned())) };
        for (name, value) in named {
            take(Action::of(&name, value).map_err(bad)?)?;
        }
    }
    Ok(())
}
