//! The folder `course-material`, to modules: a lesson, an exercise, a page for the instructor.

mod blocks;
mod exercise;

use std::fs;
use std::path::{Path, PathBuf};

use blocks::Complaint;
pub use blocks::{Block, Pieces};
pub use exercise::Question;

use crate::error::{Error, Mistake, Result};

/// A module of the course.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// `NN-slug`, the name of its folder.
    pub name: String,
    /// Its title.
    pub title: String,
    /// `basic`, `intermediate` or `advanced`.
    pub level: String,
    /// How long it takes.
    pub minutes: u32,
    /// What is read and run.
    pub lesson: Vec<Block>,
    /// What is solved.
    pub exercise: Vec<Block>,
    /// The questions of the exercise.
    pub questions: Vec<Question>,
}

impl Module {
    /// The points of all its questions.
    pub fn points(&self) -> u32 {
        self.questions.iter().map(|question| question.points).sum()
    }
}

/// The sources of the whole course.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Saved queries that every exercise begins with, in order: a trainee's part of the warehouse.
    pub slice: Vec<(String, String)>,
    /// The modules in order.
    pub modules: Vec<Module>,
}

const LEVELS: [&str; 3] = ["basic", "intermediate", "advanced"];

impl Course {
    /// Reads a folder.
    ///
    /// # Errors
    /// Everything that is wrong in any source, or what the file system says.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut mistakes = Vec::new();
        let slice = slice(&read(&folder.join("slice.sql"))?, &mut mistakes);
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
            modules.extend(module(folder, name, &mut mistakes)?);
        }
        if mistakes.is_empty() { Ok(Self { slice, modules }) } else { Err(Error::Sources(mistakes)) }
    }

    /// The module of a name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.iter().find(|module| module.name == name)
    }
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

/// A module, or nothing where its sources are wrong: `mistakes` says how.
fn module(folder: &Path, name: &str, mistakes: &mut Vec<Mistake>) -> Result<Option<Module>> {
    let before = mistakes.len();
    let file = |page: &str| PathBuf::from("modules").join(name).join(page);
    let mut complain = |page: &str, complaints: Vec<Complaint>| {
        mistakes.extend(complaints.into_iter().map(|(line, what, remedy)| Mistake {
            file: file(page),
            line,
            what,
            remedy,
        }));
    };
    let mut pages = Vec::new();
    for page in ["lesson.md", "exercise.md", "instructor.md"] {
        match blocks::pieces(&read(&folder.join(file(page)))?) {
            Ok(pieces) => pages.push(pieces),
            Err(complaint) => {
                complain(page, vec![complaint]);
                pages.push(Pieces::default());
            }
        }
    }
    let [lesson, exercise, instructor] = pages.as_slice() else { return Ok(None) };
    let (title, level, minutes) = match head_of(lesson) {
        Ok(head) => head,
        Err(complaints) => {
            complain("lesson.md", complaints);
            return Ok(None);
        }
    };
    let stray = |page: &Pieces, allowed: &[&str]| -> Vec<Complaint> {
        let stray = page.blocks.iter().filter(|block| !allowed.contains(&block.kind.as_str()));
        stray
            .map(|block| {
                (
                    block.line,
                    format!("a block `{}` has no place here", block.kind),
                    "Move it into exercise.md".to_owned(),
                )
            })
            .collect()
    };
    complain("lesson.md", stray(lesson, &["", "cell"]));
    complain("instructor.md", stray(instructor, &[""]));
    if !lesson.blocks.iter().any(|block| block.kind == "cell") {
        complain("lesson.md", vec![(1, "the lesson has nothing to run".to_owned(), "Add a block `cell`".to_owned())]);
    }
    if instructor.blocks.is_empty() {
        complain("instructor.md", vec![(1, "the page is empty".to_owned(), "Say what trainees find hard".to_owned())]);
    }
    let questions = match exercise::questions(&exercise.blocks) {
        Ok(questions) => questions,
        Err(complaints) => {
            complain("exercise.md", complaints);
            Vec::new()
        }
    };
    let (lesson, exercise) = (lesson.blocks.clone(), exercise.blocks.clone());
    let module = Module { name: name.to_owned(), title, level, minutes, lesson, exercise, questions };
    Ok((mistakes.len() == before).then_some(module))
}

/// Title, level and minutes.
fn head_of(page: &Pieces) -> std::result::Result<(String, String, u32), Vec<Complaint>> {
    let field = |name: &str| page.head.get(name).filter(|(_, value)| !value.is_empty());
    let missing: Vec<Complaint> = ["title", "level", "minutes"]
        .into_iter()
        .filter(|name| field(name).is_none())
        .map(|name| (1, format!("the head has no `{name}`"), format!("Add a line `{name}: …` between the lines `---`")))
        .collect();
    let (Some(title), Some(level), Some(minutes)) = (field("title"), field("level"), field("minutes")) else {
        return Err(missing);
    };
    if !LEVELS.contains(&level.1.as_str()) {
        return Err(vec![(
            level.0,
            format!("there is no level `{}`", level.1),
            format!("Choose of {}", LEVELS.join(", ")),
        )]);
    }
    let Ok(length) = minutes.1.parse() else {
        return Err(vec![(minutes.0, format!("expected minutes, found `{}`", minutes.1), "Write a number".to_owned())]);
    };
    Ok((title.1.clone(), level.1.clone(), length))
}
