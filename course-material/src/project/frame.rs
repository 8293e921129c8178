//! A file of lines with commas, to its columns by name. Fields hold neither commas nor quotes.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// Lines with the fields that were asked for.
pub(super) struct Lines(pub Vec<(usize, Vec<String>)>);

impl Lines {
    /// Reads the columns of a file, in the order in which they are named.
    ///
    /// # Errors
    /// A file that is not there, a column that is missing, a line that has another number of fields.
    pub fn read(path: &Path, columns: &[&str]) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let wrong = |line: usize, what: String| Error::Project { reason: format!("{}:{line}: {what}", path.display()) };
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let head: Vec<&str> = lines.next().map_or("", |(_, line)| line).split(',').map(str::trim).collect();
        let mut places = Vec::new();
        for column in columns {
            let place = head.iter().position(|name| name == column);
            places.push(place.ok_or_else(|| {
                wrong(
                    1,
                    format!(
                        "expected a column `{column}`, found {}; begin the file with {}",
                        head.join(", "),
                        columns.join(",")
                    ),
                )
            })?);
        }
        let mut read = Vec::new();
        for (at, line) in lines {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            if fields.len() != head.len() {
                return Err(wrong(at + 1, format!("expected {} fields, found {}", head.len(), fields.len())));
            }
            read.push((at + 1, places.iter().map(|place| fields[*place].to_owned()).collect()));
        }
        Ok(Self(read))
    }
}
