//! A cohort and the people in it, to rows.

use std::collections::BTreeSet;
use std::path::Path;

use super::rows::{addition, days, maybe, numbers, texts};
use super::{Office, refused};
use crate::error::{Error, Result};
use crate::progress::pass_points;
use crate::source::Course;

/// A cohort.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// Its name: small letters, digits and `-`.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Its first day, as days from 1970-01-01.
    pub starts: i32,
    /// Its last day, where it is known.
    pub ends: Option<i32>,
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number of the trainee.
    pub trainee: u32,
    /// Their name, where it is to be in the warehouse.
    pub name: Option<String>,
}

/// Those in a file: a line `NUMBER` or `NUMBER,NAME` each.
///
/// # Errors
/// A file that cannot be read, a line of another form, a trainee who stands there twice.
pub fn people(path: &Path) -> Result<Vec<Person>> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let (mut people, mut seen) = (Vec::new(), BTreeSet::new());
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| Error::Roster {
            path: path.to_owned(),
            line: at + 1,
            what: what.to_owned(),
            found: line.chars().take(60).collect(),
        };
        let (number, name) = line.split_once(',').unwrap_or((line, ""));
        let number: u32 = number.trim().parse().map_err(|_| wrong("expected NUMBER or NUMBER,NAME"))?;
        if !(1..=999_999).contains(&number) {
            return Err(wrong("expected a number from 1 to 999999"));
        }
        if !seen.insert(number) {
            return Err(wrong("this trainee stands here twice; take one line out"));
        }
        let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        people.push(Person { trainee: number, name });
    }
    Ok(people)
}

impl Office {
    /// Makes a cohort, and renews what the warehouse knows of the modules.
    ///
    /// # Errors
    /// A name of another form, a cohort that is there; what the server says.
    pub fn create(&self, course: &Course, cohort: &Cohort) -> Result<()> {
        let name = cohort.name.as_str();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(good) {
            return Err(refused(format!(
                "expected a name of small letters, digits and `-`, as spring-2026, found `{name}`"
            )));
        }
        if cohort.ends.is_some_and(|ends| ends < cohort.starts) {
            return Err(refused("the last day is before the first".to_owned()));
        }
        if self.ask("select cohort from course.cohorts", &[])?.texts(0).any(|known| known == name) {
            return Err(refused(format!("there is a cohort `{name}` already; choose another name")));
        }
        let cohorts = addition(
            "cohorts",
            vec![
                ("cohort", texts([name])),
                ("title", texts([&cohort.title])),
                ("starts_on", days([Some(cohort.starts)])),
                ("ends_on", days([cohort.ends])),
            ],
        )?;
        let all = || course.modules.iter();
        let mut modules = addition(
            "modules",
            vec![
                ("module", texts(all().map(|module| &module.name))),
                ("title", texts(all().map(|module| &module.title))),
                ("level", texts(all().map(|module| &module.level))),
                ("minutes", numbers(all().map(|module| u64::from(module.minutes)))),
                ("questions", numbers(all().map(|module| module.questions.len() as u64))),
                ("of_points", numbers(all().map(|module| u64::from(module.points())))),
                ("pass_points", numbers(all().map(|module| u64::from(pass_points(module.points()))))),
            ],
        )?;
        modules.replaces = true;
        self.add(vec![cohorts, modules])
    }

    /// Enrols people in a cohort; those who are in it already stay as they are. How many are new.
    ///
    /// # Errors
    /// When there is no such cohort; what the server says.
    pub fn enrol(&self, cohort: &str, people: &[Person], on: i32) -> Result<usize> {
        self.known(cohort)?;
        let known = self.ask("select trainee_id from course.trainees", &[])?;
        let known: BTreeSet<&str> = known.texts(0).collect();
        let enrolled: BTreeSet<String> = self.enrolled(cohort)?.into_iter().collect();
        let text = |person: &Person| person.trainee.to_string();
        let strangers: Vec<&Person> = people.iter().filter(|person| !known.contains(text(person).as_str())).collect();
        let fresh: Vec<String> = people.iter().map(text).filter(|trainee| !enrolled.contains(trainee)).collect();
        let trainees = addition(
            "trainees",
            vec![
                ("trainee_id", texts(strangers.iter().map(|person| text(person)))),
                ("name", maybe(strangers.iter().map(|person| person.name.as_ref()))),
            ],
        )?;
        let enrolments = addition(
            "enrolments",
            vec![
                ("cohort", texts(fresh.iter().map(|_| cohort))),
                ("trainee_id", texts(&fresh)),
                ("enrolled_on", days(fresh.iter().map(|_| Some(on)))),
            ],
        )?;
        self.add(vec![trainees, enrolments])?;
        Ok(fresh.len())
    }
}
