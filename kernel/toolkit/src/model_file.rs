//! A model <-> a file that is there as a whole or not at all.

use crate::models::{ModelCard, ModelFile};
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A model that can be saved and loaded. The file holds the model to the last bit, its features with their types, its
/// parameters, and what the card says.
pub trait SaveModel: Sized {
    /// Writes the model to a file, with a card that says what it was trained on and how good it is. A file of that name
    /// is replaced when the new one is safely on the disk; if writing fails, it stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn save(&self, path: &str, card: &ModelCard) -> Result<()>;

    /// Reads a model of this type.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold such a model: it says which kind it holds, or what is wrong.
    fn load(path: &str) -> Result<Self>;
}

impl<M: ModelFile> SaveModel for M {
    fn save(&self, path: &str, card: &ModelCard) -> Result<()> {
        write(Path::new(path), &self.to_bytes(card))
    }

    fn load(path: &str) -> Result<Self> {
        Self::from_bytes(&read(path)?).map_err(|source| Error::Model { path: path.to_owned(), source })
    }
}

/// What a model file says of its model, of whatever kind it is.
///
/// # Errors
/// When the file cannot be read, or is no whole model file.
pub fn model_card(path: &str) -> Result<ModelCard> {
    ModelCard::read(&read(path)?).map_err(|source| Error::Model { path: path.to_owned(), source })
}

fn read(path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::ModelPath { path: path.to_owned(), doing: "read", source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = part_of(path);
    let written = write_durably(&part, path, bytes);
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    let path = path.display().to_string();
    written.map_err(|source| Error::ModelPath { path, doing: "written", source })
}

/// A name beside that of the file, which no other process takes.
fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn write_durably(part: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(part, path)?;
    // The new name is as lasting as the folder that holds it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{KMeansModel, Platt};

    #[test]
    fn a_model_comes_back_from_its_file_and_a_failed_save_leaves_the_old_one() {
        let folder = std::env::temp_dir().join(format!("haetae-model-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("curve.model").display().to_string();
        let curve = Platt::fit(&[0.1, 0.4, 0.5, 0.9], &[0.0, 1.0, 0.0, 1.0]).unwrap();
        curve.save(&path, &ModelCard::new().trained_on("four rows")).unwrap();
        assert_eq!(Platt::load(&path).unwrap(), curve);
        assert_eq!(model_card(&path).unwrap().training_data(), "four rows");

        let error = KMeansModel::load(&path).unwrap_err().to_string();
        assert!(error.ends_with("it holds a model of the kind `Platt calibration`, expected `k-means`"), "{error}");
        assert!(error.starts_with(&path), "{error}");
        let missing = folder.join("none").display().to_string();
        let error = Platt::load(&missing).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");

        // A folder stands where the part is to be: nothing can be written there.
        std::fs::create_dir(part_of(Path::new(&path))).unwrap();
        let other = Platt::fit(&[0.0, 1.0], &[0.0, 1.0]).unwrap();
        let error = other.save(&path, &ModelCard::new()).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
        assert_eq!(Platt::load(&path).unwrap(), curve);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
