//! The folder `course-material`, to modules: a lesson, an exercise, a page for the instructor.

mod blocks;
mod exercise;
mod module;
mod translation;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use blocks::pieces;
pub use blocks::{Block, Pieces};
pub use exercise::Question;
pub use module::Module;

use crate::error::{Error, Mistake, Result};
use crate::project::Template;

/// The sources of the whole course.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Saved queries that every exercise begins with, in order: a trainee's part of the warehouse.
    pub slice: Vec<(String, String)>,
    /// The modules in order.
    pub modules: Vec<Module>,
    /// Pages of data projects: the one that a project begins with, and finished ones.
    pub projects: Vec<Template>,
    /// What a project has beside its notebook.
    pub project_pages: ProjectPages,
}

/// Pages of a project that are no notebooks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectPages {
    /// What counts, and how much.
    pub rubric: String,
    /// What is handed in.
    pub report: String,
}

/// The page that a project begins with, and the finished ones.
const PROJECTS: [&str; 3] = ["project", "example-trees", "example-memory"];

impl Course {
    /// Reads a folder.
    ///
    /// # Errors
    /// Everything that is wrong in any source, or what the file system says.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut mistakes = Vec::new();
        let slice = slice(&read(&folder.join("slice.sql"))?, &mut mistakes);
        let wanted = languages(&read(&folder.join("languages"))?, &mut mistakes);
        let parent = folder.join("modules");
        let mut names = Vec::new();
        for entry in fs::read_dir(&parent).map_err(|source| Error::Io { path: parent.clone(), source })? {
            let entry = entry.map_err(|source| Error::Io { path: parent.clone(), source })?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let mut modules = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let number = name.split_once('-').and_then(|(number, _)| number.parse().ok());
            if number != Some(at + 1) {
                mistakes.push(Mistake {
                    file: PathBuf::from("modules").join(name),
                    line: 0,
                    what: format!("expected a folder {:02}-…, found `{name}`", at + 1),
                    remedy: "Number the folders 01, 02, 03 without a gap, as in 01-tour".to_owned(),
                });
            }
            let languages: Vec<String> =
                wanted.iter().filter(|(_, of)| of == name).map(|(language, _)| language.clone()).collect();
            modules.extend(module::module(folder, name, &languages, &mut mistakes)?);
        }
        for (language, name) in wanted.iter().filter(|(_, name)| !names.contains(name)) {
            mistakes.push(Mistake {
                file: PathBuf::from("languages"),
                line: 0,
                what: format!("`{language} {name}`: there is no module of this name"),
                remedy: "Name a folder of modules/".to_owned(),
            });
        }
        let (projects, project_pages) = projects(&folder.join("project"))?;
        if mistakes.is_empty() {
            Ok(Self { slice, modules, projects, project_pages })
        } else {
            Err(Error::Sources(mistakes))
        }
    }

    /// The module of a name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }
}

/// The pages of projects, of which there may be none.
fn projects(folder: &Path) -> Result<(Vec<Template>, ProjectPages)> {
    if !folder.exists() {
        return Ok((Vec::new(), ProjectPages::default()));
    }
    let page = |name: &str| Template::new(name, &read(&folder.join(format!("{name}.md")))?);
    let projects = PROJECTS.into_iter().map(page).collect::<Result<Vec<_>>>()?;
    let pages = ProjectPages { rubric: read(&folder.join("rubric.md"))?, report: read(&folder.join("report.md"))? };
    Ok((projects, pages))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// `%%sql --save NAME` before each query.
fn slice(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split("%%sql --save ").skip(1).collect();
    let queries: Vec<(String, String)> = parts
        .iter()
        .filter_map(|part| part.split_once('\n'))
        .map(|(name, query)| (name.trim().to_owned(), query.trim().to_owned()))
        .filter(|(name, query)| !name.is_empty() && !query.is_empty())
        .collect();
    if queries.is_empty() || queries.len() != parts.len() {
        mistakes.push(Mistake {
            file: PathBuf::from("slice.sql"),
            line: 1,
            what: "expected saved queries, each with a name and a text".to_owned(),
            remedy: "Begin each with a line `%%sql --save NAME`".to_owned(),
        });
    }
    queries
}

/// Lines `LANGUAGE MODULE`: which modules there must be in which languages, beside English.
fn languages(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [language, module] => wanted.push(((*language).to_owned(), (*module).to_owned())),
            _ => mistakes.push(Mistake {
                file: PathBuf::from("languages"),
                line: at + 1,
                what: format!("expected a language and a module, found `{line}`"),
                remedy: "Write lines as `ko 01-tour`".to_owned(),
            }),
        }
    }
    wanted
}
