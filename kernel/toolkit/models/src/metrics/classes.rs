//! Several classes, and what was said of each row -> how often that was right, and which were taken for which.

use super::{same_rows, whole};
use crate::check::targets;
use crate::range::Ranges;
use crate::{Error, Objective, Result};
use polars::frame::DataFrame;
use polars::prelude::Column;

/// The class of the greatest score of each row, the first of equal ones. `scores` has one for each class, row after row, as
/// forests, LightGBM and logistic regression of several classes give them.
///
/// # Errors
/// [`Error::Parameter`] where there are not as many scores as classes for every row, [`Error::NotANumber`] for a score.
pub fn likeliest(scores: &[f64], classes: usize) -> Result<Vec<f64>> {
    if classes == 0 || !scores.len().is_multiple_of(classes) {
        let found = format_args!("{classes} for {} scores", scores.len());
        return Ranges("metric").refuse("classes", "as many classes as each row has scores", found);
    }
    if let Some(at) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::NotANumber { what: "scores", row: at / classes });
    }
    let best = |row: &[f64]| (1..classes).fold(0, |best, class| if row[class] > row[best] { class } else { best });
    Ok(scores.chunks_exact(classes).map(|row| whole(best(row))).collect())
}

/// Share of the rows whose class was found.
///
/// # Errors
/// When the lists differ in length or are empty, and [`Error::NotANumber`] for a class that is none.
pub fn accuracy(target: &[f64], found: &[f64]) -> Result<f64> {
    same_rows(target, found)?;
    for (what, list) in [("target", target), ("found", found)] {
        if let Some(row) = list.iter().position(|class| class.is_nan()) {
            return Err(Error::NotANumber { what, row });
        }
    }
    Ok(whole(target.iter().zip(found).filter(|(target, found)| target == found).count()) / whole(target.len()))
}

/// Logarithmic loss of several classes: the mean of `-ln` of the probability that was given to the class that came true;
/// less is better. A probability is taken as no nearer to 0 than 2.2e-16.
///
/// # Errors
/// When there are not as many probabilities as classes for every target, and for targets and probabilities that are none.
pub fn log_loss_of_classes(target: &[f64], probabilities: &[f64], classes: usize) -> Result<f64> {
    if target.is_empty() {
        return Err(Error::NoLabels { what: "target", rows: 0 });
    }
    if classes == 0 || target.len().checked_mul(classes) != Some(probabilities.len()) {
        let found = format_args!("{classes} for {} rows and {} probabilities", target.len(), probabilities.len());
        return Ranges("metric").refuse("classes", "as many classes as each row has probabilities", found);
    }
    targets(target.len(), target, Objective::Classes(classes))?;
    if let Some(at) = probabilities.iter().position(|probability| !(0.0..=1.0).contains(probability)) {
        return Err(Error::Probability { row: at / classes, found: probabilities[at] });
    }
    let loss = |(row, &class): (&[f64], &f64)| -row[place(class)].max(f64::EPSILON).ln();
    Ok(probabilities.chunks_exact(classes).zip(target).map(loss).sum::<f64>() / whole(target.len()))
}

/// Which classes were taken for which: a row for each class with its number of `rows`, how many of them were found
/// `as_0`, `as_1` …, and its `precision` and `recall`; null where there is nothing to divide by.
///
/// # Errors
/// When the lists differ in length or are empty, [`Error::Parameter`] for other than 1 to 1000 classes, and [`Error::Target`]
/// for what is none of the classes in either.
pub fn confusion(target: &[f64], found: &[f64], classes: usize) -> Result<DataFrame> {
    same_rows(target, found)?;
    Ranges("metric").whole("classes", classes, 1..=1000)?;
    targets(target.len(), target, Objective::Classes(classes))?;
    targets(target.len(), found, Objective::Classes(classes))?;
    let mut counts = vec![vec![0_u64; classes]; classes];
    for (&class, &as_class) in target.iter().zip(found) {
        counts[place(as_class)][place(class)] += 1;
    }
    let of_class = |class: usize| counts.iter().map(|found| found[class]).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let share = |class: usize, of: u64| (of > 0).then(|| counts[class][class] as f64 / of as f64);
    let mut columns = vec![
        Column::new("class".into(), (0..classes as u64).collect::<Vec<_>>()),
        Column::new("rows".into(), (0..classes).map(of_class).collect::<Vec<_>>()),
    ];
    columns
        .extend(counts.iter().enumerate().map(|(class, own)| Column::new(format!("as_{class}").into(), own.clone())));
    let precision = (0..classes).map(|class| share(class, counts[class].iter().sum()));
    let recall = (0..classes).map(|class| share(class, of_class(class)));
    columns.push(Column::new("precision".into(), precision.collect::<Vec<_>>()));
    columns.push(Column::new("recall".into(), recall.collect::<Vec<_>>()));
    Ok(DataFrame::new(classes, columns)?)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "classes have been checked")]
fn place(class: f64) -> usize {
    class as usize
}
