//! A fitted net along sequences: the probability or value of each row, from its past and itself.

use super::chain::{Chain, SCORED, SCORED_THERE, batch, by_length, form, in_steps};
use crate::Result;
use crate::check::{finite, same_types};
use crate::file::{About, Described, Origin, stored};
use crate::nets::Sequences;
use crate::nets::device::{Device, applied};
use crate::nets::front::Encoder;
use crate::nets::goal::Goal;
use crate::nets::layer::Pass;
use crate::nets::matrix::Matrix;
use crate::nets::training::Epoch;
use crate::nets::weights::{finite_scores, fits, in_blocks, with_weights};
use crate::threads::with_threads;

/// Steps that are gone through at a time.
const WINDOW: usize = 256;

/// A net that has been fitted; see [`super::Recurrent`].
#[derive(Clone)]
pub struct RecurrentModel {
    pub(super) goal: Goal,
    pub(super) encoder: Encoder,
    pub(super) gru: bool,
    pub(super) width: usize,
    pub(super) layers: usize,
    pub(super) per_key: bool,
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) epochs: Vec<Epoch>,
    pub(super) origin: Origin,
    pub(super) threads: Option<usize>,
    pub(super) device: Option<Device>,
}

impl std::fmt::Debug for RecurrentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gates = if self.gru { "GRU" } else { "LSTM" };
        write!(f, "recurrent net ({gates}), {} weights on {} features", self.size(), self.names().len())
    }
}

impl RecurrentModel {
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

    /// The same model, working on a device; see [`RecurrentParams::device`](crate::RecurrentParams::device). A model that was read from a
    /// file works on that of `HAETAE_DEVICE`.
    #[must_use]
    pub fn on_device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Probability of 1 (or value, where values were learnt) for each row, in the order of the frame, from this row and
    /// those of its key before it; for each sequence where the targets of the fit were theirs. Other sequences do not
    /// matter.
    ///
    /// # Errors
    /// As [`crate::FcnnModel::predict`].
    pub fn predict(&self, sequences: &Sequences) -> Result<Vec<f64>> {
        let features = &sequences.features;
        same_types(self.names(), &|i| self.encoder.is_categorical(i), features)?;
        finite(features)?;
        let shape = (self.gru, self.width, self.layers);
        let mut net = with_weights(Chain::<f32>::of(&self.encoder, shape, 0.0, 0), &self.weights);
        let inputs = self.encoder.encode(features)?;
        // Sequences of like lengths are scored together: the last steps of the longest would go alone.
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|&sequence| std::cmp::Reverse(sequences.rows(sequence).len()));
        let form = form(&self.encoder, shape, WINDOW, self.goal);
        let (block, scored) = if let Some(mut there) = applied(self.device, &form, &mut net)? {
            let batch = |which: &[usize]| batch(&inputs, &in_steps(&by_length(sequences, which)));
            let said = |_: &[usize], sums: Vec<f32>| self.goal.said(Matrix::new(sums.len(), 1, sums));
            (SCORED_THERE, there.in_blocks(&order, SCORED_THERE, &batch, &said)?)
        } else {
            let score = |net: &mut Chain<f32>, which: &[usize]| {
                let (of, mut scored) = (by_length(sequences, which), Vec::new());
                net.along(&inputs, &of, WINDOW, &mut Pass::scoring(), &mut |_, sums| {
                    scored.extend(self.goal.said(sums));
                    None
                });
                scored
            };
            (SCORED, with_threads(self.threads, || in_blocks(&net, &order, SCORED, &score))??)
        };
        let mut scores = vec![0.0; features.rows()];
        for (which, scored) in order.chunks(block).zip(scored) {
            let (rows, _) = in_steps(&by_length(sequences, which));
            rows.into_iter().zip(scored).for_each(|(row, score)| scores[row] = score);
        }
        let scores = finite_scores(scores)?;
        if self.per_key {
            let last = |sequence: usize| sequences.rows(sequence).last().map_or(f64::NAN, |&row| scores[row]);
            return Ok((0..sequences.len()).map(last).collect());
        }
        Ok(scores)
    }
}

stored!(RecurrentModel { goal, encoder, gru, width, layers, per_key, weights, epochs, origin } anew { threads: None, device: None });

impl Described for RecurrentModel {
    fn about(&self) -> About {
        About::new(self.names(), &|i| self.encoder.is_categorical(i), &self.origin)
    }

    fn is_sound(&self) -> bool {
        let tables = self.encoder.embeddings();
        let front = self.encoder.numbers() + tables.iter().map(|(_, width)| width).sum::<usize>();
        let mut lengths: Vec<usize> = tables.iter().map(|(places, width)| places.saturating_mul(*width)).collect();
        if !(1..=8).contains(&self.layers) || self.width == 0 {
            return false;
        }
        let gates = self.width.saturating_mul(if self.gru { 3 } else { 4 });
        for layer in 0..self.layers {
            let inputs = if layer == 0 { front } else { self.width };
            lengths.extend([inputs.saturating_mul(gates), self.width.saturating_mul(gates), gates]);
            lengths.extend(self.gru.then_some(gates));
        }
        lengths.extend([self.width, 1]);
        self.goal.is_sound() && self.encoder.is_sound() && fits(&lengths, &self.weights)
    }
}
