//! Rows of a frame apart: before and after a day, and in groups that stay together.

use crate::key::{KeySet, Source};
use crate::{Error, Result, column};
use polars::frame::DataFrame;
use polars::prelude::{IdxCa, IdxSize};

/// A frame cut at a day.
#[derive(Debug, Clone)]
pub struct Split {
    /// Rows before the day, in their order.
    pub before: DataFrame,
    /// Rows on the day and later, in their order.
    pub after: DataFrame,
}

/// Cuts a frame at a day (`YYYY-MM-DD`), by its date column.
///
/// # Errors
/// [`Error::Date`] when `day` is no date; an error with the row when a row has none.
pub fn split_at(frame: &DataFrame, date: &str, day: &str) -> Result<Split> {
    let cut = column::parse_day(day).ok_or_else(|| Error::Date { found: day.to_owned() })?;
    let days = column::days(frame, date)?;
    let (before, after): (Vec<usize>, Vec<usize>) = (0..days.len()).partition(|&row| days[row] < cut);
    Ok(Split { before: rows(frame, &before)?, after: rows(frame, &after)? })
}

/// The given rows of a frame, in the given order.
///
/// # Errors
/// When a row is not in the frame.
pub fn rows(frame: &DataFrame, rows: &[usize]) -> Result<DataFrame> {
    let rows = rows.iter().map(|&row| IdxSize::try_from(row).unwrap_or(IdxSize::MAX)).collect();
    Ok(frame.take(&IdxCa::from_vec("row".into(), rows))?)
}

/// Shares rows out into `folds` parts of about equal size, so that rows with the same values in
/// `columns` are in one part. Returns the rows of each part, in their order.
///
/// Largest groups first, each to the part with the fewest rows; equal ones by their first row.
///
/// # Errors
/// When a column is missing, `folds` is below 2, or there are fewer groups than folds.
pub fn group_folds(frame: &DataFrame, columns: &[&str], folds: usize) -> Result<Vec<Vec<usize>>> {
    let sources: Vec<Source> = columns.iter().map(|column| Source::whole(column)).collect();
    let (keys, codes) = KeySet::fit_sources(frame, &sources, "groups")?;
    if folds < 2 || keys.len() < folds {
        return Err(Error::Setting {
            name: "number of folds".to_owned(),
            expected: "at least 2 and at most as many as there are groups",
            found: format!("{folds} folds for {} groups", keys.len()),
        });
    }
    let mut sizes = vec![0_usize; keys.len()];
    for &code in &codes {
        sizes[code as usize] += 1;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group]));
    let mut loads = vec![0_usize; folds];
    let mut fold_of = vec![0_usize; keys.len()];
    for group in order {
        let lightest = (0..folds).min_by_key(|&fold| loads[fold]).unwrap_or(0);
        loads[lightest] += sizes[group];
        fold_of[group] = lightest;
    }
    let mut parts = vec![Vec::new(); folds];
    for (row, &code) in codes.iter().enumerate() {
        parts[fold_of[code as usize]].push(row);
    }
    Ok(parts)
}
