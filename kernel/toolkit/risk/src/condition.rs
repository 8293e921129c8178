//! An expression and a frame -> whether it holds on each row, or the row on which it fails.

use crate::{Error, Result};
use polars::frame::DataFrame;
use polars::prelude::{DataType, Expr, IntoLazy};

const ANSWER: &str = "__haetae_answer";

/// Whether `condition` holds on each row. Null is no, as in the `where` of SQL.
pub(crate) fn holds(rule: &str, condition: &Expr, frame: &DataFrame) -> Result<Vec<bool>> {
    let broken = |reason: String| Error::Rule { rule: rule.to_owned(), reason };
    // Without rows only what is wrong with the expression itself can fail: a missing column, a wrong type.
    let empty = frame.head(Some(0));
    let dtype = answer(condition, &empty).map_err(|error| broken(error.to_string()))?.0;
    if dtype != DataType::Boolean {
        return Err(broken(format!("expected a condition that is true or false, found one of type {dtype}")));
    }
    match answer(condition, frame) {
        Ok((_, answers)) => Ok(answers),
        Err(error) => Err(match failing_row(condition, frame) {
            Some((row, reason)) => Error::RuleFails { rule: rule.to_owned(), row, reason },
            None => broken(error.to_string()),
        }),
    }
}

fn answer(condition: &Expr, frame: &DataFrame) -> polars::prelude::PolarsResult<(DataType, Vec<bool>)> {
    let found = frame.clone().lazy().with_column(condition.clone().alias(ANSWER)).collect()?;
    let answers = found.column(ANSWER)?;
    let dtype = answers.dtype().clone();
    let values = match answers.bool() {
        Ok(values) => values.iter().map(|value| value == Some(true)).collect(),
        Err(_) => Vec::new(),
    };
    Ok((dtype, values))
}

/// The first row that fails by itself, found by halving; `None` where no row does.
fn failing_row(condition: &Expr, frame: &DataFrame) -> Option<(usize, String)> {
    let fails = |from: usize, to: usize| answer(condition, &slice(frame, from, to)).err();
    let (mut from, mut to) = (0, frame.height());
    while to - from > 1 {
        let middle = from + (to - from) / 2;
        match fails(from, middle) {
            Some(_) => to = middle,
            None => from = middle,
        }
    }
    fails(from, to).map(|error| (from, error.to_string()))
}

fn slice(frame: &DataFrame, from: usize, to: usize) -> DataFrame {
    frame.slice(i64::try_from(from).unwrap_or(i64::MAX), to - from)
}
