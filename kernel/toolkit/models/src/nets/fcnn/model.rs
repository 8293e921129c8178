//! A fitted net of layers: the probability of each row, or its value.

use super::layers::{Mlp, SCORED, SCORED_THERE, batch, form};
use crate::Result;
use crate::check::{check_categories, finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::nets::device::{Device, applied};
use crate::nets::front::Encoder;
use crate::nets::goal::Goal;
use crate::nets::layer::Pass;
use crate::nets::matrix::Matrix;
use crate::nets::training::Epoch;
use crate::nets::weights::{finite_scores, fits, in_blocks, lengths_of_dense, with_weights};
use crate::threads::with_threads;
use haetae_features::FeatureMatrix;

/// A net that has been fitted; see [`super::Fcnn`].
#[derive(Clone)]
pub struct FcnnModel {
    pub(super) goal: Goal,
    pub(super) encoder: Encoder,
    pub(super) hidden: Vec<usize>,
    pub(super) layer_norm: bool,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) origin: Origin,
    pub(super) threads: Option<usize>,
    pub(super) device: Option<Device>,
}

impl std::fmt::Debug for FcnnModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FCNN, {} weights on {} features", self.size(), self.names().len())
    }
}

impl FcnnModel {
    /// Names of the features that it was fitted on, in their order.
    pub fn names(&self) -> &[String] {
        &self.encoder.names
    }

    /// Number of weights.
    pub fn size(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// The losses of the epochs that were made.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The same model, working on a device; see [`FcnnParams::device`](crate::FcnnParams::device). A model that was read from a
    /// file works on that of `HAETAE_DEVICE`.
    #[must_use]
    pub fn on_device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Probability of 1 for each row; the value where values were learnt.
    ///
    /// # Errors
    /// [`crate::Error::FeatureMismatch`] and [`crate::Error::FeatureType`] when the features are not those of the fit,
    /// [`crate::Error::Infinite`] and [`crate::Error::Category`] for a value that is no number or no code,
    /// [`crate::Error::TooFar`] for a row whose score is no finite number, [`crate::Error::Cancelled`] when the notebook's stop
    /// button was pressed.
    pub fn predict(&self, features: &FeatureMatrix) -> Result<Vec<f64>> {
        same_types(self.names(), &|i| self.encoder.is_categorical(i), features)?;
        check_categories(features)?;
        finite(features)?;
        let mut net =
            with_weights(Mlp::<f32>::new(&self.encoder, &self.hidden, self.layer_norm, 0.0, 0), &self.weights);
        let inputs = self.encoder.encode(features)?;
        let all: Vec<usize> = (0..features.rows()).collect();
        let form = form(&self.encoder, &self.hidden, self.layer_norm, self.goal);
        if let Some(mut there) = applied(self.device, &form, &mut net)? {
            let said = |rows: &[usize], sums: Vec<f32>| self.goal.said(Matrix::new(rows.len(), 1, sums));
            return finite_scores(there.in_blocks(&all, SCORED_THERE, &|rows| batch(&inputs, rows), &said)?.concat());
        }
        let score =
            |net: &mut Mlp<f32>, rows: &[usize]| self.goal.said(net.forward(&inputs, rows, &mut Pass::scoring()));
        finite_scores(with_threads(self.threads, || in_blocks(&net, &all, SCORED, &score))??.concat())
    }
}

stored!(FcnnModel { goal, encoder, hidden, layer_norm, weights, epochs, origin } anew { threads: None, device: None });

impl Described for FcnnModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.encoder.is_categorical(i), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let tables = self.encoder.embeddings();
        let front = self.encoder.numbers() + tables.iter().map(|(_, width)| width).sum::<usize>();
        let widths = [&[front][..], &self.hidden, &[1]].concat();
        let mut lengths: Vec<usize> = tables.iter().map(|(places, width)| places.saturating_mul(*width)).collect();
        for (layer, pair) in widths.windows(2).enumerate() {
            lengths.extend(lengths_of_dense(pair));
            if self.layer_norm && layer < self.hidden.len() {
                lengths.extend([pair[1]; 2]);
            }
        }
        !self.hidden.contains(&0) && self.goal.is_sound() && self.encoder.is_sound() && fits(&lengths, &self.weights)
    }
}
