//! Ways to fit, and training rows in folds -> which way does best on rows that it has not learnt from, within training.

use crate::bootstrap::Figure;
use crate::progress::step;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_features::{FeatureMatrix, Fold};
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::fmt;

/// A way to fit: features and target of training rows, and features of later rows -> the scores of the later ones.
pub type Candidate<'a> = &'a dyn Fn(&FeatureMatrix, &[f64], &FeatureMatrix) -> Result<Vec<f64>>;

/// What each way came to, and which was best; see [`choose_in_time`].
#[derive(Clone, PartialEq)]
pub struct Choice {
    names: Vec<String>,
    /// The figures of each candidate, a slice after the other.
    figures: Vec<Vec<f64>>,
}

#[expect(clippy::cast_precision_loss, reason = "few slices")]
impl Choice {
    /// Position of the best among the candidates: the greatest mean, the first of equal ones.
    pub fn best(&self) -> usize {
        let means = self.means();
        (1..means.len()).fold(0, |best, i| if means[i] > means[best] { i } else { best })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.names[self.best()]
    }

    /// The mean figure of each candidate.
    pub fn means(&self) -> Vec<f64> {
        self.figures.iter().map(|own| own.iter().sum::<f64>() / own.len() as f64).collect()
    }

    /// A row for each candidate: `candidate`, `slice_1` … and `mean`.
    ///
    /// # Errors
    /// Never of what [`choose_in_time`] returns.
    pub fn frame(&self) -> Result<DataFrame> {
        let slices = self.figures.first().map_or(0, Vec::len);
        let slice = |i: usize| {
            let values: Vec<f64> = self.figures.iter().map(|own| own[i]).collect();
            Column::new(format!("slice_{}", i + 1).into(), values)
        };
        let mut columns = vec![Column::new("candidate".into(), self.names.clone())];
        columns.extend((0..slices).map(slice));
        columns.push(Column::new("mean".into(), self.means()));
        Ok(DataFrame::new(self.names.len(), columns)?)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "best: {}", self.name())?;
        let means = self.means();
        for (i, (name, own)) in self.names.iter().zip(&self.figures).enumerate() {
            let parts: Vec<String> = own.iter().map(|figure| format!("{figure:.4}")).collect();
            let end = if i + 1 < self.names.len() { "\n" } else { "" };
            write!(f, "{name}: mean {:.4} of {}{end}", means[i], parts.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Chooses parameters or families without a look at the rows that will judge them: the training rows, in the order of
/// their days, are cut into `slices + 1` parts of equal size; each candidate is fitted on the first part and measured on the
/// second, fitted on the first two and measured on the third, and so on. The cuts go by rows, so that rows of one day may lie
/// on both sides of one: [`choose_on_folds`] with [`haetae_features::time_folds`] never cuts a day. Fit the best on all
/// training rows then, and judge it on later ones. `figure` is one of which more is better, such as
/// `&metrics::average_precision`.
///
/// # Errors
/// When there is no candidate, lengths differ, `slices` is 0 or as many as there are rows, a figure is no number, or as a
/// fit or the figure: a small part may hold one class only.
pub fn choose_in_time(
    candidates: &[(&str, Candidate<'_>)],
    features: &FeatureMatrix,
    target: &[f64],
    slices: usize,
    figure: Figure<'_>,
) -> Result<Choice> {
    let rows = features.rows();
    if target.len() != rows {
        return Err(Error::Rows { what: "target", expected: rows, found: target.len() });
    }
    if slices == 0 || slices >= rows {
        return CHOICE.refuse(
            "slices",
            "1 up to one less than there are rows",
            format_args!("{slices} for {rows} rows"),
        );
    }
    let cut = |part: usize| rows * part / (slices + 1);
    let fold = |slice: usize| Fold { learn: (0..cut(slice)).collect(), judge: (cut(slice)..cut(slice + 1)).collect() };
    choose_on_folds(candidates, features, target, &(1..=slices).map(fold).collect::<Vec<_>>(), figure)
}

/// As [`choose_in_time`], on folds of one's own: [`haetae_features::time_folds`] cuts between days, whatever the order of the
/// rows, and [`Fold::leaving_out`] of [`haetae_features::group_folds`] keeps groups together. Features that were fitted with
/// targets (histories) must stand on earlier rows, as those of [`haetae_features::FeatureBuilder`] do.
///
/// # Errors
/// When there is no candidate or no fold, lengths differ, a fold names a row that is not there or one on both its sides, a
/// figure is no number, or as a fit or the figure.
pub fn choose_on_folds(
    candidates: &[(&str, Candidate<'_>)],
    features: &FeatureMatrix,
    target: &[f64],
    folds: &[Fold],
    figure: Figure<'_>,
) -> Result<Choice> {
    let rows = features.rows();
    if target.len() != rows {
        return Err(Error::Rows { what: "target", expected: rows, found: target.len() });
    }
    CHOICE.whole("number of candidates", candidates.len(), 1..=usize::MAX)?;
    CHOICE.whole("number of folds", folds.len(), 1..=usize::MAX)?;
    folds.iter().try_for_each(|fold| sound(fold, rows))?;
    let mut figures = vec![Vec::with_capacity(folds.len()); candidates.len()];
    for (number, fold) in folds.iter().enumerate() {
        let (learn, judge) = (features.select_rows(&fold.learn), features.select_rows(&fold.judge));
        let of = |rows: &[usize]| rows.iter().map(|&row| target[row]).collect::<Vec<f64>>();
        let (known, truth) = (of(&fold.learn), of(&fold.judge));
        for (i, (name, fit)) in candidates.iter().enumerate() {
            step("fits", number * candidates.len() + i, folds.len() * candidates.len())?;
            let found = figure(&truth, &fit(&learn, &known, &judge)?)?;
            if found.is_nan() {
                return CHOICE.refuse("figure", "a number", format_args!("NaN of `{name}` on slice {}", number + 1));
            }
            figures[i].push(found);
        }
    }
    Ok(Choice { names: candidates.iter().map(|(name, _)| (*name).to_owned()).collect(), figures })
}

const CHOICE: Ranges = Ranges("choice");

/// A row is there, and not on both sides.
fn sound(fold: &Fold, rows: usize) -> Result<()> {
    if let Some(row) = fold.learn.iter().chain(&fold.judge).find(|row| **row >= rows) {
        return CHOICE.refuse("folds", format!("rows below {rows}"), row);
    }
    let mut learnt = vec![false; rows];
    fold.learn.iter().for_each(|&row| learnt[row] = true);
    match fold.judge.iter().find(|row| learnt[**row]) {
        None => Ok(()),
        Some(row) => CHOICE.refuse(
            "folds",
            "each row on one side",
            format_args!("row {row} among those to learn from and to judge by"),
        ),
    }
}
