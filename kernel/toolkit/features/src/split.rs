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

/// Rows to learn from, and rows to judge what was learnt by; both in the order of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows that a fit may see.
    pub learn: Vec<usize>,
    /// Rows that it is judged by.
    pub judge: Vec<usize>,
}

impl Fold {
    /// A fold for each part, such as those of [`group_folds`]: judged by it, and learnt from all others.
    pub fn leaving_out(parts: &[Vec<usize>]) -> Vec<Self> {
        let others = |left_out: usize| {
            let others = parts.iter().enumerate().filter(move |(part, _)| *part != left_out);
            let mut others: Vec<usize> = others.flat_map(|(_, rows)| rows.iter().copied()).collect();
            others.sort_unstable();
            others
        };
        let fold = |(number, part): (usize, &Vec<usize>)| Self { learn: others(number), judge: part.clone() };
        parts.iter().enumerate().map(fold).collect()
    }
}

/// Cuts the rows by their days into `slices + 1` parts of about equal size. The first fold learns from the first part and is
/// judged by the second, the next learns from both and is judged by the third, and so on. A day is never cut: what is learnt
/// from has a strictly earlier date than all that judges.
///
/// # Errors
/// When the column is missing or a row has no date, `slices` is 0, or there are not more days than slices.
pub fn time_folds(frame: &DataFrame, date: &str, slices: usize) -> Result<Vec<Fold>> {
    let days = column::days(frame, date)?;
    let mut sorted = days.clone();
    sorted.sort_unstable();
    // Where a day begins: its first place in the order of days, and itself.
    let starts: Vec<(usize, i32)> =
        (1..sorted.len()).filter(|&at| sorted[at] != sorted[at - 1]).map(|at| (at, sorted[at])).collect();
    if slices == 0 || slices > starts.len() {
        let known = if sorted.is_empty() { 0 } else { starts.len() + 1 };
        return Err(Error::Setting {
            name: "slices in time".to_owned(),
            expected: "at least 1 and fewer than there are days",
            found: format!("{slices} slices for {known} days"),
        });
    }
    let mut cuts = Vec::with_capacity(slices + 1);
    let mut from = 0;
    for slice in 1..=slices {
        // A day must be left for each of the slices behind.
        let possible = from..starts.len() - (slices - slice);
        let wanted = days.len() * slice / (slices + 1);
        let nearest = possible.min_by_key(|&start| starts[start].0.abs_diff(wanted)).unwrap_or(from);
        cuts.push(starts[nearest].1);
        from = nearest + 1;
    }
    let fold = |slice: usize| {
        let rows = |wanted: &dyn Fn(i32) -> bool| (0..days.len()).filter(|&row| wanted(days[row])).collect();
        let (cut, end) = (cuts[slice], cuts.get(slice + 1));
        Fold { learn: rows(&|day| day < cut), judge: rows(&|day| day >= cut && end.is_none_or(|end| day < *end)) }
    };
    Ok((0..slices).map(fold).collect())
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
