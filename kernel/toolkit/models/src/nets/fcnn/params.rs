//! What a net of layers is like, checked before anything is fitted; and its fit.

use super::layers::{Mlp, Rows, form};
use super::model::FcnnModel;
use crate::check::{check_rows, check_weights, finite, same_types};
use crate::file::Origin;
use crate::metrics::both_classes;
use crate::nets::device::fit;
use crate::nets::front::{Encoder, MOST_WIDTH};
use crate::nets::goal::Goal;
use crate::nets::methods::training_methods;
use crate::nets::training::{Training, row_weights};
use crate::range::Ranges;
use crate::{Error, Objective, Result};
use haetae_features::FeatureMatrix;

const MODEL: &str = "FCNN";

/// A net of layers that are wholly connected (multilayer perceptron), on numbers and on embeddings of categories.
///
/// Sources: Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, 1986; Guo and
/// Berkhahn, *Entity embeddings of categorical variables*, 2016.
#[derive(Debug, Clone, Copy)]
pub struct Fcnn;

impl Fcnn {
    /// The parameters to start from.
    pub fn params() -> FcnnParams {
        FcnnParams::default()
    }
}

/// Parameters of [`Fcnn`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct FcnnParams {
    objective: Objective,
    hidden: Vec<usize>,
    layer_norm: bool,
    min_rows: usize,
    embedding: usize,
    training: Training,
}

impl Default for FcnnParams {
    fn default() -> Self {
        let (objective, training) = (Objective::Binary, Training::new(256));
        Self { objective, hidden: vec![64, 32], layer_norm: false, min_rows: 10, embedding: 16, training }
    }
}

impl FcnnParams {
    /// What is learnt: [`Objective::Binary`], or [`Objective::Value`] by the squared error in deviations of the target
    /// (`predict` gives values then, and losses are squared deviations); binary unless said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Widths of the layers between inputs and score, 1 to 8192 each, at most 16 of them; 64 and 32 unless said.
    #[must_use]
    pub fn hidden(mut self, widths: &[usize]) -> Self {
        self.hidden = widths.to_vec();
        self
    }

    /// Whether the sums of each layer between are brought to mean 0 and deviation 1 within a row (Ba, Kiros and Hinton,
    /// *Layer normalization*, 2016); false unless said. It helps nets of many layers.
    #[must_use]
    pub fn layer_norm(mut self, layer_norm: bool) -> Self {
        self.layer_norm = layer_norm;
        self
    }

