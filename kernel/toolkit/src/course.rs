//! The answer to an exercise of the course, a query that the notebook has saved or a frame, to a verdict: `Ok` and a line
//! of praise, or an error that says what is wrong and not what is right.
//!
//! Both the answer and the right query run on the warehouse, for the trainee whose number the saved query
//! `trainee` has. A typical wrong answer is recognised by its result, and gets the advice that the author of
//! the exercise has for it.

use crate::session::{run as sql, saved};
use crate::{Error, Result};
use haetae_check::{Check, TRAINEE, Table, Value, compare};
use haetae_client::SavedQueries;
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, Column, DataType};

/// Name of the saved query with the trainee's number.
const NUMBER: &str = "trainee";
/// Trainees have numbers up to this one.
const LAST_TRAINEE: u32 = 999_999;
/// The column of an answer that was not begun.
const STUB: &str = "todo";
/// What is said of it.
const UNTOUCHED: &str = "the cell above still holds the example line; write your {answer} there and run it";
/// An answer that has so many rows more than the right one is not looked at.
const MORE: usize = 100_000;

/// Checks the saved query `exercise`; `sealed` is what a right answer is, as the course has it.
///
/// # Errors
/// [`Error::Answer`] with what is wrong; [`Error::Check`] where the text of the check was changed; and what the
/// server says of the query.
pub fn check(exercise: &str, sealed: &str) -> Result<()> {
    let saved = saved()?;
    let trainee = trainee(&saved)?;
    verdict(exercise, sealed, &saved, trainee)?;
    println(&format!("Exercise {exercise}: right."));
    Ok(())
}

/// Checks the frame `answer`, which Rust cells have made; what is right is the result of a query all the same.
///
/// # Errors
/// As [`check`].
pub fn check_frame(exercise: &str, answer: &DataFrame, sealed: &str) -> Result<()> {
    let trainee = trainee(&saved()?)?;
    let check = opened(exercise, sealed)?;
    if answer.width() == 0 {
        return Err(wrong(exercise, UNTOUCHED.replace("{answer}", "code")));
    }
    let right = table(&query(&check.query, trainee)?)?;
    if answer.height() > right.rows() + MORE {
        return Err(too_many(exercise, right.rows() + MORE));
    }
    judge(&check, &table(answer)?, &right, trainee)?;
    println(&format!("Exercise {exercise}: right."));
    Ok(())
}

/// As [`check`], on the data of another trainee: a query that is right for one's own data only, because a
/// result was copied into it, is not right here. Says nothing where it is.
///
/// # Errors
/// As [`check`].
pub fn check_for(trainee: u32, exercise: &str, sealed: &str) -> Result<()> {
    let mut saved = saved()?;
    saved.save(NUMBER, &format!("select {trainee} as trainee_no"));
    verdict(exercise, sealed, &saved, trainee).map_err(|error| match error {
        Error::Answer { exercise, finding } => Error::Answer {
            exercise,
            finding: format!(
                "on the data of another trainee it is not right: {finding}. Is a number or a name in your query that \
                 you took from a result?"
            ),
        },
        other => other,
    })
}

fn println(line: &str) {
    crate::cell::print_line(format_args!("{line}"));
}

/// The number that the notebook has for its trainee.
fn trainee(saved: &SavedQueries) -> Result<u32> {
    let wrong = |finding: &str| Error::Answer { exercise: NUMBER.to_owned(), finding: finding.to_owned() };
    let Some(query) = saved.get(NUMBER) else {
        return Err(wrong("there is no trainee yet: run the cells at the top of this notebook first"));
    };
    let table = table(&sql(query)?)?;
    match table.column("trainee_no") {
        Some([Value::Number(number)]) if number.fract() == 0.0 && (1.0..=f64::from(LAST_TRAINEE)).contains(number) => {
            Ok(*number as u32)
        }
        _ => Err(wrong("expected one whole number from 1 to 999999 as trainee_no; mend the cell with your number")),
    }
}

