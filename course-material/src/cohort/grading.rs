//! Submissions that have no grade yet, to grades and marks; reports of other gradings, to the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use haetae_client::Addition;

use super::rows::{addition, days, maybe, numbers, sha256, submission_id, texts};
use super::submit::place;
use super::{Office, refused};
use crate::error::{Error, Result};
use crate::grade::{self, Apart, Limits, Report, Runner};
use crate::progress::Ledger;
use crate::source::Course;

/// Grades that are committed together: what is lost where the grading is broken off.
const TOGETHER: usize = 20;

/// How a cohort is graded.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The folder with the files.
    pub folder: &'a Path,
    /// What runs them.
    pub runner: &'a Runner,
    /// What one of them may use.
    pub limits: &'a Limits,
    /// How many at a time.
    pub jobs: usize,
}

/// A submission that was graded, or refused.
#[derive(Clone, Debug)]
pub struct Graded {
    id: String,
    trainee: String,
    /// Its report; without marks where it was refused.
    pub report: Report,
    /// Whether it could be run.
    pub refused: bool,
}

/// What became of the submissions without a grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that have one now.
    pub graded: usize,
    /// Those that were passed over: their file has gone, or was changed.
    pub left: usize,
}

/// A submission without a grade.
struct Waiting {
    id: String,
    trainee: u32,
    module: String,
    file_sha256: String,
}

