//! Sources and the notebooks beside them, to what is out of step.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build;
use crate::error::{Mistake, Result};
use crate::source::Course;

/// What differs between the sources and the folder of notebooks; empty where nothing does.
///
/// # Errors
/// What the file system says.
pub fn stale(course: &Course, folder: &Path) -> Result<Vec<Mistake>> {
    let files = build::files(course)?;
    let remedy = || "Run `haetae-course build`, and change sources, not notebooks".to_owned();
    let mistake = |file: PathBuf, what: &str| Mistake { file, line: 0, what: what.to_owned(), remedy: remedy() };
    let mut mistakes = Vec::new();
    for (path, text) in &files {
        match fs::read_to_string(folder.join(path)) {
            Ok(found) if found == *text => {}
            Ok(_) => mistakes.push(mistake(folder.join(path), "differs from its source")),
            Err(_) => mistakes.push(mistake(folder.join(path), "is not there")),
        }
    }
    mistakes.extend(build::strays(&files, folder)?.into_iter().map(|path| mistake(path, "has no source")));
    Ok(mistakes)
}
