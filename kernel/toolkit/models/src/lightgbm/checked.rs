//! Parameters in their ranges -> a fit, and the words that the library is told.

use super::fit::{Progress, Step, Watched};
use super::goal::{Objective, OwnLoss};
use super::model::LightGbmModel;
use super::params::LightGbmParams;
use crate::{Error, Result};
use haetae_features::FeatureMatrix;

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedLightGbm {
    pub(super) params: LightGbmParams,
    pub(super) metric: super::goal::Metric,
}

impl CheckedLightGbm {
    /// Grows trees on `features` (NaN is missing; categorical columns are split by sets of their
    /// codes) for a `target` of one number a row.
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, the target does not fit the objective (values of 1e38 and more,
    /// which the library cannot keep, neither), all rows have one class, a name cannot stand in the model's text, or the
    /// library refuses.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<LightGbmModel> {
        self.fit_watched(features, target, None, &mut |_| Step::Go)
    }

    /// As [`CheckedLightGbm::fit`], measuring after each tree on `valid` rows, and stopping early
    /// where [`LightGbmParams::patience`] says so: the model then ends with the best tree.
    ///
    /// # Errors
    /// As [`CheckedLightGbm::fit`], for both sets of rows.
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: &FeatureMatrix,
        valid_target: &[f64],
    ) -> Result<LightGbmModel> {
        self.fit_watched(features, target, Some((valid, valid_target)), &mut |_| Step::Go)
    }

    /// As the two above, calling `watch` after each tree: for a progress bar, to end with the trees
    /// so far, or to cancel.
    ///
    /// # Errors
    /// As [`CheckedLightGbm::fit`]; [`Error::Cancelled`] when `watch` says [`Step::Cancel`].
    pub fn fit_watched(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: Option<(&FeatureMatrix, &[f64])>,
        watch: &mut dyn FnMut(&Progress) -> Step,
    ) -> Result<LightGbmModel> {
        Watched { checked: self, weights: &[], loss: None, watch }.fit(features, target, valid)
    }

    /// As [`CheckedLightGbm::fit`], each row weighing as much as `weights` says. Least rows of a leaf are counted, not
    /// weighed.
    ///
    /// # Errors
    /// As there, [`Error::Weight`] for a weight that is negative or no number, [`Error::Parameter`] for one above 0 that is
    /// not from 1e-30 to 1e30, and where only rows of one class, or none, weigh anything.
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<LightGbmModel> {
        if weights.len() != target.len() {
            return Err(Error::Rows { what: "weights", expected: target.len(), found: weights.len() });
        }
        Watched { checked: self, weights, loss: None, watch: &mut |_| Step::Go }.fit(features, target, None)
    }

    /// As [`CheckedLightGbm::fit`], for a loss of one's own in place of the objective: each tree goes along the gradients
    /// of `loss` at the scores of the trees so far, which begin at 0. `predict` gives these scores, without a link
    /// function. The targets are any finite numbers.
    ///
    /// # Errors
    /// As there; [`Error::Parameter`] where `loss` gives a gradient that is no finite number, or a curvature that is none
    /// of at least 0, and [`Error::Rows`] where it gives fewer or more than there are rows.
    pub fn fit_own(&self, features: &FeatureMatrix, target: &[f64], loss: OwnLoss<'_>) -> Result<LightGbmModel> {
        Watched { checked: self, weights: &[], loss: Some(loss), watch: &mut |_| Step::Go }.fit(features, target, None)
    }

    /// What the library is told, for these features: `name=value` with spaces between. Threads are given to each call.
    pub(super) fn text(&self, features: &FeatureMatrix, own: bool) -> Result<String> {
        let p = &self.params;
        let objective = match p.objective {
            _ if own => "custom".to_owned(),
            Objective::Binary => "binary".to_owned(),
            Objective::Classes(classes) => format!("multiclass num_class={classes}"),
            Objective::Value => "regression".to_owned(),
        };
        let mut text = format!(
            "objective={objective} metric={metric} num_iterations={} num_leaves={} max_depth={} \
             learning_rate={} min_data_in_leaf={} bagging_fraction={} bagging_freq={} \
             feature_fraction={} lambda_l1={} lambda_l2={} max_bin={} seed={} \
             deterministic=true force_row_wise=true verbosity=-1",
            p.trees,
            p.leaves,
            p.depth.map_or(-1, |depth| i32::try_from(depth).unwrap_or(-1)),
            p.learning_rate,
            p.min_rows_in_leaf,
            p.row_share,
            i32::from(p.row_share < 1.0),
            p.feature_share,
            p.l1,
            p.l2,
            p.bins,
            p.seed,
            metric = if own { "none" } else { self.metric.name(p.objective) },
        );
        let categorical: Vec<String> =
            (0..features.columns()).filter(|&i| features.is_categorical(i)).map(|i| i.to_string()).collect();
        if !categorical.is_empty() {
            text.push_str(" categorical_feature=");
            text.push_str(&categorical.join(","));
        }
        if !(p.increasing.is_empty() && p.decreasing.is_empty()) {
            let unknown = p.increasing.iter().chain(&p.decreasing).find(|name| features.position(name).is_none());
            if let Some(name) = unknown {
                return Err(Error::UnknownFeature { name: name.clone(), found: features.names().join(", ") });
            }
            let signs = features.names().iter().map(|name| {
                if p.increasing.contains(name) {
                    "1"
                } else if p.decreasing.contains(name) {
                    "-1"
                } else {
                    "0"
                }
            });
            text.push_str(" monotone_constraints=");
            text.push_str(&signs.collect::<Vec<_>>().join(","));
        }
        Ok(text)
    }
}
