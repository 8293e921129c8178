//! Fitted features and trees together: frames in, scores and their reasons out.

use super::Clearance;
use crate::file::{About, Described, Origin, stored};
use crate::{LightGbmModel, Result};
use haetae_features::{FeatureMatrix, FittedFeatures};
use polars::frame::DataFrame;

/// A fitted clearance model. Cheap to clone but for its histories. A file of it holds these too: what is asked of
/// declarations of later needs nothing else.
#[derive(Clone)]
pub struct ClearanceModel {
    features: FittedFeatures,
    model: LightGbmModel,
    origin: Origin,
}

impl std::fmt::Debug for ClearanceModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "clearance model, {} trees on {:?}", self.model.trees(), self.features)
    }
}

impl ClearanceModel {
    pub(super) fn new(features: FittedFeatures, model: LightGbmModel, recipe: &Clearance) -> Self {
        Self { features, model, origin: Origin::of(recipe) }
    }

    /// Probability of fraud of every row, 0 to 1. Neither label nor revenue need be in the frame.
    ///
    /// # Errors
    /// When a column is missing or has changed its type, or a date is null.
    pub fn score(&self, frame: &DataFrame) -> Result<Vec<f64>> {
        self.model.predict(&self.matrix(frame)?)
    }

    /// For every row the features that raise its score most, with what each adds to the log-odds;
    /// at most `count`, greatest first.
    ///
    /// # Errors
    /// As [`ClearanceModel::score`].
    pub fn reasons(&self, frame: &DataFrame, count: usize) -> Result<Vec<Vec<(String, f64)>>> {
        let contributions = self.model.contributions(&self.matrix(frame)?)?;
        Ok((0..contributions.rows()).map(|row| contributions.reasons(row, 0, count)).collect())
    }

    /// The columns that [`ClearanceModel::score`] reads, each once, by their names: what a query has to ask for.
    pub fn columns(&self) -> Vec<String> {
        self.features.columns()
    }

    /// The features of a frame, as the trees see them.
    ///
    /// # Errors
    /// As [`ClearanceModel::score`].
    pub fn matrix(&self, frame: &DataFrame) -> Result<FeatureMatrix> {
        Ok(self.features.transform(frame)?)
    }

    /// Features by their share of the gain of all splits, greatest first.
    ///
    /// # Errors
    /// [`crate::Error::Library`] where the library refuses.
    pub fn importance(&self) -> Result<Vec<(String, f64)>> {
        let mut gains = self.model.importance()?;
        let all: f64 = gains.iter().map(|(_, gain)| gain).sum();
        if all > 0.0 {
            gains.iter_mut().for_each(|(_, gain)| *gain /= all);
        }
        Ok(gains)
    }

    /// The trees.
    pub fn trees(&self) -> &LightGbmModel {
        &self.model
    }
}

stored!(ClearanceModel { features, model, origin });

impl Described for ClearanceModel {
    fn about(&self) -> About {
        let schema = self.features.schema();
        let categorical = |i: usize| schema.get(i).is_some_and(|feature| feature.1);
        About::new(self.model.names(), &categorical, &self.origin)
    }

    fn is_sound(&self) -> bool {
        self.features.is_sound() && self.features.names() == self.model.names()
    }
}
