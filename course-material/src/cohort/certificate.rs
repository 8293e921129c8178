//! A trainee and a level, to a row of certificates and a page.

use std::path::PathBuf;

use super::Office;
use super::rows::{addition, days, numbers, texts};
use crate::error::{Error, Result};
use crate::progress::certificate_page;

const BEST: &str = include_str!("sql/level.sql");

impl Office {
    /// The certificate of a trainee for a level, as Markdown. The first time it is recorded.
    ///
    /// # Errors
    /// [`Error::NotPassed`] with the modules that are missing; what the server says.
    pub fn certificate(&self, cohort: &str, trainee: u32, level: &str, on: i32) -> Result<String> {
        self.known(cohort)?;
        let id = trainee.to_string();
        let found = self.ask(BEST, &[(&id).into(), level.into(), cohort.into()])?;
        let number = |cell: &Option<String>| cell.as_deref().and_then(|text| text.parse::<u32>().ok());
        let (mut missing, mut passed) = (Vec::new(), Vec::new());
        for row in &found.rows {
            let [Some(module), Some(title), of, pass, points] = row.as_slice() else { continue };
            let (of, pass) = (number(of).unwrap_or(0), number(pass).unwrap_or(u32::MAX));
            match number(points) {
                Some(points) if points >= pass => passed.push((title.clone(), points, of)),
                Some(points) => missing.push(format!("{module} ({points} of {of} points)")),
                None => missing.push(format!("{module} (nothing handed in)")),
            }
        }
        if passed.is_empty() || !missing.is_empty() {
            let (path, level) = (PathBuf::from(format!("cohort {cohort}")), level.to_owned());
            return Err(Error::NotPassed { path, trainee, level, missing });
        }
        let sql = "select issued_on, cohort from course.certificates where trainee_id = $1 and level = $2";
        if self.ask(sql, &[(&id).into(), level.into()])?.rows.is_empty() {
            let sum = |part: fn(&(String, u32, u32)) -> u32| passed.iter().map(|row| u64::from(part(row))).sum::<u64>();
            self.add(vec![addition(
                "certificates",
                vec![
                    ("trainee_id", texts([&id])),
                    ("level", texts([level])),
                    ("cohort", texts([cohort])),
                    ("points", numbers([sum(|row| row.1)])),
                    ("of_points", numbers([sum(|row| row.2)])),
                    ("issued_on", days([Some(on)])),
                ],
            )?])?;
        }
        let name = self.ask("select name from course.trainees where trainee_id = $1", &[(&id).into()])?;
        let who = name.texts(0).next().map_or_else(|| format!("Trainee {id}"), |name| format!("{name} (trainee {id})"));
        let issued = self.ask(sql, &[(&id).into(), level.into()])?;
        // Those that were recorded, which may have been in another cohort.
        let (on, cohort) = (issued.texts(0).next().unwrap_or_default(), issued.texts(1).next().unwrap_or(cohort));
        Ok(format!("{}\nCohort {cohort}, {on}.\n", certificate_page(&who, level, &passed)))
    }
}