    /// Fewest training rows of a category that gets a place of its own; rarer ones, and those that training did not
    /// have, share one; 10 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Greatest width of an embedding, 1 to 256; 16 unless said. Few categories have narrower ones.
    #[must_use]
    pub fn embedding(mut self, width: usize) -> Self {
        self.embedding = width;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedFcnn> {
        let ranges = Ranges(MODEL);
        ranges.whole("number of hidden layers", self.hidden.len(), 0..=16)?;
        self.hidden.iter().try_for_each(|&width| ranges.whole("hidden", width, 1..=8192))?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.whole("embedding", self.embedding, 1..=MOST_WIDTH)?;
        self.training.check(MODEL)?;
        Goal::check(ranges, self.objective, self.training.class_weight)?;
        Ok(CheckedFcnn { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedFcnn::fit`].
    ///
    /// # Errors
    /// As [`FcnnParams::check`] and [`CheckedFcnn::fit`].
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<FcnnModel> {
        self.check()?.fit(features, target)
    }

    /// Checks the parameters and fits; see [`CheckedFcnn::fit_weighted`].
    ///
    /// # Errors
    /// As [`FcnnParams::check`] and [`CheckedFcnn::fit_weighted`].
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<FcnnModel> {
        self.check()?.fit_weighted(features, target, weights)
    }

    /// Checks the parameters and fits; see [`CheckedFcnn::fit_valid`].
    ///
    /// # Errors
    /// As [`FcnnParams::check`] and [`CheckedFcnn::fit_valid`].
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: &FeatureMatrix,
        valid_target: &[f64],
    ) -> Result<FcnnModel> {
        self.check()?.fit_valid(features, target, valid, valid_target)
    }
}

training_methods!(FcnnParams, "Rows of a batch, 1 to 1048576; 256 unless said.");

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedFcnn {
    params: FcnnParams,
}

impl CheckedFcnn {
    /// Fits a net to a `target` of 0 and 1, or of values (see [`FcnnParams::objective`]). Numbers are brought to mean 0 and deviation 1 and count as at most 10
    /// deviations; a missing one becomes 0, and where training rows miss it, a second input says so. Categories become
    /// embeddings (a missing value is a category too).
    ///
    /// # Errors
    /// When there is nothing to learn from, lengths differ, a target is neither 0 nor 1, all are equal, a number is
    /// infinite, a code is none, the loss grows beyond all numbers ([`Error::Diverged`]), or the notebook's stop button
    /// was pressed.
    pub fn fit(&self, features: &FeatureMatrix, target: &[f64]) -> Result<FcnnModel> {
        self.run(features, target, &[], None)
    }

    /// As [`CheckedFcnn::fit`], each row weighing as much as `weights` says.
    ///
    /// # Errors
    /// As there, and [`Error::Weight`] for a weight that is negative or no number.
    pub fn fit_weighted(&self, features: &FeatureMatrix, target: &[f64], weights: &[f64]) -> Result<FcnnModel> {
        if weights.len() != target.len() {
            return Err(Error::Rows { what: "weights", expected: target.len(), found: weights.len() });
        }
        self.run(features, target, weights, None)
    }

    /// As [`CheckedFcnn::fit`], with the loss on `valid` rows after each epoch; see [`FcnnParams::patience`].
    ///
    /// # Errors
    /// As [`CheckedFcnn::fit`], for both sets of rows, of which the second may have one class only.
    pub fn fit_valid(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        valid: &FeatureMatrix,
        valid_target: &[f64],
    ) -> Result<FcnnModel> {
        self.run(features, target, &[], Some((valid, valid_target)))
    }

    fn run(
        &self,
        features: &FeatureMatrix,
        target: &[f64],
        own: &[f64],
        valid: Option<(&FeatureMatrix, &[f64])>,
    ) -> Result<FcnnModel> {
        let p = &self.params;
        check_rows("training rows", features, target, p.objective)?;
        if p.objective == Objective::Binary {
            both_classes(target)?;
        }
        check_weights(own, target, p.objective)?;
        finite(features)?;
        let all: Vec<usize> = (0..features.rows()).collect();
        let encoder = Encoder::fit(features, &all, p.min_rows, p.embedding);
        let weights = row_weights(p.training.class_weight, target, own);
        let goal = Goal::fit(p.objective, target, &weights);
        let valid = match valid {
            None => None,
            Some((valid, target)) => {
                check_rows("validation rows", valid, target, p.objective)?;
                same_types(&encoder.names, &|i| encoder.is_categorical(i), valid)?;
                finite(valid)?;
                Some((encoder.encode(valid)?, goal.scaled(target), row_weights(p.training.class_weight, target, &[])))
            }
        };
        let mut net = Mlp::new(&encoder, &p.hidden, p.layer_norm, p.training.dropout, p.training.seed);
        net.score.set_bias(goal.base(target, &weights));
        let (inputs, target) = (encoder.encode(features)?, goal.scaled(target));
        let mut learner = Rows { net, goal, inputs, target, weights, valid };
        let form = form(&encoder, &p.hidden, p.layer_norm, goal);
        let (epochs, weights) = fit(MODEL, &p.training, features.rows(), &form, &mut learner)?;
        Ok(FcnnModel {
            goal,
            encoder,
            hidden: p.hidden.clone(),
            layer_norm: p.layer_norm,
            weights,
            epochs,
            origin: Origin::of(p),
            threads: p.training.threads,
            device: p.training.device,
        })
    }
}
