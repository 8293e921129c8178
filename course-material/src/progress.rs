//! Reports of submissions in a file, a line each, to how far each trainee is, what is found hard, and certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::grade::Report;
use crate::source::{Course, Module};

/// The points with which a module is passed: 60 % of those that there are.
pub const fn pass_points(of: u32) -> u32 {
    (of * 6).div_ceil(10)
}

/// Adds a report to a file, which is made.
///
/// # Errors
/// When the disk refuses.
pub fn record(ledger: &Path, report: &Report) -> Result<()> {
    let io = |source| Error::Io { path: ledger.to_owned(), source };
    let line = serde_json::to_string(report).map_err(|source| Error::Json { what: "a report".to_owned(), source })?;
    // One write, so that two graders do not mix their lines.
    let mut file = OpenOptions::new().create(true).append(true).open(ledger).map_err(io)?;
    file.write_all(format!("{line}\n").as_bytes()).map_err(io)
}

/// All reports of a file, and those who are enrolled.
pub struct Ledger {
    path: PathBuf,
    reports: Vec<Report>,
    /// Trainee -> cohort; empty where nobody was enrolled by a file.
    roster: BTreeMap<u32, String>,
}

impl Ledger {
    /// Reads a file of reports and, where it is given, one of trainees: a line `NUMBER,COHORT` each.
    ///
    /// # Errors
    /// When a file cannot be read, or a line of it is of another form.
    pub fn read(ledger: &Path, roster: Option<&Path>) -> Result<Self> {
        let read = |path: &Path| fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source });
        let mut reports = Vec::new();
        for (at, line) in read(ledger)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let what = format!("{}:{}: expected a report of `haetae-course grade --ledger`", ledger.display(), at + 1);
            reports.push(serde_json::from_str(line).map_err(|source| Error::Json { what, source })?);
        }
        let roster = roster.map_or_else(|| Ok(BTreeMap::new()), |path| enrolled(path, &read(path)?))?;
        Ok(Self { path: ledger.to_owned(), reports, roster })
    }

    /// All reports, in the order of the file.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The reports that count: of trainees who are enrolled, or of all where nobody is.
    fn counted(&self) -> impl Iterator<Item = (u32, &Report)> {
        let counts = |trainee: &u32| self.roster.is_empty() || self.roster.contains_key(trainee);
        self.reports.iter().filter_map(move |report| report.trainee.filter(counts).map(|trainee| (trainee, report)))
    }

    /// The best report of each trainee in each module.
    fn best(&self) -> BTreeMap<(u32, &str), &Report> {
        let mut best: BTreeMap<(u32, &str), &Report> = BTreeMap::new();
        for (trainee, report) in self.counted() {
            let known = best.entry((trainee, &report.module)).or_insert(report);
            if report.points > known.points {
                *known = report;
            }
        }
        best
    }

    /// A line a trainee, a column a module with the best points of all submissions, and how many modules were passed;
    /// below it the share of passed modules of each cohort.
    pub fn table(&self, course: &Course) -> String {
        let best = self.best();
        let mut trainees: BTreeSet<u32> = self.roster.keys().copied().collect();
        trainees.extend(best.keys().map(|(trainee, _)| *trainee));
        let mut table = String::from("trainee");
        for module in &course.modules {
            let _ = write!(table, "  {}", module.name);
        }
        table.push_str("  passed\n");
        let mut cohorts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for trainee in trainees {
            let _ = write!(table, "{trainee:>7}");
            let mut passed_here = 0;
            for module in &course.modules {
                let report = best.get(&(trainee, module.name.as_str()));
                passed_here += usize::from(report.is_some_and(|report| passed(module, report)));
                let cell =
                    report.map_or_else(|| "-".to_owned(), |report| format!("{}/{}", report.points, module.points()));
                let _ = write!(table, "  {cell:>width$}", width = module.name.len());
            }
            let _ = writeln!(table, "  {passed_here} of {}", course.modules.len());
            if let Some(cohort) = self.roster.get(&trainee) {
                let (members, modules) = cohorts.entry(cohort).or_default();
                *members += 1;
                *modules += passed_here;
            }
        }
        for (cohort, (members, modules)) in cohorts {
            let all = members * course.modules.len();
            let _ = writeln!(table, "cohort {cohort}: {members} trainees, {modules} of {all} modules passed");
        }
        table
    }

    /// For each question that somebody has answered: how many trainees, how many of them right in the end, how many
    /// submissions it took, and what was said most often.
    pub fn statistics(&self, course: &Course) -> String {
        let mut text = String::from("question         trainees  right  submissions  said most often\n");
        for module in &course.modules {
            for question in &module.questions {
                let marks: Vec<(u32, &crate::grade::Mark)> = self
                    .counted()
                    .filter(|(_, report)| report.module == module.name)
                    .flat_map(|(trainee, report)| report.marks.iter().map(move |mark| (trainee, mark)))
                    .filter(|(_, mark)| mark.question == question.name)
                    .collect();
                if marks.is_empty() {
                    continue;
                }
                let trainees: BTreeSet<u32> = marks.iter().map(|(trainee, _)| *trainee).collect();
                let right: BTreeSet<u32> =
                    marks.iter().filter(|(_, mark)| mark.says.is_empty()).map(|(trainee, _)| *trainee).collect();
                let mut said: BTreeMap<&str, usize> = BTreeMap::new();
                for (_, mark) in marks.iter().filter(|(_, mark)| !mark.says.is_empty()) {
                    *said.entry(mark.says.as_str()).or_default() += 1;
                }
                // Of two that were said as often, the first in the alphabet.
                let most = said.iter().rev().max_by_key(|(_, times)| **times);
                let most = most.map_or_else(String::new, |(says, times)| format!("{times} x {says}"));
                let name = format!("{} {}", module.name, question.name);
                let (all, right, times) = (trainees.len(), right.len(), marks.len());
                let _ = writeln!(text, "{name:<16} {all:>8}  {right:>5}  {times:>11}  {most}");
            }
        }
        text
    }

    /// The certificate of a trainee for a level, as Markdown.
    ///
    /// # Errors
    /// [`Error::NotPassed`] with the modules that are missing.
    pub fn certificate(&self, course: &Course, trainee: u32, level: &str) -> Result<String> {
        let best = self.best();
        let modules: Vec<&Module> = course.modules.iter().filter(|module| module.level == level).collect();
        let of = |module: &Module| best.get(&(trainee, module.name.as_str())).copied();
        let missing: Vec<String> = modules
            .iter()
            .filter(|module| !of(module).is_some_and(|report| passed(module, report)))
            .map(|module| match of(module) {
                Some(report) => format!("{} ({} of {} points)", module.name, report.points, module.points()),
                None => format!("{} (nothing handed in)", module.name),
            })
            .collect();
        if modules.is_empty() || !missing.is_empty() {
            let path = self.path.clone();
            return Err(Error::NotPassed { path, trainee, level: level.to_owned(), missing });
        }
        let points = |module: &&Module| of(module).map_or(0, |report| report.points);
        let rows = modules.iter().map(|module| (module.title.clone(), points(module), module.points()));
        Ok(certificate_page(&format!("Trainee {trainee}"), level, &rows.collect::<Vec<_>>()))
    }
}

