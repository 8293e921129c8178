//! Questions of a training office, to SQL and to tables of text. `$1` is the name of a cohort, or `%` for all.

use std::fmt::Write as _;

use super::{Answer, Office};
use crate::error::Result;

/// A title and its query.
pub type Figure = (&'static str, &'static str);

/// How far trainees and cohorts are.
pub const PROGRESS: [Figure; 2] =
    [("Trainees", include_str!("sql/trainees.sql")), ("Cohorts", include_str!("sql/cohorts.sql"))];

/// What a training office asks.
pub const STATISTICS: [Figure; 4] = [
    ("Modules", include_str!("sql/modules.sql")),
    ("Points: trainees by tenths of what there is", include_str!("sql/points.sql")),
    ("Questions, the hardest first", include_str!("sql/questions.sql")),
    ("Days from enrolment to passing", include_str!("sql/days.sql")),
];

impl Office {
    /// The answers to figures as text, for a cohort or for all.
    ///
    /// # Errors
    /// When there is no such cohort; what the server says.
    pub fn figures(&self, figures: &[Figure], cohort: Option<&str>) -> Result<String> {
        if let Some(cohort) = cohort {
            self.known(cohort)?;
        }
        let mut text = String::new();
        for (at, (title, sql)) in figures.iter().enumerate() {
            let answer = self.ask(sql, &[cohort.unwrap_or("%").into()])?;
            let _ = write!(text, "{}{title}\n\n{}", if at > 0 { "\n" } else { "" }, answer.table());
        }
        Ok(text)
    }
}

impl Answer {
    /// As columns with two spaces between them; null is `-`.
    pub fn table(&self) -> String {
        let shown = |cell: &Option<String>| cell.as_deref().unwrap_or("-").replace('\n', " ");
        let lines: Vec<Vec<String>> = std::iter::once(self.columns.clone())
            .chain(self.rows.iter().map(|row| row.iter().map(shown).collect()))
            .collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        }
        text
    }
}
