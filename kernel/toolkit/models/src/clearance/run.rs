//! Training and later rows -> a model, and its figures beside the baselines' under each protocol.

use super::{Clearance, ClearanceModel};
use crate::lightgbm::Progress;
use crate::{Audit, Error, Evaluation, ImporterHistory, LogisticModel, Lookup, Protocol, Random, Result, Step};
use haetae_display::table::escape;
use haetae_features::{FeatureMatrix, FittedFeatures, day_range, group_folds, rows};
use polars::frame::DataFrame;
use std::fmt;

/// How far a run has come: it fits the model once, and once more for each fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Which fit, counted from 1.
    pub fit: usize,
    /// How many there are.
    pub fits: usize,
    /// How far this one is.
    pub trees: Progress,
}

/// A fitted model with its figures. Printed, it is the table, the audit and the features that
/// matter most.
#[derive(Debug, Clone)]
pub struct ClearanceRun {
    /// Fitted on the training rows.
    pub model: ClearanceModel,
    /// `LightGBM`, `logistic`, `importer history`, `lookup` and what [`Clearance::unlearnt`] names, under each protocol.
    pub evaluation: Evaluation,
    /// Features by their share of the gain of all splits, greatest first.
    pub importance: Vec<(String, f64)>,
}

/// The model and the baselines, fitted on the same rows.
struct Contest {
    model: ClearanceModel,
    logistic: (FittedFeatures, LogisticModel),
    importer: ImporterHistory,
    lookup: Lookup,
    unlearnt: Option<Vec<(String, String)>>,
}

/// Names in the table, and scores of all rows.
type Scores = Vec<(String, Vec<f64>)>;

/// What `random` is drawn by.
const DRAWN: u64 = 7;

impl Contest {
    fn score(&self, frame: &DataFrame) -> Result<Scores> {
        let (features, logistic) = &self.logistic;
        let mut scores = vec![
            ("LightGBM".to_owned(), self.model.score(frame)?),
            ("logistic".to_owned(), logistic.predict(&features.transform(frame)?)?),
            ("importer history".to_owned(), self.importer.score(frame)?),
            ("lookup".to_owned(), self.lookup.score(frame)?),
        ];
        if let Some(ways) = &self.unlearnt {
            for (name, column) in ways {
                scores.push((name.clone(), unlearnt(frame, column)?));
            }
            let mut random = Random::new(DRAWN);
            scores.push(("random".to_owned(), (0..frame.height()).map(|_| random.unit()).collect()));
        }
        Ok(scores)
    }
}

impl Clearance {
    /// Fits on `train`, and judges model and baselines on `valid`, which is to be later, under the
    /// protocols full, clean and grouped (over both frames).
    ///
    /// A protocol whose rows are none or of one class is left out, with a note in the evaluation.
    ///
    /// # Errors
    /// As [`Clearance::fit`], for either frame.
    pub fn run(&self, train: &DataFrame, valid: &DataFrame) -> Result<ClearanceRun> {
        self.run_watched(train, valid, &mut |_| Step::Go)
    }

    /// As [`Clearance::run`], calling `watch` after each tree: for a progress bar, or to cancel.
    ///
    /// # Errors
    /// As [`Clearance::run`]; [`Error::Cancelled`] when `watch` says [`Step::Cancel`].
    pub fn run_watched(
        &self,
        train: &DataFrame,
        valid: &DataFrame,
        watch: &mut dyn FnMut(&Stage) -> Step,
    ) -> Result<ClearanceRun> {
        let fits = 1 + self.folds;
        let (labelled, target) = self.labelled("validation rows", valid)?;
        let contest = self.contest(train, &mut |trees| watch(&Stage { fit: 1, fits, trees: *trees }))?;

        let (labelled_train, _) = self.labelled("training rows", train)?;
        let audit = Audit::of(&labelled_train, &labelled, &self.key_columns(), &self.target)?;
        let mut evaluation = Evaluation::new(audit);
        self.note_order(train, valid, &mut evaluation)?;
        let revenue = self.revenue_of(&labelled)?;
        let scores = contest.score(&labelled)?;
        let judged = Judged { target, revenue, scores };
        judged.add(Protocol::Full, &mut evaluation)?;
        let known = contest.lookup.knows(&labelled)?;
        let clean: Vec<usize> = (0..known.len()).filter(|&row| !known[row]).collect();
        judged.only(&clean).add(Protocol::Clean, &mut evaluation)?;
        if self.folds > 0 {
            self.grouped(train, valid, &mut evaluation, &mut |fold, trees| {
                watch(&Stage { fit: 2 + fold, fits, trees: *trees })
            })?;
        }
        let importance = contest.model.importance()?;
        Ok(ClearanceRun { model: contest.model, evaluation, importance })
    }

