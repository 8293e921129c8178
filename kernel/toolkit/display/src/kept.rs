//! Where the worker writes the variables of a notebook, as far as kernel and toolkit both have to know it.

use std::path::{Path, PathBuf};

/// Environment variable with the folder for the files; a worker without it keeps nothing.
pub const FOLDER_VARIABLE: &str = "HAETAE_KEEP_FOLDER";

/// The file of a variable.
pub fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.arrow"))
}

/// The file in which the kernel lists the words of the cell that runs, one a line.
pub fn words(folder: &Path) -> PathBuf {
    folder.join("words")
}
