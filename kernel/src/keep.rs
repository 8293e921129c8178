//! What a worker that has ended leaves behind: files of variables, and the cell that brings them back.
//! The toolkit writes the files, after each cell.

use haetae_display::kept;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder with the files.
#[derive(Clone)]
pub struct Keep(PathBuf);

/// A cell that makes variables anew.
pub struct Restoring {
    /// The cell's text.
    pub code: String,
    /// The variables that it makes.
    pub back: Vec<String>,
    /// Those of which nothing is there.
    pub lost: Vec<String>,
}

impl Keep {
    /// Files in `folder`, which is made.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn new(folder: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Says which cell comes next: the worker looks after the variables that it names.
    pub fn begin(&self, code: &str) {
        let words: BTreeSet<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        // Where the disk refuses this, it refuses the variables too.
        let _ = fs::write(kept::words(&self.0), words.join("\n"));
    }

    /// The cell that brings back what it can of variables, given with their types.
    pub fn restoring(&self, variables: &[(String, String)]) -> Restoring {
        let mut restoring = Restoring { code: String::new(), back: Vec::new(), lost: Vec::new() };
        for (name, of) in variables {
            if kept::file(&self.0, name).exists() {
                restoring.code.push_str(&format!("let mut {name}: {of} = ::haetae::cell::brought_back({name:?})?;\n"));
                restoring.back.push(name.clone());
            } else {
                restoring.lost.push(name.clone());
            }
        }
        restoring
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_file_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path().join("keep")).unwrap();
        fs::write(kept::file(keep.folder(), "n"), "").unwrap();
        let variables = [("f".to_owned(), "F".to_owned()), ("n".to_owned(), "i32".to_owned())];
        let restoring = keep.restoring(&variables);
        assert_eq!(restoring.code, "let mut n: i32 = ::haetae::cell::brought_back(\"n\")?;\n");
        assert_eq!((restoring.back, restoring.lost), (vec!["n".to_owned()], vec!["f".to_owned()]));
    }

    #[test]
    fn the_words_of_a_cell_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let keep = Keep::new(folder.path().to_owned()).unwrap();
        keep.begin("let total_2 = total + r#type.len(); // 합계");
        let words = fs::read_to_string(kept::words(folder.path())).unwrap();
        assert_eq!(words.lines().collect::<Vec<_>>(), ["len", "let", "r", "total", "total_2", "type", "합계"]);
    }
}
