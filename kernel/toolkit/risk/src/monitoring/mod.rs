//! Scored rows whose outcome is known -> how well the score works, for whom, and whether it still does.

mod fairness;
mod grades;
mod hits;
mod ranking;
mod stability;

pub use fairness::fairness;
pub use grades::by_grade;
pub use hits::hit_rates;
pub use ranking::{Ranking, ranking};
pub use stability::{by_period, csi, score_psi};

use crate::frame::{all_numbers, all_texts, column};
use crate::{Error, Result};
use polars::frame::DataFrame;

/// Columns of a scored frame whose outcome is known.
struct Judged {
    score: Vec<f64>,
    probability: Vec<f64>,
    grade: Vec<usize>,
    target: Vec<f64>,
}

impl Judged {
    fn of(scored: &DataFrame, target: &str) -> Result<Self> {
        let purpose = "monitoring (a frame that `score` returned)";
        if scored.height() == 0 {
            return Err(Error::NoRows { what: "scored rows" });
        }
        column(scored, target, "the target")?;
        let grade = |(row, text): (usize, String)| {
            text.parse().map_err(|_| Error::Value {
                column: "grade".to_owned(),
                row,
                expected: "a grade such as 01".to_owned(),
                found: text,
                hint: "give the frame as `score` returned it",
            })
        };
        Ok(Self {
            score: all_numbers(scored, "score", purpose)?,
            probability: all_numbers(scored, "probability", purpose)?,
            grade: all_texts(scored, "grade", purpose)?.into_iter().enumerate().map(grade).collect::<Result<_>>()?,
            target: haetae_features::target(scored, target)?,
        })
    }
}