    fn contest(&self, train: &DataFrame, watch: &mut dyn FnMut(&Progress) -> Step) -> Result<Contest> {
        let model = self.fit_watched(train, watch)?;
        let (labelled, target) = self.labelled("training rows", train)?;
        let features = self.plain.fit(&labelled, &self.target, &self.date)?;
        let logistic = self.logistic.fit(&features.transform(&labelled)?, &target)?;
        Ok(Contest {
            model,
            logistic: (features, logistic),
            importer: ImporterHistory::fit(train, &self.importer, &self.target, &self.date)?,
            lookup: Lookup::fit(&labelled, &self.key_columns(), &self.target)?,
            unlearnt: self.unlearnt.clone(),
        })
    }

    /// Every row scored by models that have seen no row of its key.
    fn grouped(
        &self,
        train: &DataFrame,
        valid: &DataFrame,
        evaluation: &mut Evaluation,
        watch: &mut dyn FnMut(usize, &Progress) -> Step,
    ) -> Result<()> {
        // By name: the order of columns does not matter anywhere else either.
        let shared: Vec<&str> = train.columns().iter().map(|column| column.name().as_str()).collect();
        let shared: Vec<&str> = shared.into_iter().filter(|name| valid.column(name).is_ok()).collect();
        let all = train.select(&shared)?.vstack(&valid.select(&shared)?)?;
        let revenue_known = self.revenue_of(&all)?.is_some();
        let folds = group_folds(&all, &self.key_columns(), self.folds)?;
        let mut judged: Option<Judged> = None;
        for (number, fold) in folds.iter().enumerate() {
            let mut held_out = vec![false; all.height()];
            fold.iter().for_each(|&row| held_out[row] = true);
            let others: Vec<usize> = (0..all.height()).filter(|&row| !held_out[row]).collect();
            let contest = self.contest(&rows(&all, &others)?, &mut |trees| watch(number, trees))?;
            let (labelled, target) = match self.labelled("a fold", &rows(&all, fold)?) {
                Err(Error::NoLabels { .. }) => continue,
                result => result?,
            };
            // A fold may hold no amount at all, which then counts as 0 like any other null.
            let revenue = self.revenue_of(&labelled)?.unwrap_or_else(|| vec![0.0; target.len()]);
            let revenue = revenue_known.then_some(revenue);
            let part = Judged { target, revenue, scores: contest.score(&labelled)? };
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
                column: self.revenue.clone(),
                purpose: "revenue".to_owned(),
                expected: "numbers",
                found: column.dtype().to_string(),
            }));
        }
        let values = column.cast(&polars::prelude::DataType::Float64)?;
        Ok(Some(values.f64()?.iter().map(|value| value.unwrap_or(0.0)).collect()))
    }

    fn note_order(&self, train: &DataFrame, valid: &DataFrame, evaluation: &mut Evaluation) -> Result<()> {
        if let (Some((_, last)), Some((first, _))) = (day_range(train, &self.date)?, day_range(valid, &self.date)?)
            && first <= last
        {
            evaluation.note(
                "Validation begins before training ends: these figures are not those of a model that meets the future.",
            );
        }
        Ok(())
    }
}

/// A column of numbers as scores; null below all of them.
fn unlearnt(frame: &DataFrame, column: &str) -> Result<Vec<f64>> {
    let matrix = FeatureMatrix::from_frame(&frame.select([column])?)?;
    if matrix.is_categorical(0) {
        return Err(Error::Features(haetae_features::Error::ColumnType {
            column: column.to_owned(),
            purpose: "a way to choose that learns nothing".to_owned(),
            expected: "numbers",
            found: "codes".to_owned(),
        }));
    }
    Ok(matrix.column(0).iter().map(|value| if value.is_nan() { f64::NEG_INFINITY } else { *value }).collect())
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

impl fmt::Display for ClearanceRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.evaluation, self.importance_line())
    }
}

impl ClearanceRun {
    /// The evaluation as HTML, and the features that matter most.
    pub fn html(&self) -> String {
        format!("{}<p>{}</p>\n", self.evaluation.html(), escape(&self.importance_line()))
    }

    fn importance_line(&self) -> String {
        let top = self.importance.iter().take(8).filter(|(_, share)| *share > 0.0);
        let top: Vec<String> = top.map(|(name, share)| format!("{name} {:.1} %", 100.0 * share)).collect();
        format!("Features by gain: {}.", top.join(", "))
    }
}
