//! What became of the cells, to points and advice.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::run::Outcome;
use super::sandbox::Apart;
use crate::source::Module;

/// What a submission is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The module.
    pub module: String,
    /// The trainee's number, where it is known.
    pub trainee: Option<u32>,
    /// The points that were reached.
    pub points: u32,
    /// The points that there are.
    pub of: u32,
    /// One for each question.
    pub marks: Vec<Mark>,
    /// What an instructor should know.
    pub notes: Vec<String>,
    /// What kept the run apart from the machine.
    #[serde(default)]
    pub isolation: Apart,
}

/// What one answer is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The question.
    pub question: String,
    /// The points that were reached.
    pub points: u32,
    /// The points that there are.
    pub of: u32,
    /// What is wrong; empty where nothing is.
    pub says: String,
}

pub(super) fn report(module: &Module, trainee: Option<u32>, notes: Vec<String>, outcomes: &[Outcome]) -> Report {
    let mark = |question: &crate::source::Question| {
        let of = |name: &str| outcomes.iter().rev().find(|outcome| outcome.name == name);
        let answer = if question.rust.is_some() { "code" } else { "query" };
        let (right, says) = match (of(&format!("{}-check", question.name)), of(&question.name)) {
            (Some(check), _) if check.status == "ok" => (true, String::new()),
            (Some(_), None) if question.rust.is_some() => {
                (false, format!("there is no frame `{}`: its cell is not there, or was not run", question.name))
            }
            (_, Some(slow)) if slow.status == "time" => (false, format!("the {answer} took too long")),
            // The server's word on a query is of more use than that there is no answer.
            (Some(_), Some(failed)) if failed.status == "error" => {
                (false, format!("the {answer} fails: {}", failed.text))
            }
            (Some(check), _) if check.status == "time" => (false, "the check took too long".to_owned()),
            (Some(check), _) => (false, check.text.clone()),
            (None, _) => (false, "it was not checked: the run had ended before".to_owned()),
        };
        let points = if right { question.points } else { 0 };
        Mark { question: question.name.clone(), points, of: question.points, says }
    };
    let marks: Vec<Mark> = module.questions.iter().map(mark).collect();
    let points = marks.iter().map(|mark| mark.points).sum();
    let (module, of, isolation) = (module.name.clone(), module.points(), Apart::None);
    Report { module, trainee, points, of, marks, notes, isolation }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trainee = self.trainee.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
        writeln!(f, "{}, trainee {trainee}: {} of {} points", self.module, self.points, self.of)?;
        for mark in &self.marks {
            let says = if mark.says.is_empty() { "right" } else { &mark.says };
            writeln!(f, "  {}  {} of {}  {says}", mark.question, mark.points, mark.of)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note: {note}"))
    }
}