/// The page for somebody who has passed a level; rows are title, points, and the points that there are.
pub(crate) fn certificate_page(who: &str, level: &str, rows: &[(String, u32, u32)]) -> String {
    let mut text = format!("# Certificate\n\n{who} has passed the {level} level of the Haetae course.\n\n");
    text.push_str("| module | points |\n|---|---|\n");
    for (title, points, of) in rows {
        let _ = writeln!(text, "| {title} | {points} of {of} |");
    }
    let reached: u32 = rows.iter().map(|row| row.1).sum();
    let all: u32 = rows.iter().map(|row| row.2).sum();
    let _ = writeln!(text, "| **All** | **{reached} of {all}** |");
    text
}

fn passed(module: &Module, report: &Report) -> bool {
    report.points >= pass_points(module.points())
}

fn enrolled(path: &Path, text: &str) -> Result<BTreeMap<u32, String>> {
    let mut roster = BTreeMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| Error::Roster {
            path: path.to_owned(),
            line: at + 1,
            what: what.to_owned(),
            found: line.chars().take(60).collect(),
        };
        let (number, cohort) = line.split_once(',').ok_or_else(|| wrong("expected NUMBER,COHORT"))?;
        let number: u32 = number.trim().parse().map_err(|_| wrong("expected a number first"))?;
        if !(1..=999_999).contains(&number) {
            return Err(wrong("expected a number from 1 to 999999"));
        }
        if roster.insert(number, cohort.trim().to_owned()).is_some() {
            return Err(wrong("this trainee is enrolled twice; take one line out"));
        }
    }
    Ok(roster)
}
