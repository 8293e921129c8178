//! The answer to an exercise of the course, a query that the notebook has saved or a frame, to a verdict: `Ok` and a line
//! of praise, or an error that says what is wrong and not what is right.
//!
//! Both the answer and the right query run on the warehouse, for the trainee whose number the saved query
//! `trainee` has. A typical wrong answer is recognised by its result, and gets the advice that the author of
//! the exercise has for it.

use crate::session::{run as sql, saved};
use crate::{Error, Result};
use haetae_check::{Check, Language, Says, TRAINEE, Table, Value, compare};
use haetae_client::SavedQueries;
use polars::frame::DataFrame;
use polars::prelude::{AnyValue, Column, DataType};

/// Name of the saved query with the trainee's number.
const NUMBER: &str = "trainee";
/// Trainees have numbers up to this one.
const LAST_TRAINEE: u32 = 999_999;
/// The column of an answer that was not begun.
const STUB: &str = "todo";
/// An answer that has so many rows more than the right one is not looked at.
const MORE: usize = 100_000;

/// Checks the saved query `exercise`; `sealed` is what a right answer is, as the course has it.
///
/// # Errors
/// [`Error::Answer`] with what is wrong; [`Error::Check`] where the text of the check was changed; and what the
/// server says of the query.
pub fn check(exercise: &str, sealed: &str) -> Result<()> {
    let check = opened(exercise, sealed)?;
    let saved = saved()?;
    let trainee = trainee(&saved, check.language)?;
    verdict(&check, &saved, trainee)?;
    praise(&check);
    Ok(())
}

/// Checks the frame `answer`, which Rust cells have made; what is right is the result of a query all the same.
///
/// # Errors
/// As [`check`].
pub fn check_frame(exercise: &str, answer: &DataFrame, sealed: &str) -> Result<()> {
    let check = opened(exercise, sealed)?;
    let trainee = trainee(&saved()?, check.language)?;
    if answer.width() == 0 {
        return Err(wrong(&check, Says::StillTheCode, &[]));
    }
    let right = table(&query(&check.query, trainee)?)?;
    if answer.height() > right.rows() + MORE {
        return Err(too_many(&check, right.rows() + MORE));
    }
    judge(&check, &table(answer)?, &right, trainee)?;
    praise(&check);
    Ok(())
}

/// As [`check`], on the data of another trainee: a query that is right for one's own data only, because a
/// result was copied into it, is not right here. Says nothing where it is.
///
/// # Errors
/// As [`check`].
pub fn check_for(trainee: u32, exercise: &str, sealed: &str) -> Result<()> {
    let check = opened(exercise, sealed)?;
    let mut saved = saved()?;
    saved.save(NUMBER, &format!("select {trainee} as trainee_no"));
    verdict(&check, &saved, trainee).map_err(|error| match error {
        Error::Answer { language, exercise, finding } => {
            let finding = Says::OnOtherData.with(language, &[("finding", &finding)]);
            Error::Answer { language, exercise, finding }
        }
        other => other,
    })
}

fn praise(check: &Check) {
    let line = Says::Right.with(check.language, &[("exercise", &check.exercise)]);
    crate::cell::print_line(format_args!("{line}"));
}

/// The number that the notebook has for its trainee.
fn trainee(saved: &SavedQueries, language: Language) -> Result<u32> {
    let wrong = |says: Says| {
        let finding = says.with(language, &[("last", &LAST_TRAINEE.to_string())]);
        Error::Answer { language, exercise: NUMBER.to_owned(), finding }
    };
    let Some(query) = saved.get(NUMBER) else { return Err(wrong(Says::NoTrainee)) };
    let table = table(&sql(query)?)?;
    match table.column("trainee_no") {
        Some([Value::Number(number)]) if number.fract() == 0.0 && (1.0..=f64::from(LAST_TRAINEE)).contains(number) => {
            Ok(*number as u32)
        }
        _ => Err(wrong(Says::BadTrainee)),
    }
}

fn wrong(check: &Check, says: Says, parts: &[(&str, &str)]) -> Error {
    found(check, says.with(check.language, parts))
}

fn found(check: &Check, finding: String) -> Error {
    Error::Answer { language: check.language, exercise: check.exercise.clone(), finding }
}

fn too_many(check: &Check, most: usize) -> Error {
    wrong(check, Says::FarTooMany, &[("most", &most.to_string())])
}

/// The check of this exercise and of no other.
fn opened(exercise: &str, sealed: &str) -> Result<Check> {
    let check = Check::open(sealed)?;
    if check.exercise == exercise {
        return Ok(check);
    }
    let (language, finding) = (check.language, Says::OtherCheck.with(check.language, &[("other", &check.exercise)]));
    Err(Error::Answer { language, exercise: exercise.to_owned(), finding })
}

/// A query of a check, for a trainee.
fn query(text: &str, trainee: u32) -> Result<DataFrame> {
    sql(&text.replace(TRAINEE, &trainee.to_string()))
}

fn verdict(check: &Check, saved: &SavedQueries, trainee: u32) -> Result<()> {
    let exercise = check.exercise.as_str();
    let Some(answer) = saved.get(exercise) else {
        return Err(wrong(check, Says::NoAnswer, &[("exercise", exercise)]));
    };
    let right = table(&query(&check.query, trainee)?)?;
    // A cross join is not counted to its end. The rows are numbered, not counted below a limit: DataFusion 55 fails on a
    // limit right above a `group by` whose columns nobody asks for.
    let most = right.rows() + MORE;
    let numbered = format!("select row_number() over () as n from {exercise}");
    let beyond = format!("select n from ({numbered}) as numbered where n > {most} limit 1");
    if table(&sql(&saved.expand(&beyond))?)?.rows() > 0 {
        return Err(too_many(check, most));
    }
    let answer = table(&sql(&saved.expand(answer))?)?;
    if answer.names().eq([STUB]) {
        return Err(wrong(check, Says::StillTheQuery, &[]));
    }
    judge(check, &answer, &right, trainee)
}

/// Compares, and says what a typical mistake deserves.
fn judge(check: &Check, answer: &Table, right: &Table, trainee: u32) -> Result<()> {
    let Some(wrong) = compare(check, answer, right) else { return Ok(()) };
    // Their rows may repeat a key, and stand in any order.
    let as_it_is = Check { key: Vec::new(), order: Vec::new(), ..check.clone() };
    for trap in &check.traps {
        // A trap that fails on this trainee's data says nothing.
        let Ok(frame) = query(&trap.query, trainee) else { continue };
        if compare(&as_it_is, answer, &table(&frame)?).is_none() {
            return Err(found(check, trap.says.clone()));
        }
    }
    Err(found(check, wrong.text(check.language)))
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
