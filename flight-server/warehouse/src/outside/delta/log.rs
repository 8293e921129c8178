//! What goes in: the folder `_delta_log`. What comes out: which of its files make a version, and what commits say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::actions::Action;
use crate::outside::wrong;
use crate::{Error, Result};

/// A commit is a list of files; a longer one is none.
const COMMIT_BYTES: u64 = 256 << 20;

/// What is to be read, in this order.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) version: u64,
    pub(super) checkpoint: Vec<PathBuf>,
    pub(super) commits: Vec<PathBuf>,
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
    let first = base.as_ref().map_or(0, |(of, _)| of + 1);
    let commit = |number: u64| {
        names.commits.get(&number).cloned().ok_or_else(|| {
            let found = match &names.second {
                Some(path) => format!("none, and checkpoints of the second form are not read ({})", path.display()),
                None => "none: it was cleaned up, or the log is not whole".to_owned(),
            };
            wrong(log, format!("the commit {number:020}.json for version {version}"), found)
        })
    };
    let commits = (first..=version).map(commit).collect::<Result<_>>()?;
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

/// Gives each action of a commit to `take`.
pub(super) fn read(path: &Path, take: &mut dyn FnMut(Action) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let bytes = file.metadata().map_err(Error::io("read", path))?.len();
    if bytes > COMMIT_BYTES {
        return Err(wrong(path, format!("at most {COMMIT_BYTES} bytes"), bytes.to_string()));
    }
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(Error::io("read", path))?;
        if line.trim().is_empty() {
            continue;
        }
        let bad = |found: String| wrong(path, format!("an action of a Delta log in line {number}"), found);
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|error| bad(error.to_string()))?;
        let serde_json::Value::Object(named) = value else { return Err(bad("something else".to_owned())) };
        for (name, value) in named {
            take(Action::of(&name, value).map_err(bad)?)?;
        }
    }
    Ok(())
}
