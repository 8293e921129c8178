//! Training and later rows -> a model, and its figures beside the baselines' under each protocol.

use super::{Clearance, ClearanceModel};
use crate::evaluation::Scores;
use crate::lightgbm::Progress;
use crate::{Error, Evaluation, ImporterHistory, LogisticModel, Lookup, Random, Result, Step};
use haetae_display::table::escape;
use haetae_features::{FeatureMatrix, FittedFeatures};
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
        let (fits, key) = (self.folds.saturating_add(1), self.key_columns());
        let (model, evaluation) = self.protocols(&key).judge(train, valid, &mut |number, train, asked| {
            let contest = self.contest(train, &mut |trees| watch(&Stage { fit: 1 + number, fits, trees: *trees }))?;
            let scores = contest.score(asked)?;
            Ok((contest.model, scores))
        })?;
        let importance = model.importance()?;
        Ok(ClearanceRun { model, evaluation, importance })
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
