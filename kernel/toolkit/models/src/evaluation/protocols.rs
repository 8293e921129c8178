//! Training and later rows, and ways to fit -> the figures of each way under each protocol, beside the leakage audit.

use super::{Audit, Evaluation, Protocol};
use crate::{Error, Result};
use haetae_features::{Fold, day_range, group_folds, labelled_rows, rows, target};
use polars::frame::DataFrame;

/// Names in the table, and scores of all rows.
pub(crate) type Scores = Vec<(String, Vec<f64>)>;

/// Fits number `fit` on training rows, and scores others: number 0 is for the protocols full and clean, those behind it are
/// for the folds of the grouped one. What else a fit leaves comes with the scores.
pub(crate) type Contest<'a, T> = &'a mut dyn FnMut(usize, &DataFrame, &DataFrame) -> Result<(T, Scores)>;

/// The columns that say what is judged, and in how many folds.
pub(crate) struct Protocols<'a> {
    pub(crate) target: &'a str,
    pub(crate) date: &'a str,
    pub(crate) revenue: &'a str,
    pub(crate) key: &'a [&'a str],
    pub(crate) folds: usize,
}

impl Protocols<'_> {
    /// The evaluation, and what fit number 0 has left.
    pub(crate) fn judge<T>(
        &self,
        train: &DataFrame,
        later: &DataFrame,
        contest: Contest<'_, T>,
    ) -> Result<(T, Evaluation)> {
        let (labelled, target) = self.labelled("validation rows", later)?;
        let (learnt, _) = self.labelled("training rows", train)?;
        // What the frames lack is said before the first fit, which takes long and is lost with an error.
        let (audit, known) = Audit::with_seen(&learnt, &labelled, self.key, self.target)?;
        let mut evaluation = Evaluation::new(audit);
        self.note_order(train, later, &mut evaluation)?;
        let revenue = self.revenue_of(&labelled)?;
        let together = (self.folds > 0).then(|| self.together(train, later)).transpose()?;
        let (left, scores) = contest(0, train, &labelled)?;
        let judged = Judged { target, revenue, scores };
        judged.add(Protocol::Full, &mut evaluation)?;
        let clean: Vec<usize> = (0..known.len()).filter(|&row| !known[row]).collect();
        judged.only(&clean).add(Protocol::Clean, &mut evaluation)?;
        if let Some((all, folds)) = &together {
            self.grouped(all, folds, &mut evaluation, contest)?;
        }
        Ok((left, evaluation))
    }

    /// The rows with a label, and their labels.
    pub(crate) fn labelled(&self, what: &'static str, frame: &DataFrame) -> Result<(DataFrame, Vec<f64>)> {
        let labelled = labelled_rows(frame, self.target)?;
        if labelled.is_empty() {
            return Err(Error::NoLabels { what, rows: frame.height() });
        }
        let labelled = rows(frame, &labelled)?;
        let target = target(&labelled, self.target)?;
        Ok((labelled, target))
    }

    /// Both frames as one, and the folds that keep keys together.
    fn together(&self, train: &DataFrame, later: &DataFrame) -> Result<(DataFrame, Vec<Fold>)> {
        // By name: the order of columns does not matter anywhere else either.
        let shared = train.columns().iter().map(|column| column.name().as_str());
        let shared: Vec<&str> = shared.filter(|name| later.column(name).is_ok()).collect();
        let all = train.select(&shared)?.vstack(&later.select(&shared)?)?;
        let folds = Fold::leaving_out(&group_folds(&all, self.key, self.folds)?);
        Ok((all, folds))
    }

    /// Every row scored by models that have seen no row of its key.
    fn grouped<T>(
        &self,
        all: &DataFrame,
        folds: &[Fold],
        evaluation: &mut Evaluation,
        contest: Contest<'_, T>,
    ) -> Result<()> {
        let revenue_known = self.revenue_of(all)?.is_some();
        let mut judged: Option<Judged> = None;
        for (number, fold) in folds.iter().enumerate() {
            let (labelled, target) = match self.labelled("a fold", &rows(all, &fold.judge)?) {
                Err(Error::NoLabels { .. }) => continue,
                result => result?,
            };
            let (_, scores) = contest(number + 1, &rows(all, &fold.learn)?, &labelled)?;
            // A fold may hold no amount at all, which then counts as 0 like any other null.
            let revenue = self.revenue_of(&labelled)?.unwrap_or_else(|| vec![0.0; target.len()]);
            let part = Judged { target, revenue: revenue_known.then_some(revenue), scores };
            judged = Some(match judged {
                None => part,
                Some(before) => before.and(part),
            });
        }
        judged.map_or(Ok(()), |judged| judged.add(Protocol::Grouped, evaluation))
    }

    /// What inspections brought, where that is known at all.
    fn revenue_of(&self, frame: &DataFrame) -> Result<Option<Vec<f64>>> {
        let Some(column) = frame.columns().iter().find(|column| column.name().as_str() == self.revenue) else {
            return Ok(None);
        };
        if column.null_count() == column.len() {
            return Ok(None);
        }
        if !column.dtype().is_primitive_numeric() {
            // Cast, a text would be null, and null is no revenue.
            return Err(Error::Features(haetae_features::Error::ColumnType {
                column: self.revenue.to_owned(),
                purpose: "revenue".to_owned(),
                expected: "numbers",
                found: column.dtype().to_string(),
            }));
        }
        let values = column.cast(&polars::prelude::DataType::Float64)?;
        Ok(Some(values.f64()?.iter().map(|value| value.unwrap_or(0.0)).collect()))
    }

    fn note_order(&self, train: &DataFrame, later: &DataFrame, evaluation: &mut Evaluation) -> Result<()> {
        if let (Some((_, last)), Some((first, _))) = (day_range(train, self.date)?, day_range(later, self.date)?)
            && first <= last
        {
            evaluation.note(
                "Validation begins before training ends: these figures are not those of a model that meets the future.",
            );
        }
        Ok(())
    }
}

/// Rows with their labels and the scores of all models.
struct Judged {
    target: Vec<f64>,
    revenue: Option<Vec<f64>>,
    scores: Scores,
}

impl Judged {
    fn only(&self, rows: &[usize]) -> Self {
        let pick = |values: &Vec<f64>| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        Self {
            target: pick(&self.target),
            revenue: self.revenue.as_ref().map(pick),
            scores: self.scores.iter().map(|(name, scores)| (name.clone(), pick(scores))).collect(),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.target.extend(other.target);
        self.revenue = self.revenue.zip(other.revenue).map(|(mut left, right)| {
            left.extend(right);
            left
        });
        for ((_, left), (_, right)) in self.scores.iter_mut().zip(other.scores) {
            left.extend(right);
        }
        self
    }

    fn add(&self, protocol: Protocol, evaluation: &mut Evaluation) -> Result<()> {
        for (name, scores) in &self.scores {
            match evaluation.add(protocol, name, &self.target, scores, self.revenue.as_deref()) {
                Err(error @ (Error::OneClass { .. } | Error::NoLabels { .. })) => {
                    evaluation.note(&format!("Protocol {} is left out: {error}.", protocol.name()));
                    return Ok(());
                }
                result => result?,
            }
        }
        Ok(())
    }
}
