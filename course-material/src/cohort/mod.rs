//! What a training office does, to rows of the schema `course` in the warehouse, and from them to figures and certificates.
//!
//! The warehouse is reached as any client reaches it, over Flight SQL, so that its policies hold for the office too.

mod certificate;
mod enrol;
mod figures;
mod grading;
mod rows;
mod submit;

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;
use arrow::util::display::array_value_to_string;
use haetae_client::{Addition, Client, ConnectOptions, Param};

pub use enrol::{Cohort, Person, people};
pub use figures::{PROGRESS, STATISTICS};
pub use grading::{Count, Graded, Order};
pub use submit::Handed;

use crate::error::{Error, Result};

/// The schema.
const SCHEMA: &str = "course";

/// A connection to the warehouse.
#[derive(Debug)]
pub struct Office(Client);

/// What the warehouse answers, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Office {
    /// Connects to the server that the environment names.
    ///
    /// # Errors
    /// When there is none, or the login fails.
    pub fn open() -> Result<Self> {
        Ok(Self(Client::connect(&ConnectOptions::from_env()?)?))
    }

    /// The answer to a query.
    ///
    /// # Errors
    /// What the server says.
    pub fn ask(&self, sql: &str, values: &[Param]) -> Result<Answer> {
        let result = self.0.query_with(sql, values)?;
        let columns = result.schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::with_capacity(result.rows());
        for batch in &result.batches {
            for row in 0..batch.num_rows() {
                let cell = |column: &arrow::array::ArrayRef| match column.is_null(row) {
                    true => Ok(None),
                    false => array_value_to_string(column, row).map(Some),
                };
                let cells: std::result::Result<Vec<_>, _> = batch.columns().iter().map(cell).collect();
                rows.push(cells.map_err(|error| refused(format!("an answer that cannot be shown: {error}")))?);
            }
        }
        Ok(Answer { columns, rows })
    }

    /// Adds all rows or none.
    fn add(&self, additions: Vec<Addition>) -> Result<()> {
        let additions: Vec<Addition> =
            additions.into_iter().filter(|one| one.replaces || one.rows.num_rows() > 0).collect();
        if !additions.is_empty() {
            self.0.add(&additions)?;
        }
        Ok(())
    }

    /// Fails where there is no such cohort.
    fn known(&self, cohort: &str) -> Result<()> {
        let found = self.ask("select cohort from course.cohorts order by cohort", &[])?;
        let known: Vec<&str> = found.texts(0).collect();
        if known.contains(&cohort) {
            return Ok(());
        }
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        Err(refused(format!(
            "there is no cohort `{cohort}`; there are: {known}. Make one with `haetae-course cohort create`"
        )))
    }

    /// The highest attempt of each trainee of a cohort in each module.
    fn attempts(&self, cohort: &str) -> Result<BTreeMap<(String, String), i32>> {
        let sql = "select trainee_id, module, max(attempt) from course.submissions where cohort = $1 group by 1, 2";
        let found = self.ask(sql, &[cohort.into()])?;
        let attempt = |row: &Vec<Option<String>>| {
            let [Some(trainee), Some(module), Some(attempt)] = row.as_slice() else { return None };
            Some(((trainee.clone(), module.clone()), attempt.parse().ok()?))
        };
        Ok(found.rows.iter().filter_map(attempt).collect())
    }

    /// The trainees of a cohort.
    fn enrolled(&self, cohort: &str) -> Result<Vec<String>> {
        let sql = "select trainee_id from course.enrolments where cohort = $1 order by trainee_id";
        Ok(self.ask(sql, &[cohort.into()])?.texts(0).map(str::to_owned).collect())
    }
}

impl Answer {
    /// The texts of a column, without nulls.
    pub fn texts(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.get(column)?.as_deref())
    }
}

fn refused(reason: String) -> Error {
    Error::Office { reason }
}

/// Days from 1970-01-01 to a day such as `2026-03-02`.
///
/// # Errors
/// When it is none.
pub fn day(text: &str) -> Result<i32> {
    let shaped = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    let day = shaped.then(|| Date32Type::parse(text)).flatten();
    day.ok_or_else(|| refused(format!("expected a day such as 2026-03-02, found `{text}`")))
}

/// Today, in UTC.
pub fn today() -> i32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i32::try_from(since.as_secs() / 86_400).unwrap_or_default()
}
