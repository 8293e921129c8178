//! `%dep`: a crate from the registry or the disk -> libraries that later cells are compiled against.
//!
//! The kernel builds the crate beside the evaluator, in a cargo project of its own, and names the
//! libraries to rustc, as it does with the toolkit. So no cell ever waits for a dependency, and a change
//! of the optimisation level compiles none anew. See `docs/decisions/0005-crates-of-a-notebook.md`.

mod build;
mod error;

pub use error::CrateError;

use crate::magics::{Dependency, Source};
use crate::toolkit::Toolkit;
use build::Project;
use std::path::{Path, PathBuf};

/// Crates whose names a cell sees through the toolkit, and how.
pub const OF_TOOLKIT: &[(&str, &str)] = &[
    ("haetae", "every cell sees it"),
    ("polars", "use `haetae::polars`; its names are there without any `use`"),
    ("tokio", "its names are there without any `use`"),
    ("serde_json", "use `haetae::serde_json`, and `json!` without any `use`"),
];

/// How far a build has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The crate that is compiled now.
    pub label: String,
    /// Libraries and programs that are done.
    pub done: usize,
    /// As many as there may be.
    pub of: usize,
}

/// A crate that cells see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// As code names it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// False where it was there before.
    pub new: bool,
}

/// The crates of one kernel.
pub struct Crates {
    toolkit: Toolkit,
    project: Project,
    /// Name, specification and version, in the order in which they were added.
    known: Vec<(String, String, String)>,
}

impl Crates {
    /// None yet; they are built below `folder`.
    pub fn new(toolkit: Toolkit, folder: PathBuf) -> Self {
        let project = Project::new(&toolkit, folder);
        Self { toolkit, project, known: Vec::new() }
    }

    /// Builds a crate and tells the toolkit of it; `watch` is called as the build goes on. Dropping the
    /// future ends the build and leaves everything as it was.
    ///
    /// # Errors
    /// Where the crate is part of the toolkit, cannot be found, does not compile, or is there in another form.
    pub async fn add(&mut self, wanted: Dependency, mut watch: impl FnMut(Progress)) -> Result<Added, CrateError> {
        let (name, specification) = match wanted.source {
            Source::Named { name, specification } => (name, absolute(&specification)?),
            Source::Folder(folder) => {
                let folder = existing(&folder)?;
                let name = self.project.name_of(&folder).await?;
                (name, format!("{{ path = {:?} }}", folder.display().to_string()))
            }
        };
        if let Some((_, remedy)) = OF_TOOLKIT.iter().find(|(known, _)| *known == name.replace('-', "_")) {
            let version = self.toolkit.version_of(&name).unwrap_or_default();
            return Err(CrateError::OfToolkit { name, version, remedy });
        }
        if let Some((_, known, version)) = self.known.iter().find(|(known, _, _)| *known == name) {
            if *known != specification {
                return Err(CrateError::OtherForm { name, known: known.clone(), wanted: specification });
            }
            return Ok(Added { name: name.replace('-', "_"), version: version.clone(), new: false });
        }
        let mut wanted_crates = self.known.clone();
        wanted_crates.push((name.clone(), specification.clone(), String::new()));
        let manifest: Vec<(&str, &str)> =
            wanted_crates.iter().map(|(name, of, _)| (name.as_str(), of.as_str())).collect();
        let built = self.project.build(&manifest, &name, wanted.online, &mut watch).await?;
        self.toolkit.set_crates(built.arguments);
        self.known.push((name.clone(), specification, built.version.clone()));
        Ok(Added { name: name.replace('-', "_"), version: built.version, new: true })
    }
}

/// A specification whose `path`, where it has one, does not depend on the folder in which cargo runs.
fn absolute(specification: &str) -> Result<String, CrateError> {
    let Some((before, rest)) = specification.split_once("path") else { return Ok(specification.to_owned()) };
    let value = rest.trim_start().strip_prefix('=').map(str::trim_start).and_then(|rest| rest.strip_prefix('"'));
    let Some((path, behind)) = value.and_then(|value| value.split_once('"')) else {
        return Ok(specification.to_owned());
    };
    Ok(format!("{before}path = {:?}{behind}", existing(path)?.display().to_string()))
}

/// A folder that is there, from the root on.
fn existing(folder: &str) -> Result<PathBuf, CrateError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let path = match folder.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => Path::new(folder).to_owned(),
    };
    path.canonicalize().map_err(|source| CrateError::Folder { folder: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_specification_does_not_depend_on_the_folder() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let wanted = format!("{{ path = {:?}, features = [\"a\"] }}", here.display().to_string());
        assert_eq!(absolute("{ path=\".\", features = [\"a\"] }").unwrap(), wanted);
        assert_eq!(absolute("\"1.0\"").unwrap(), "\"1.0\"");
        assert_eq!(absolute("{ version = \"1\" }").unwrap(), "{ version = \"1\" }");
        assert!(matches!(absolute("{ path = \"/no/such\" }"), Err(CrateError::Folder { .. })));
    }
}
