//! Growing the trees one by one, so that a fit can be watched, ended and cancelled.

use super::ffi::{Dataset, Learner};
use super::model::LightGbmModel;
use super::{CheckedLightGbm, Metric, Objective, OwnLoss};
use crate::check::{check_rows, check_weights, same_types, several_classes};
use crate::metrics::both_classes;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_display::{stop, work};
use haetae_features::FeatureMatrix;

/// How far a fit has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Trees grown.
    pub done: usize,
    /// Trees asked for.
    pub of: usize,
    /// The metric on validation rows after this tree, where there are such rows.
    pub metric: Option<f64>,
}

/// What is to happen after a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Grow the next.
    Go,
    /// Keep the trees so far as the model.
    Stop,
    /// Keep nothing: the fit fails with [`Error::Cancelled`]. The stop button of a notebook says so too.
    Cancel,
}

pub(super) struct Watched<'a> {
    pub(super) checked: &'a CheckedLightGbm,
    /// Of the training rows; none where all weigh the same.
    pub(super) weights: &'a [f64],
    /// What is learnt in place of the objective.
    pub(super) loss: Option<OwnLoss<'a>>,
    pub(super) watch: &'a mut dyn FnMut(&Progress) -> Step,
}

impl Watched<'_> {
    pub(super) fn fit(
        &mut self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: Option<(&FeatureMatrix, &[f64])>,
    ) -> Result<LightGbmModel> {
        let objective = self.loss.map_or(self.checked.params.objective, |_| Objective::Value);
        check_rows("training rows", features, target, objective)?;
        check_weights(self.weights, target, objective)?;
        match objective {
            Objective::Binary => both_classes(target)?,
            Objective::Classes(_) => several_classes(target)?,
            Objective::Value if self.loss.is_none() => in_32_bits(target)?,
            Objective::Value => {}
        }
        if let Some(row) = self.weights.iter().position(|weight| *weight != 0.0 && !(1e-30..=1e30).contains(weight)) {
            let expected = "0, or numbers from 1e-30 to 1e30: the library keeps them in 32 bits";
            let found = format_args!("{:e} in row {row}", self.weights[row]);
            return Ranges("LightGBM").refuse("weights", expected, found);
        }
        check_names(features)?;
        let text = self.checked.text(features, self.loss.is_some())?;
        let threads = self.checked.params.threads;
        let mut train = Dataset::new(features.values(), features.rows(), features.columns(), &text, threads, None)?;
        train.set_names(features.names())?;
        train.set_target(target)?;
        if !self.weights.is_empty() {
            train.set_weights(self.weights)?;
        }
        let valid_set = match valid {
            None => None,
            Some((valid, valid_target)) => {
                check_rows("validation rows", valid, valid_target, objective)?;
                if objective == Objective::Value {
                    in_32_bits(valid_target)?;
                }
                if matches!(self.checked.metric, Metric::Auc | Metric::AveragePrecision) {
                    // Of one class it is 1 whatever the trees do: a fit with patience would end at the first.
                    both_classes(valid_target)?;
                }
                same_types(features.names(), &|i| features.is_categorical(i), valid)?;
                let mut set =
                    Dataset::new(valid.values(), valid.rows(), valid.columns(), &text, threads, Some(&train))?;
                set.set_target(valid_target)?;
                Some(set)
            }
        };
        let learner = Learner::new(&train, valid_set.as_ref(), &text)?;
        let (learner, trees) = self.grow(learner, target)?;
        // Read back from text: what is used is what is saved, and the training rows are let go.
        LightGbmModel::from_text_with(learner.text(trees)?, threads)
    }

    fn grow<'d>(&mut self, mut learner: Learner<'d>, target: &[f64]) -> Result<(Learner<'d>, usize)> {
        let of = self.checked.params.trees;
        let more_is_better = self.checked.metric.more_is_better();
        let mut best: Option<(f64, usize)> = None;
        work::say("trees", 0, of);
        let mut grown = of;
        for done in 1..=of {
            let finished = match self.loss {
                None => learner.step()?,
                Some(loss) => along(&mut learner, loss, target)?,
            };
            let metric = learner.metric()?;
            if let Some(value) = metric {
                let better = best.is_none_or(|(known, _)| if more_is_better { value > known } else { value < known });
                if better {
                    best = Some((value, done));
                }
            }
            work::say("trees", done, of);
            // The stop button of the notebook counts as the watcher's word.
            let step = if stop::requested() { Step::Cancel } else { (self.watch)(&Progress { done, of, metric }) };
            match step {
                Step::Go => {}
                Step::Stop => {
                    grown = done;
                    break;
                }
                Step::Cancel => return Err(Error::Cancelled { what: "trees", done, of }),
            }
            let tired = match (self.checked.params.patience, best) {
                (Some(patience), Some((_, at))) => done - at >= patience,
                _ => false,
            };
            if finished || tired {
                grown = done;
                break;
            }
        }
        let kept = match (self.checked.params.patience, best) {
            (Some(_), Some((_, at))) => at,
            _ => grown,
        };
        Ok((learner, kept))
    }
}

/// The library takes greater numbers for 1e38, without a word.
fn in_32_bits(target: &[f64]) -> Result<()> {
    match target.iter().position(|value| value.abs() >= 1e38) {
        None => Ok(()),
        Some(row) => {
            let expected = "a number between -1e38 and 1e38: LightGBM keeps targets in 32 bits".to_owned();
            Err(Error::Target { row, expected, found: target[row] })
        }
    }
}

/// One more tree along the gradients of a loss.
fn along(learner: &mut Learner<'_>, loss: OwnLoss<'_>, target: &[f64]) -> Result<bool> {
    let (gradients, curvatures) = loss(&learner.scores()?, target);
    #[expect(clippy::cast_possible_truncation, reason = "the library takes gradients as f32")]
    let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<f32>>();
    let (slopes, bends) = (narrow(&gradients), narrow(&curvatures));
    // As the library gets them: what is finite in f64 may be infinite in f32.
    let wrong = |(slope, bend): (&f32, &f32)| !(slope.is_finite() && *bend >= 0.0 && bend.is_finite());
    if let Some(row) = slopes.iter().zip(&bends).position(wrong) {
        let found = format_args!("{} and {} in row {row}", gradients[row], curvatures[row]);
        let expected = "finite gradients, and finite curvatures of at least 0, in 32 bits";
        return Ranges("LightGBM").refuse("loss", expected, found);
    }
    learner.step_along(&slopes, &bends)
}

fn check_names(features: &FeatureMatrix) -> Result<()> {
    let bad = |name: &String| {
        name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || "\",:[]{}".contains(c))
    };
    match features.names().iter().find(|name| bad(name)) {
        Some(name) => Err(Error::FeatureName { name: name.clone() }),
        None => Ok(()),
    }
}
