//! A module, to its three notebooks: the lesson, the exercise as trainees get it, and the same solved, with
//! the hidden tests, which is also what nbgrader makes an assignment from.

use std::fs;
use std::path::{Path, PathBuf};

use haetae_check::{Check, Language, TRAINEE, Trap};

use crate::error::{Error, Result};
use crate::notebook::{self, Cell, Grader};
use crate::source::{Block, Course, Module, Question};
use crate::words::{self, Words};

/// What an answer holds before it is one. `python/nbgrader_config.py` has the same words.
pub const STUB: &str = "-- YOUR QUERY HERE\nselect 'write your query here' as todo";
/// The same where the answer is a frame.
pub const RUST_STUB: &str = "// YOUR CODE HERE\nDataFrame::empty()";
/// The trainee whose number stands in a fresh copy.
pub const NOBODY: u32 = 1001;
/// On whose data a solution must be right, too. Nobody can be enrolled with it, and `slice.sql` gives
/// it lines of its own (its divisor is above it), so that no copied result fits.
pub const OTHER: u32 = 1_004_711;

/// From which day on the finished projects are scored.
const EXAMPLE_CUT: &str = "2021-01-01";

/// Whose notebook it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The trainee's: nothing is solved.
    Exercise,
    /// The instructor's: solved, with hidden tests, marked as nbgrader wants it.
    Solution,
}

/// The files of the course below its folder of notebooks: path and text, in order.
///
/// # Errors
/// Never in practice: sources that can be read can be built.
pub fn files(course: &Course) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for module in &course.modules {
        let (folder, folder_language) = (PathBuf::from(&module.name), module.language);
        for module in std::iter::once(module).chain(&module.translations) {
            let is_source = module.language == folder_language;
            let suffix = if is_source { String::new() } else { format!(".{}", module.language) };
            let mut parts = vec![("lesson", lesson(module)), ("exercise", exercise(course, module, Form::Exercise)?)];
            if is_source {
                parts.push(("solution", exercise(course, module, Form::Solution)?));
            }
            for (part, cells) in parts {
                let path = folder.join(format!("{part}{suffix}.ipynb"));
                files.push((path, notebook::text(&module.name, part, module.language, &cells)?));
            }
        }
    }
    for project in course.projects.iter().filter(|project| project.name.starts_with("example-")) {
        let path = PathBuf::from("projects").join(format!("{}.ipynb", project.name));
        let cells = project.cells(&project.name, EXAMPLE_CUT);
        files.push((path, notebook::text("projects", &project.name, "en", &cells)?));
    }
    Ok(files)
}

/// Writes what has changed; the paths that were written or taken away.
///
/// # Errors
/// What the file system says.
pub fn write(course: &Course, folder: &Path) -> Result<Vec<PathBuf>> {
    let files = files(course)?;
    let mut changed = Vec::new();
    for (path, text) in &files {
        let path = folder.join(path);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        let io = |source| Error::Io { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(io)?;
        fs::write(&path, text).map_err(io)?;
        changed.push(path);
    }
    for path in strays(&files, folder)? {
        fs::remove_file(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        changed.push(path);
    }
    Ok(changed)
}

/// Notebooks in the folder that the course does not have any more.
pub(crate) fn strays(files: &[(PathBuf, String)], folder: &Path) -> Result<Vec<PathBuf>> {
    let mut strays = Vec::new();
    for module in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&module)? {
            let known = path.strip_prefix(folder).is_ok_and(|path| files.iter().any(|(known, _)| known == path));
            if !known && path.extension().is_some_and(|extension| extension == "ipynb") {
                strays.push(path);
            }
        }
    }
    Ok(strays)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The cells of a lesson.
pub fn lesson(module: &Module) -> Vec<Cell> {
    let number = module.name.split('-').next().unwrap_or_default();
    let words = words(module);
    let about =
        words.about.replace("{level}", words.level(&module.level)).replace("{minutes}", &module.minutes.to_string());
    let title = format!("# {number}. {}\n\n*{about}*", module.title);
    let mut cells = vec![Cell::text("lesson-00".to_owned(), title)];
    for (at, block) in module.lesson.iter().enumerate() {
        let id = format!("lesson-{:02}", at + 1);
        cells.push(match block.kind.as_str() {
            "cell" => Cell::code(id, &block.body, None),
            _ => Cell::text(id, &block.body),
        });
    }
    cells
}

/// The cells of an exercise.
///
/// # Errors
/// As [`files`].
pub fn exercise(course: &Course, module: &Module, form: Form) -> Result<Vec<Cell>> {
    let words = words(module);
    let number = words.your_number.replace("{number}", &NOBODY.to_string());
    let mut cells = vec![
        Cell::text("title".to_owned(), format!("# {}: {}", words.exercise, module.title)),
        Cell::text("your-data".to_owned(), words.your_data),
        Cell::code(
            "trainee".to_owned(),
            format!("%%sql --save trainee\n-- {number}\nselect {NOBODY} as trainee_no"),
            None,
        ),
    ];
    for (name, query) in &course.slice {
        let source = format!("%%sql --save {name}\n{query}");
        cells.push(Cell::code(name.replace('_', "-"), source, Some(Grader::Locked)));
    }
    let mut hints = 0;
    for (at, block) in module.exercise.iter().enumerate() {
        match block.kind.as_str() {
            "cell" => {
                // What prepares data is the course's, as the cells at the top are; others are there to be changed.
                let grader = prepared(block).map(|_| Grader::Locked);
                cells.push(Cell::code(format!("cell-{at:02}"), &block.body, grader));
            }
            "" => cells.push(Cell::text(format!("text-{at:02}"), &block.body)),
            "hint" => {
                hints += 1;
                cells.push(Cell::text(format!("hint-{at:02}"), hint(block, words, hints)));
            }
            "answer" => {
                hints = 0;
                let answered = |question: &&Question| block.name.split(' ').next() == Some(question.name.as_str());
                if let Some(question) = module.questions.iter().find(answered) {
                    let source = answer_cell(question, form);
                    cells.push(Cell::code(question.name.clone(), source, Some(Grader::Solution)));
                }
            }
            "check" => {
                let question = module.questions.iter().find(|question| question.name == block.name);
                if let Some(question) = question {
                    let id = format!("{}-check", block.name);
                    let source = check_cell(&sealed(course, module, question)?, question, words, form);
                    cells.push(Cell::code(id, source, Some(Grader::Test(question.points))));
                }
            }
            _ => {}
        }
    }
    Ok(cells)
}

/// The builder's own words in the language of a module.
fn words(module: &Module) -> &'static Words {
    words::of(module.language).unwrap_or(words::english())
}

