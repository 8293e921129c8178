//! Reports of submissions in a file, a line each, to how far each trainee is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, Result};
use crate::grade::Report;
use crate::source::Course;

/// A module counts as passed with this share of its points.
pub const PASS: f64 = 0.6;

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

/// A table: a line a trainee, a column a module with the best points of all submissions, and how many modules
/// were passed.
///
/// # Errors
/// When the file cannot be read, or a line of it is no report.
pub fn table(course: &Course, ledger: &Path) -> Result<String> {
    let text = fs::read_to_string(ledger).map_err(|source| Error::Io { path: ledger.to_owned(), source })?;
    let mut best: BTreeMap<(u32, String), u32> = BTreeMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let what = format!("{}:{}: expected a report of `haetae-course grade --ledger`", ledger.display(), at + 1);
        let report: Report = serde_json::from_str(line).map_err(|source| Error::Json { what, source })?;
        if let Some(trainee) = report.trainee {
            let points = best.entry((trainee, report.module)).or_default();
            *points = report.points.max(*points);
        }
    }
    let trainees: BTreeSet<u32> = best.keys().map(|(trainee, _)| *trainee).collect();
    let mut table = String::from("trainee");
    for module in &course.modules {
        let _ = write!(table, "  {}", module.name);
    }
    table.push_str("  passed\n");
    for trainee in trainees {
        let _ = write!(table, "{trainee:>7}");
        let mut passed = 0;
        for module in &course.modules {
            let points = best.get(&(trainee, module.name.clone()));
            let of = module.points();
            passed += usize::from(points.is_some_and(|points| f64::from(*points) >= PASS * f64::from(of)));
            let cell = points.map_or_else(|| "-".to_owned(), |points| format!("{points}/{of}"));
            let _ = write!(table, "  {cell:>width$}", width = module.name.len());
        }
        let _ = writeln!(table, "  {passed} of {}", course.modules.len());
    }
    Ok(table)
}