fn wrong(exercise: &str, finding: String) -> Error {
    Error::Answer { exercise: exercise.to_owned(), finding }
}

fn too_many(exercise: &str, most: usize) -> Error {
    wrong(exercise, format!("your answer has more than {most} rows, and that is far too many"))
}

/// The check of this exercise and of no other.
fn opened(exercise: &str, sealed: &str) -> Result<Check> {
    let check = Check::open(sealed)?;
    if check.exercise == exercise {
        return Ok(check);
    }
    let other = &check.exercise;
    Err(wrong(exercise, format!("this is the check of {other}; take the cell from a fresh copy of the exercise")))
}

/// A query of a check, for a trainee.
fn query(text: &str, trainee: u32) -> Result<DataFrame> {
    sql(&text.replace(TRAINEE, &trainee.to_string()))
}

fn verdict(exercise: &str, sealed: &str, saved: &SavedQueries, trainee: u32) -> Result<()> {
    let check = opened(exercise, sealed)?;
    let Some(answer) = saved.get(exercise) else {
        let finding = format!("there is no answer yet: run the cell that begins with `%%sql --save {exercise}`");
        return Err(wrong(exercise, finding));
    };
    let right = table(&query(&check.query, trainee)?)?;
    // A cross join is not counted to its end.
    let most = right.rows() + MORE;
    let counted = format!("select count(*) as n from (select 1 as one from {exercise} limit {}) as counted", most + 1);
    let rows = table(&sql(&saved.expand(&counted))?)?;
    if let Some([Value::Number(rows)]) = rows.column("n")
        && *rows > most as f64
    {
        return Err(too_many(exercise, most));
    }
    let answer = table(&sql(&saved.expand(answer))?)?;
    if answer.names().eq([STUB]) {
        return Err(wrong(exercise, UNTOUCHED.replace("{answer}", "query")));
    }
    judge(&check, &answer, &right, trainee)
}

/// Compares, and says what a typical mistake deserves.
fn judge(check: &Check, answer: &Table, right: &Table, trainee: u32) -> Result<()> {
    let Some(finding) = compare(check, answer, right) else { return Ok(()) };
    // Their rows may repeat a key, and stand in any order.
    let as_it_is = Check { key: Vec::new(), order: Vec::new(), ..check.clone() };
    for trap in &check.traps {
        // A trap that fails on this trainee's data says nothing.
        let Ok(frame) = query(&trap.query, trainee) else { continue };
        if compare(&as_it_is, answer, &table(&frame)?).is_none() {
            return Err(wrong(&check.exercise, trap.says.clone()));
        }
    }
    Err(wrong(&check.exercise, finding.to_string()))
}

/// A frame as plain values.
fn table(frame: &DataFrame) -> Result<Table> {
    let columns = frame.columns().iter().map(|column| Ok((column.name().to_string(), values(column)?)));
    Ok(Table::new(columns.collect::<Result<Vec<_>>>()?))
}

fn values(column: &Column) -> Result<Vec<Value>> {
    let numeric = column.dtype().is_primitive_numeric() || matches!(column.dtype(), DataType::Boolean);
    if numeric {
        let numbers = column.cast(&DataType::Float64)?;
        return Ok(numbers.f64()?.iter().map(|number| number.map_or(Value::Null, Value::Number)).collect());
    }
    let text = |row| {
        Ok(match column.get(row)? {
            AnyValue::Null => Value::Null,
            value => Value::Text(value.str_value().into_owned()),
        })
    };
    (0..column.len()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::df;

    #[test]
    fn a_frame_becomes_plain_values() {
        let frame = df!("hs6" => [Some("010121"), None], "n" => [Some(3i64), None], "found" => [true, false]).unwrap();
        let expected = Table::new([
            ("hs6", vec![Value::Text("010121".into()), Value::Null]),
            ("n", vec![Value::Number(3.0), Value::Null]),
            ("found", vec![Value::Number(1.0), Value::Number(0.0)]),
        ]);
        assert_eq!(table(&frame).unwrap(), expected);
    }
}
