//! One folder of `course-material/modules`, to a module: a lesson, an exercise, a page for the instructor, and the first
//! two in other languages.

use std::path::{Path, PathBuf};

use super::blocks::{self, Block, Complaint, Pieces};
use super::exercise::{self, Question};
use super::{read, translation};
use crate::error::{Mistake, Result};
use crate::words;

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
    /// `en`, or what it was translated into.
    pub language: &'static str,
    /// The same in other languages.
    pub translations: Vec<Module>,
}

impl Module {
    /// The points of all its questions.
    pub fn points(&self) -> u32 {
        self.questions.iter().map(|question| question.points).sum()
    }

    /// Whether some answer is a frame, which takes Rust.
    pub fn needs_rust(&self) -> bool {
        self.questions.iter().any(|question| question.rust.is_some())
    }

    /// The module in a language, if it was translated.
    pub fn in_language(&self, language: &str) -> Option<&Module> {
        std::iter::once(self).chain(&self.translations).find(|module| module.language == language)
    }
}

const LEVELS: [&str; 3] = ["basic", "intermediate", "advanced"];

/// What is wrong with the pages of one module.
struct Complaints<'a> {
    module: &'a str,
    mistakes: &'a mut Vec<Mistake>,
}

impl Complaints<'_> {
    fn add(&mut self, page: &str, complaints: Vec<Complaint>) {
        let file = PathBuf::from("modules").join(self.module).join(page);
        let mistake = |(line, what, remedy)| Mistake { file: file.clone(), line, what, remedy };
        self.mistakes.extend(complaints.into_iter().map(mistake));
    }

    /// A page in pieces; an empty one where it cannot be understood.
    fn pieces(&mut self, folder: &Path, page: &str) -> Result<Pieces> {
        let text = read(&folder.join("modules").join(self.module).join(page))?;
        Ok(blocks::pieces(&text).unwrap_or_else(|complaint| {
            self.add(page, vec![complaint]);
            Pieces::default()
        }))
    }

    fn questions(&mut self, page: &str, blocks: &[Block]) -> Vec<Question> {
        exercise::questions(blocks).unwrap_or_else(|complaints| {
            self.add(page, complaints);
            Vec::new()
        })
    }
}

/// A module with the languages that it must have, or nothing where its sources are wrong: `mistakes` says how.
pub(super) fn module(
    folder: &Path,
    name: &str,
    languages: &[String],
    mistakes: &mut Vec<Mistake>,
) -> Result<Option<Module>> {
    let before = mistakes.len();
    let mut complaints = Complaints { module: name, mistakes };
    let lesson = complaints.pieces(folder, "lesson.md")?;
    let exercise = complaints.pieces(folder, "exercise.md")?;
    let instructor = complaints.pieces(folder, "instructor.md")?;
    let (title, level, minutes) = match head_of(&lesson) {
        Ok(head) => head,
        Err(wrong) => {
            complaints.add("lesson.md", wrong);
            return Ok(None);
        }
    };
    complaints.add("lesson.md", stray(&lesson, &["", "cell"]));
    complaints.add("instructor.md", stray(&instructor, &[""]));
    if !lesson.blocks.iter().any(|block| block.kind == "cell") {
        let remedy = "Add a block `cell`".to_owned();
        complaints.add("lesson.md", vec![(1, "the lesson has nothing to run".to_owned(), remedy)]);
    }
    if instructor.blocks.is_empty() {
        let remedy = "Say what trainees find hard".to_owned();
        complaints.add("instructor.md", vec![(1, "the page is empty".to_owned(), remedy)]);
    }
    let questions = complaints.questions("exercise.md", &exercise.blocks);
    let mut module = Module {
        name: name.to_owned(),
        title,
        level,
        minutes,
        lesson: lesson.blocks,
        exercise: exercise.blocks,
        questions,
        language: words::english().language,
        translations: Vec::new(),
    };
    for language in languages {
        let translated = translated(folder, &module, language, &mut complaints)?;
        module.translations.push(translated);
    }
    Ok((mistakes.len() == before).then_some(module))
}

/// A module in another language.
fn translated(folder: &Path, english: &Module, language: &str, complaints: &mut Complaints<'_>) -> Result<Module> {
    let mut module = english.clone();
    module.translations.clear();
    match words::of(language) {
        Some(words) => module.language = words.language,
        None => {
            let what = format!("there are no words for the language `{language}`");
            complaints.add("lesson.md", vec![(0, what, "Add them to course-material/src/words.rs".to_owned())]);
        }
    }
    for (page, blocks) in [("lesson", &mut module.lesson), ("exercise", &mut module.exercise)] {
        let file = format!("{page}.{language}.md");
        if !folder.join("modules").join(&english.name).join(&file).exists() {
            let remedy = format!("Translate {page}.md, or take the line out of course-material/languages");
            complaints.add(&file, vec![(0, "the translation is missing".to_owned(), remedy)]);
            continue;
        }
        let pieces = complaints.pieces(folder, &file)?;
        match pieces.head.get("title") {
            Some((_, title)) => module.title.clone_from(title),
            None => {
                let remedy = "Add a line `title: …` between the lines `---`".to_owned();
                complaints.add(&file, vec![(1, "the head has no `title`".to_owned(), remedy)]);
            }
        }
        match translation::merge(blocks, &format!("{page}.md"), pieces.blocks) {
            Ok(merged) => *blocks = merged,
            Err(wrong) => complaints.add(&file, wrong),
        }
    }
    module.questions = complaints.questions(&format!("exercise.{language}.md"), &module.exercise);
    Ok(module)
}

/// Blocks that a page must not have.
fn stray(page: &Pieces, allowed: &[&str]) -> Vec<Complaint> {
    let stray = page.blocks.iter().filter(|block| !allowed.contains(&block.kind.as_str()));
    let remedy = || "Move it into exercise.md".to_owned();
    stray.map(|block| (block.line, format!("a block `{}` has no place here", block.kind), remedy())).collect()
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