fn hint(block: &Block, words: &Words, number: usize) -> String {
    format!("<details><summary>{} {number}</summary>\n\n{}\n\n</details>", words.hint, block.body.trim())
}

/// A saved query, or a frame: empty in a fresh copy, solved for the instructor.
fn answer_cell(question: &Question, form: Form) -> String {
    let name = &question.name;
    match &question.rust {
        None => {
            let inside = match form {
                Form::Exercise => STUB.to_owned(),
                Form::Solution => format!("-- BEGIN SOLUTION\n{}\n-- END SOLUTION", question.solution),
            };
            format!("%%sql --save {name}\n{inside}")
        }
        Some(solution) => {
            let inside = match form {
                Form::Exercise => RUST_STUB.to_owned(),
                Form::Solution => format!("// BEGIN SOLUTION\n{solution}\n// END SOLUTION"),
            };
            let lines: Vec<String> = inside.lines().map(|line| format!("    {line}")).collect();
            format!("let {name}: DataFrame = {{\n{}\n}};\n{name}", lines.join("\n"))
        }
    }
}

fn check_cell(sealed: &str, question: &Question, words: &Words, form: Form) -> String {
    let name = &question.name;
    let comment = words.check.replace("{question}", name).replace("{points}", &question.points.to_string());
    if question.rust.is_some() {
        // Another trainee's frame would need the trainee's code to run again.
        return format!("// {comment}\n::haetae::course::check_frame(\"{name}\", &{name}, \"{sealed}\")?;");
    }
    let visible = format!("// {comment}\ncourse::check(\"{name}\", \"{sealed}\")?;");
    match form {
        Form::Exercise => visible,
        Form::Solution => format!(
            "{visible}\n// BEGIN HIDDEN TESTS\ncourse::check_for({OTHER}, \"{name}\", \"{sealed}\")?;\n// END HIDDEN TESTS"
        ),
    }
}

/// What a right answer to a question is.
fn sealed(course: &Course, module: &Module, question: &Question) -> Result<String> {
    let check = Check {
        exercise: question.name.clone(),
        query: whole(course, module, &question.solution),
        key: question.key.clone(),
        order: question.order.clone(),
        decimals: question.decimals,
        traps: question
            .traps
            .iter()
            .map(|(query, says)| Trap { query: whole(course, module, query), says: says.clone() })
            .collect(),
        language: Language::of(module.language).unwrap_or_default(),
    };
    Ok(check.seal()?)
}

/// A query with all that it names in front of it: it must not change with what a trainee has saved.
fn whole(course: &Course, module: &Module, query: &str) -> String {
    let mut tables = vec![("trainee".to_owned(), format!("select {TRAINEE} as trainee_no"))];
    tables.extend(course.slice.iter().cloned());
    tables.extend(module.exercise.iter().filter_map(prepared));
    tables.extend(module.questions.iter().map(|question| (question.name.clone(), question.solution.clone())));
    let mut needed: Vec<&(String, String)> = Vec::new();
    let mut text = query.to_owned();
    // Each may name those before it.
    for table in tables.iter().rev().filter(|(_, saved)| saved != query) {
        if mentions(&text, &table.0) {
            text.push('\n');
            text.push_str(&table.1);
            needed.push(table);
        }
    }
    let mut parts: Vec<String> = needed.iter().rev().map(|(name, saved)| format!("{name} as (\n{saved}\n)")).collect();
    parts.push(format!("answer as (\n{query}\n)"));
    format!("with {}\nselect * from answer", parts.join(",\n"))
}

/// Name and text of the query that a cell of an exercise saves.
pub(crate) fn prepared(block: &Block) -> Option<(String, String)> {
    let (name, saved) = block.body.strip_prefix("%%sql --save ")?.split_once('\n')?;
    (block.kind == "cell").then(|| (name.trim().to_owned(), saved.trim().to_owned()))
}

/// Whether a name stands in a query as a word.
fn mentions(query: &str, name: &str) -> bool {
    query.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}