impl Office {
    /// Grades what has no grade yet, and tells of each: what it is worth, or what is wrong with its file, which stays without a
    /// grade.
    ///
    /// # Errors
    /// When nothing can be run; what the server says. What was graded before is kept.
    pub fn grade(
        &self,
        course: &Course,
        cohort: &str,
        order: &Order<'_>,
        tell: &mut dyn FnMut(Result<&Graded>),
    ) -> Result<Count> {
        self.known(cohort)?;
        let waiting = self.waiting(cohort)?;
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (told, done) = channel();
        let (mut failure, mut count, mut graded) = (None, Count::default(), Vec::new());
        std::thread::scope(|threads| {
            for _ in 0..order.jobs.clamp(1, waiting.len().max(1)) {
                let (told, waiting, next, stop) = (told.clone(), &waiting, &next, &stop);
                threads.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let Some(one) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                        if told.send(one.grade(course, order)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(told);
            for one in done {
                let kept = match one {
                    Ok(one) => {
                        tell(Ok(&one));
                        graded.push(one);
                        count.graded += 1;
                        if graded.len() < TOGETHER { Ok(()) } else { self.keep(cohort, &std::mem::take(&mut graded)) }
                    }
                    // One file is no reason to leave the others.
                    Err(error @ (Error::Io { .. } | Error::Office { .. })) => {
                        count.left += 1;
                        tell(Err(error));
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = kept {
                    // The first of them says why; the others end for the same reason or by themselves.
                    stop.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
        });
        self.keep(cohort, &graded)?;
        failure.map_or(Ok(count), Err)
    }

    /// Takes reports of `haetae-course grade --ledger`, each as a submission of its own, of those who are enrolled; once, however
    /// often it is called. How many are new.
    ///
    /// # Errors
    /// A file that cannot be read; what the server says.
    pub fn record(&self, cohort: &str, ledger: &Path, on: i32) -> Result<usize> {
        self.known(cohort)?;
        let ledger = Ledger::read(ledger, None)?;
        let enrolled: BTreeSet<String> = self.enrolled(cohort)?.into_iter().collect();
        let known = self.ask("select submission_id from course.submissions where cohort = $1", &[cohort.into()])?;
        let mut known: BTreeSet<String> = known.texts(0).map(str::to_owned).collect();
        let mut attempts = self.attempts(cohort)?;
        let (mut graded, mut numbered, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for report in ledger.reports() {
            let Some(trainee) = report.trainee.map(|number| number.to_string()) else { continue };
            let what = || "a report".to_owned();
            let text = serde_json::to_string(report).map_err(|source| Error::Json { what: what(), source })?;
            let digest = sha256(text.as_bytes());
            let id = submission_id(cohort, &trainee, &report.module, &digest);
            if !enrolled.contains(&trainee) || !known.insert(id.clone()) {
                continue;
            }
            let attempt = attempts.entry((trainee.clone(), report.module.clone())).or_default();
            *attempt += 1;
            numbered.push(*attempt as u64);
            sizes.push((digest, text.len() as u64));
            graded.push(Graded { id, trainee, report: report.clone(), refused: false });
        }
        let submissions = addition(
            "submissions",
            vec![
                ("submission_id", texts(graded.iter().map(|one| &one.id))),
                ("cohort", texts(graded.iter().map(|_| cohort))),
                ("trainee_id", texts(graded.iter().map(|one| &one.trainee))),
                ("module", texts(graded.iter().map(|one| &one.report.module))),
                ("attempt", numbers(numbered)),
                ("handed_in_on", days(graded.iter().map(|_| Some(on)))),
                ("file_sha256", texts(sizes.iter().map(|(digest, _)| digest))),
                ("file_bytes", numbers(sizes.iter().map(|(_, size)| *size))),
            ],
        )?;
        let mut all = vec![submissions];
        all.extend(additions(cohort, &graded)?);
        self.add(all)?;
        Ok(graded.len())
    }

    fn waiting(&self, cohort: &str) -> Result<Vec<Waiting>> {
        let sql = "select s.submission_id, s.trainee_id, s.module, s.file_sha256 from course.submissions s \
                   left join course.grades g on g.submission_id = s.submission_id \
                   where s.cohort = $1 and g.submission_id is null order by s.submission_id";
        let found = self.ask(sql, &[cohort.into()])?;
        let one = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter().flatten();
            let (id, trainee) = (cells.next()?, cells.next()?);
            let trainee = trainee.parse().map_err(|_| {
                refused(format!(
                    "the trainee's number reads `{trainee}`: the role of the office has to be cleared for identifiers"
                ))
            });
            let (module, file_sha256) = (cells.next()?, cells.next()?);
            Some(trainee.map(|trainee| Waiting { id, trainee, module, file_sha256 }))
        };
        found.rows.into_iter().filter_map(one).collect()
    }

    fn keep(&self, cohort: &str, graded: &[Graded]) -> Result<()> {
        self.add(additions(cohort, graded)?)
    }
}

impl Waiting {
    fn grade(&self, course: &Course, order: &Order<'_>) -> Result<Graded> {
        let path = place(order.folder, &self.id);
        let of = format!("trainee {}, {}", self.trainee, self.module);
        let bytes = fs::read(&path).map_err(|error| refused(format!("{of}: {}: {error}", path.display())))?;
        if sha256(&bytes) != self.file_sha256 {
            return Err(refused(format!(
                "{of}: {}: it is not the file that was handed in; take it from a backup, or have it handed in again",
                path.display()
            )));
        }
        let (report, refused) = match grade::grade(course, &path, Some(self.trainee), order.runner, order.limits) {
            Ok(report) => (report, false),
            // A course that has changed meanwhile; the trainee sees why.
            Err(error @ (Error::NoNotebook { .. } | Error::NoExercise { .. })) => {
                let (module, notes) = (self.module.clone(), vec![error.to_string()]);
                let of = course.module(&module).map_or(0, crate::source::Module::points);
                (
                    Report {
                        module,
                        trainee: Some(self.trainee),
                        points: 0,
                        of,
                        marks: vec![],
                        notes,
                        isolation: Apart::None,
                    },
                    true,
                )
            }
            Err(error) => return Err(error),
        };
        Ok(Graded { id: self.id.clone(), trainee: self.trainee.to_string(), report, refused })
    }
}

fn additions(cohort: &str, graded: &[Graded]) -> Result<Vec<Addition>> {
    let notes = |one: &Graded| Some(one.report.notes.join("\n")).filter(|notes| !notes.is_empty());
    let grades = addition(
        "grades",
        vec![
            ("submission_id", texts(graded.iter().map(|one| &one.id))),
            ("cohort", texts(graded.iter().map(|_| cohort))),
            ("trainee_id", texts(graded.iter().map(|one| &one.trainee))),
            ("module", texts(graded.iter().map(|one| &one.report.module))),
            ("outcome", texts(graded.iter().map(|one| if one.refused { "refused" } else { "graded" }))),
            ("points", numbers(graded.iter().map(|one| u64::from(one.report.points)))),
            ("of_points", numbers(graded.iter().map(|one| u64::from(one.report.of)))),
            ("isolation", texts(graded.iter().map(|one| one.report.isolation.to_string()))),
            ("notes", maybe(graded.iter().map(notes))),
        ],
    )?;
    let marked: Vec<(&Graded, &grade::Mark)> =
        graded.iter().flat_map(|one| one.report.marks.iter().map(move |mark| (one, mark))).collect();
    let says = |mark: &grade::Mark| Some(mark.says.clone()).filter(|says| !says.is_empty());
    let marks = addition(
        "marks",
        vec![
            ("submission_id", texts(marked.iter().map(|(one, _)| &one.id))),
            ("cohort", texts(marked.iter().map(|_| cohort))),
            ("trainee_id", texts(marked.iter().map(|(one, _)| &one.trainee))),
            ("module", texts(marked.iter().map(|(one, _)| &one.report.module))),
            ("question", texts(marked.iter().map(|(_, mark)| &mark.question))),
            ("points", numbers(marked.iter().map(|(_, mark)| u64::from(mark.points)))),
            ("of_points", numbers(marked.iter().map(|(_, mark)| u64::from(mark.of)))),
            ("says", maybe(marked.iter().map(|(_, mark)| says(mark)))),
        ],
    )?;
    Ok(vec![grades, marks])
}
