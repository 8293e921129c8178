//! A file that was handed in, to the cells of it that count, and notes on the others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::notebook::{Cell, Grader};

/// No notebook of the course comes near this.
const LARGEST_FILE: u64 = 20 << 20;
/// Commands that a submission may use where its answers are queries.
const ALLOWED: [&str; 6] = ["%%sql", "%sqlplot", "%tables", "%describe", "%vars", "%help"];
/// The one of them that a check can depend on; the others only show something.
const COUNTS: &str = "%%sql";

/// Which cells of a file are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Queries, because all answers are.
    Queries,
    /// Queries, although some answers are Rust: nobody has allowed it.
    QueriesOfMore,
    /// All cells.
    All,
}

/// The cell with the trainee's number.
const TRAINEE: &str = "trainee";

/// A notebook file.
pub struct Submission(Value);

/// What is taken from it.
#[derive(Default)]
pub struct Taken {
    /// Name and text of the cells that are run.
    pub cells: Vec<(String, String)>,
    /// The number of the trainee who says to have written it.
    pub trainee: Option<u32>,
    /// What an instructor should know.
    pub notes: Vec<String>,
}

impl Submission {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no notebook.
    pub fn read(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let no = |reason: String| Error::NoNotebook { path: path.to_owned(), reason };
        let size = fs::metadata(path).map_err(io)?.len();
        if size > LARGEST_FILE {
            return Err(no(format!("it has {} MB, expected at most {}", size >> 20, LARGEST_FILE >> 20)));
        }
        let bytes = fs::read(path).map_err(io)?;
        let notebook: Value = serde_json::from_slice(&bytes).map_err(|error| no(format!("not JSON: {error}")))?;
        if notebook["cells"].is_array() { Ok(Self(notebook)) } else { Err(no("it has no cells".to_owned())) }
    }

    /// The module and the part that it was made from.
    pub fn origin(&self) -> Option<(&str, &str)> {
        let course = &self.0["metadata"]["haetae"]["course"];
        Some((course["module"].as_str()?, course["part"].as_str()?))
    }

    /// The language that it was made in.
    pub fn language(&self) -> &str {
        self.0["metadata"]["haetae"]["course"]["language"].as_str().unwrap_or_default()
    }

    /// The cells that count, beside `released`, the exercise as it was given out.
    pub fn take(&self, released: &[Cell], runs: Runs) -> Taken {
        let mut taken = Taken::default();
        let mut seen = BTreeSet::new();
        let cells = self.0["cells"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| cell["cell_type"] == "code") {
            let source = source_of(cell);
            let place = format!("cell {}", at + 1);
            let id = cell["metadata"]["nbgrader"]["grade_id"].as_str().or_else(|| cell["id"].as_str());
            let known = released.iter().find(|one| one.code && Some(one.id.as_str()) == id);
            let Some(known) = known else {
                taken.add(&place, &source, runs);
                continue;
            };
            if !seen.insert(known.id.as_str()) {
                taken.notes.push(format!("{place} is a second copy of `{}`, and was not looked at", known.id));
                continue;
            }
            match known.grader {
                None if known.id == TRAINEE => taken.trainee = number_in(&source),
                // The course's own, which no check depends on.
                None if runs != Runs::All && source.trim() == known.source.trim() => {}
                None | Some(Grader::Solution) => taken.add(&known.id, &source, runs),
                Some(_) if source.trim() != known.source.trim() => {
                    taken.notes.push(format!("`{}` was changed; the course's own text was run instead", known.id));
                }
                Some(_) => {}
            }
        }
        for cell in released.iter().filter(|cell| cell.code && !seen.contains(cell.id.as_str())) {
            let what = match cell.grader {
                Some(Grader::Solution) => "there is no answer to look at",
                Some(_) => "the course's own was run instead",
                None if cell.id == TRAINEE => "the trainee's number is not known from the file",
                None => continue,
            };
            taken.notes.push(format!("the cell `{}` was deleted; {what}", cell.id));
        }
        taken
    }
}

impl Taken {
    /// A cell of the trainee's, if it is one that may be run.
    fn add(&mut self, name: &str, source: &str, runs: Runs) {
        let first = source.split_whitespace().next().unwrap_or_default();
        if first.is_empty() {
            return;
        }
        if runs == Runs::All {
            self.cells.push((name.to_owned(), source.to_owned()));
            return;
        }
        if !ALLOWED.contains(&first) {
            let start: String = first.chars().take(30).collect();
            let why = match runs {
                Runs::QueriesOfMore => "Rust of a submission runs only with --rust".to_owned(),
                _ => format!("this exercise needs SQL and charts alone ({})", ALLOWED.join(", ")),
            };
            self.notes.push(format!("{name} was not run: it begins with `{start}`, and {why}"));
            return;
        }
        if first != COUNTS {
            return;
        }
        if source.lines().next().is_some_and(|line| line.contains("<<")) {
            self.notes.push(format!("{name} was not run: a frame (`<<`) is of no use without Rust"));
            return;
        }
        self.cells.push((name.to_owned(), source.to_owned()));
    }
}

fn source_of(cell: &Value) -> String {
    match &cell["source"] {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    }
}

/// The number in `select 1001 as trainee_no`.
fn number_in(source: &str) -> Option<u32> {
    let words = source.lines().filter(|line| !line.trim_start().starts_with("--")).flat_map(str::split_whitespace);
    let words: Vec<&str> = words.collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("select"))?;
    words.get(at + 1)?.parse().ok().filter(|number| (1..=999_999).contains(number))
}
