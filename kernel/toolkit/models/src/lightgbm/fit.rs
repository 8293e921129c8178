//! Growing the trees one by one, so that a fit can be watched, ended and cancelled.

use super::ffi::{Dataset, Learner};
use super::model::LightGbmModel;
use super::params::{CheckedLightGbm, Metric, Objective};
use crate::metrics::both_classes;
use crate::{Error, Result};
use haetae_display::stop;
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
    pub(super) watch: &'a mut dyn FnMut(&Progress) -> Step,
}

impl Watched<'_> {
    pub(super) fn fit(
        &mut self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: Option<(&FeatureMatrix, &[f64])>,
    ) -> Result<LightGbmModel> {
        let objective = self.checked.params.objective;
        check_rows("training rows", features, target, objective)?;
        if objective == Objective::Binary {
            both_classes(target)?;
        }
        check_names(features)?;
        let text = self.checked.text(features)?;
        let mut train = Dataset::new(features.values(), features.rows(), features.columns(), &text, None)?;
        train.set_names(features.names())?;
        train.set_target(target)?;
        let valid_set = match valid {
            None => None,
            Some((valid, valid_target)) => {
                check_rows("validation rows", valid, valid_target, objective)?;
                if matches!(self.checked.metric, Metric::Auc | Metric::AveragePrecision) {
                    // Of one class it is 1 whatever the trees do: a fit with patience would end at the first.
                    both_classes(valid_target)?;
                }
                same_features(features.names(), valid.names())?;
                let mut set = Dataset::new(valid.values(), valid.rows(), valid.columns(), &text, Some(&train))?;
                set.set_target(valid_target)?;
                Some(set)
            }
        };
        let learner = Learner::new(&train, valid_set.as_ref(), &text)?;
        let (learner, trees) = self.grow(learner)?;
        // Read back from text: what is used is what is saved, and the training rows are let go.
        LightGbmModel::from_text_with(learner.text(trees)?, self.checked.params.threads)
    }

    fn grow<'d>(&mut self, mut learner: Learner<'d>) -> Result<(Learner<'d>, usize)> {
        let of = self.checked.params.trees;
        let more_is_better = self.checked.metric.more_is_better();
        let mut best: Option<(f64, usize)> = None;
        let mut grown = of;
        for done in 1..=of {
            let finished = learner.step()?;
            let metric = learner.metric()?;
            if let Some(value) = metric {
                let better = best.is_none_or(|(known, _)| if more_is_better { value > known } else { value < known });
                if better {
                    best = Some((value, done));
                }
            }
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

pub(crate) fn check_rows(
    what: &'static str,
    features: &FeatureMatrix,
    target: &[f64],
    objective: Objective,
) -> Result<()> {
    if features.rows() == 0 || features.columns() == 0 {
        return Err(Error::Empty { what, rows: features.rows(), columns: features.columns() });
    }
    if target.len() != features.rows() {
        return Err(Error::Rows { what: "target", expected: features.rows(), found: target.len() });
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 10000 classes")]
    let wrong = |value: f64| match objective {
        Objective::Binary => value != 0.0 && value != 1.0,
        Objective::Classes(classes) => !(value.fract() == 0.0 && value >= 0.0 && value < classes as f64),
        Objective::Value => !value.is_finite(),
    };
    if let Some(row) = target.iter().position(|&value| wrong(value)) {
        let expected = match objective {
            Objective::Binary => "0 or 1".to_owned(),
            Objective::Classes(classes) => format!("a whole number from 0 to {}", classes - 1),
            Objective::Value => "a finite number".to_owned(),
        };
        return Err(Error::Target { row, expected, found: target[row] });
    }
    for i in (0..features.columns()).filter(|&i| features.is_categorical(i)) {
        let column = features.column(i);
        // The library drops negative codes silently and cuts fractions off.
        let wrong =
            |value: f64| !value.is_nan() && (value.fract() != 0.0 || value < 0.0 || value > f64::from(i32::MAX));
        if let Some(row) = column.iter().position(|&value| wrong(value)) {
            return Err(Error::Category { name: features.names()[i].clone(), row, found: column[row] });
        }
    }
    Ok(())
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

/// Fails at the first feature that differs.
pub(crate) fn same_features(expected: &[String], found: &[String]) -> Result<()> {
    let name = |names: &[String], position: usize| names.get(position).cloned().unwrap_or_else(|| "nothing".to_owned());
    let len = expected.len().max(found.len());
    match (0..len).find(|&i| expected.get(i) != found.get(i)) {
        None => Ok(()),
        Some(position) => {
            Err(Error::FeatureMismatch { position, expected: name(expected, position), found: name(found, position) })
        }
    }
}
