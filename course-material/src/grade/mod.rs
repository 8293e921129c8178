//! A submission, to points and advice for each question. The trainee's file gives its answers only: the cells
//! at the top and the checks are those of the course, whatever the file has made of them.

mod limits;
mod processes;
mod report;
mod run;
mod sandbox;
mod submission;

use std::path::Path;

pub use limits::Limits;
pub use report::{Mark, Report};
pub use run::{Login, Runner};
pub use sandbox::{Apart, Isolation};

use crate::build::{self, Form};
use crate::error::{Error, Result};
use crate::source::{Course, Module};
use run::{Ran, Step};
use submission::{Runs, Submission};

/// Grades a file, for the trainee whose number it must be where that is given.
///
/// # Errors
/// A file that is no notebook, or no exercise of the course; a runner that cannot start, or that cannot run the course's
/// own cells: that is no fault of the trainee's. What is wrong with the answers themselves stands in the report.
pub fn grade(course: &Course, file: &Path, trainee: Option<u32>, runner: &Runner, limits: &Limits) -> Result<Report> {
    let (submission, module) = read(course, file)?;
    // Advice in the language of the file; what is right is the same in all of them.
    let module = module.in_language(submission.language()).unwrap_or(module);
    let released = build::exercise(course, module, Form::Exercise)?;
    let solved = build::exercise(course, module, Form::Solution)?;
    let runs = match (module.needs_rust(), limits.rust) {
        (false, _) => Runs::Queries,
        (true, false) => Runs::QueriesOfMore,
        (true, true) => Runs::All,
    };
    let taken = submission.take(&released, runs);
    let mut notes = taken.notes;
    let number = trainee.or(taken.trainee);
    match (trainee, taken.trainee) {
        (Some(expected), Some(found)) if expected != found => notes.push(format!(
            "this is the file of trainee {found}, expected that of {expected}: the answers are checked on the data of {expected}"
        )),
        (None, None) => notes.push("no trainee's number could be read".to_owned()),
        _ => {}
    }
    let own = setup(course, module, number.unwrap_or(build::NOBODY));
    let mut steps = own.clone();
    steps.extend(taken.cells.iter().map(|(name, code)| Step::new(name, code)));
    // Once more, so that no cell of the file changes what a check finds.
    let again = steps.len();
    steps.extend(own.iter().cloned());
    for question in &module.questions {
        let id = format!("{}-check", question.name);
        let cell = solved.iter().find(|cell| cell.id == id);
        steps.extend(cell.map(|cell| Step::new(&id, &cell.source)));
    }
    let ran = runner.run(&steps, limits)?;
    // Nothing of the trainee's has run before these.
    stand(&own, &ran)?;
    if let Some(failed) = ran.outcomes.iter().skip(again).take(own.len()).find(|one| one.status == "error") {
        // Is it the trainee's doing? Alone they say.
        stand(&own, &runner.run(&own, limits)?)?;
        notes.push(format!("the course's own cell `{}` failed behind the answers: {}", failed.name, failed.text));
    }
    notes.extend(ran.notes);
    Ok(Report { isolation: ran.apart, ..report::report(module, number, notes, &ran.outcomes) })
}

/// The module whose exercise a file is.
///
/// # Errors
/// As [`grade`] has them for the file.
pub fn module_of<'a>(course: &'a Course, file: &Path) -> Result<&'a Module> {
    read(course, file).map(|(_, module)| module)
}

fn read<'a>(course: &'a Course, file: &Path) -> Result<(Submission, &'a Module)> {
    let submission = Submission::read(file)?;
    let no_exercise = |reason: String| Error::NoExercise {
        path: file.to_owned(),
        reason,
        known: course.modules.iter().map(|module| module.name.clone()).collect(),
    };
    let (name, part) = submission.origin().ok_or_else(|| no_exercise("it is no notebook of the course".to_owned()))?;
    let module = course.module(name).ok_or_else(|| no_exercise(format!("there is no module `{name}`")))?;
    if part != "exercise" {
        return Err(no_exercise(format!("it is the {part} of {name}")));
    }
    Ok((submission, module))
}

/// Fails where the course's own cells, which were run first, have not all done their work.
fn stand(own: &[Step], ran: &Ran) -> Result<()> {
    let failed = |reason: String| Err(Error::Runner { reason });
    let outcomes = &ran.outcomes[..own.len().min(ran.outcomes.len())];
    if let Some(one) = outcomes.iter().find(|one| one.status != "ok") {
        let why = if one.status == "time" { "it took too long" } else { &one.text };
        return failed(format!(
            "the course's own cell `{}` failed: {why}; does the server run, is the password right, and may the user read \
             the tables of the exercises?",
            one.name
        ));
    }
    match own.get(outcomes.len()) {
        Some(missing) => failed(format!(
            "the run ended before the course's own cell `{}`: {}; --seconds and --memory-mb allow more",
            missing.name,
            ran.notes.join("; ")
        )),
        None => Ok(()),
    }
}

/// The cells at the top, and those that prepare data further down, as the course has them.
fn setup(course: &Course, module: &Module, trainee: u32) -> Vec<Step> {
    let trainee = Step::new("trainee", &format!("%%sql --save trainee\nselect {trainee} as trainee_no"));
    let prepared = module.exercise.iter().filter_map(build::prepared);
    let queries = course.slice.iter().cloned().chain(prepared);
    let queries = queries.map(|(name, query)| Step::new(&name, &format!("%%sql --save {name}\n{query}")));
    std::iter::once(trainee).chain(queries).collect()
}
