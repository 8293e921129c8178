//! What a net along sequences is like, checked before anything is fitted; and its fit.

use super::chain::{Cases, Chain, Rows, form};
use super::model::RecurrentModel;
use crate::check::{check_rows, finite, same_types, targets};
use crate::file::Origin;
use crate::metrics::both_classes;
use crate::nets::Sequences;
use crate::nets::device::fit;
use crate::nets::front::{Encoder, MOST_WIDTH};
use crate::nets::goal::Goal;
use crate::nets::methods::training_methods;
use crate::nets::training::{Training, row_weights};
use crate::range::Ranges;
use crate::{Objective, Result};

const MODEL: &str = "recurrent net";

/// A recurrent net over histories: for each row what its own features and all earlier rows of its key say.
///
/// Sources: Hochreiter and Schmidhuber, *Long short-term memory*, 1997; Cho et al., *Learning phrase representations
/// using RNN encoder-decoder*, 2014.
#[derive(Debug, Clone, Copy)]
pub struct Recurrent;

impl Recurrent {
    /// The parameters to start from.
    pub fn params() -> RecurrentParams {
        RecurrentParams::default()
    }
}

/// What opens and closes the memory of a recurrent net.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gates {
    /// Long short-term memory, with a forget gate.
    Lstm,
    /// Gated recurrent units: fewer weights, faster.
    Gru,
}

/// Parameters of [`Recurrent`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentParams {
    objective: Objective,
    pub(super) gates: Gates,
    pub(super) width: usize,
    pub(super) layers: usize,
    window: usize,
    per_key: bool,
    min_rows: usize,
    embedding: usize,
    pub(super) training: Training,
}

impl Default for RecurrentParams {
    fn default() -> Self {
        let training = Training::new(32);
        let (width, layers, window) = (32, 1, 256);
        let (objective, gates) = (Objective::Binary, Gates::Lstm);
        Self { objective, gates, width, layers, window, per_key: false, min_rows: 10, embedding: 16, training }
    }
}

impl RecurrentParams {
    /// What is learnt: [`Objective::Binary`], or [`Objective::Value`] by the squared error in deviations of the target
    /// (`predict` gives values then, and losses are squared deviations); binary unless said.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Which gates; [`Gates::Lstm`] unless said.
    #[must_use]
    pub fn gates(mut self, gates: Gates) -> Self {
        self.gates = gates;
        self
    }

    /// Numbers that a layer remembers, 1 to 2048; 32 unless said.
    #[must_use]
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Layers, 1 to 8; 1 unless said.
    #[must_use]
    pub fn layers(mut self, layers: usize) -> Self {
        self.layers = layers;
        self
    }

    /// Steps through which a gradient goes back at most, at least 1; 256 unless said. Windows are cut from a sequence's
    /// first step: with `per_key`, let it reach over the longest history. What is remembered goes on beyond; the
    /// memory that a fit takes grows with it.
    #[must_use]
    pub fn window(mut self, steps: usize) -> Self {
        self.window = steps;
        self
    }

    /// Whether there is one target for each sequence, said of its last row, not one for each row; false unless said.
    #[must_use]
    pub fn per_key(mut self, per_key: bool) -> Self {
        self.per_key = per_key;
        self
    }

    /// As that of [`crate::FcnnParams`]; 10 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// As that of [`crate::FcnnParams`]; 16 unless said.
    #[must_use]
    pub fn embedding(mut self, width: usize) -> Self {
        self.embedding = width;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedRecurrent> {
        let ranges = Ranges(MODEL);
        ranges.whole("width", self.width, 1..=2048)?;
        ranges.whole("layers", self.layers, 1..=8)?;
        ranges.whole("window", self.window, 1..=usize::MAX)?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.whole("embedding", self.embedding, 1..=MOST_WIDTH)?;
        self.training.check(MODEL)?;
        Goal::check(ranges, self.objective, self.training.class_weight)?;
        Ok(CheckedRecurrent { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedRecurrent::fit`].
    ///
    /// # Errors
    /// As [`RecurrentParams::check`] and [`CheckedRecurrent::fit`].
    pub fn fit(&self, sequences: &Sequences, target: &[f64]) -> Result<RecurrentModel> {
        self.check()?.fit(sequences, target)
    }

    /// Checks the parameters and fits; see [`CheckedRecurrent::fit_valid`].
    ///
    /// # Errors
    /// As [`RecurrentParams::check`] and [`CheckedRecurrent::fit_valid`].
    pub fn fit_valid(
        &self,
        sequences: &Sequences,
        target: &[f64],
        valid: &Sequences,
        valid_target: &[f64],
    ) -> Result<RecurrentModel> {
        self.check()?.fit_valid(sequences, target, valid, valid_target)
    }
}

training_methods!(RecurrentParams, "Sequences of a batch, 1 to 1048576; 32 unless said.");

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRecurrent {
    params: RecurrentParams,
}

impl CheckedRecurrent {
    /// Fits a net to a `target` of 0 and 1, or of values (see [`RecurrentParams::objective`]), for each row of the frame, or with [`RecurrentParams::per_key`] for each
    /// sequence. Features become inputs as for [`crate::Fcnn`].
    ///
    /// # Errors
    /// As [`crate::CheckedFcnn::fit`].
    pub fn fit(&self, sequences: &Sequences, target: &[f64]) -> Result<RecurrentModel> {
        self.run(sequences, target, None)
    }

    /// As [`CheckedRecurrent::fit`], with the loss on `valid` sequences after each epoch; see
    /// [`RecurrentParams::patience`]. A sequence begins without a past: give validation rows together with theirs only
    /// where their targets may be seen.
    ///
    /// # Errors
    /// As [`CheckedRecurrent::fit`], for both, of which the second may have one class only.
    pub fn fit_valid(
        &self,
        sequences: &Sequences,
        target: &[f64],
        valid: &Sequences,
        valid_target: &[f64],
    ) -> Result<RecurrentModel> {
        self.run(sequences, target, Some((valid, valid_target)))
    }

    fn run(
        &self,
        sequences: &Sequences,
        target: &[f64],
        valid: Option<(&Sequences, &[f64])>,
    ) -> Result<RecurrentModel> {
        let p = &self.params;
        self.check("training rows", sequences, target)?;
        if p.objective == Objective::Binary {
            both_classes(target)?;
        }
        let features = &sequences.features;
        let all: Vec<usize> = (0..features.rows()).collect();
        let encoder = Encoder::fit(features, &all, p.min_rows, p.embedding);
        let weights = row_weights(p.training.class_weight, target, &[]);
        let goal = Goal::fit(p.objective, target, &weights);
        let valid = match valid {
            None => None,
            Some((valid, target)) => {
                self.check("validation rows", valid, target)?;
                same_types(&encoder.names, &|i| encoder.is_categorical(i), &valid.features)?;
                let weights = row_weights(p.training.class_weight, target, &[]);
                Some(self.cases(&encoder, goal, valid, target, &weights)?)
            }
        };
        let mut net = Chain::new(&encoder, p, p.training.seed);
        net.score.set_bias(goal.base(target, &weights));
        let train = self.cases(&encoder, goal, sequences, target, &weights)?;
        let mut learner = Rows { net, window: p.window, train, valid };
        let form = form(&encoder, (p.gates == Gates::Gru, p.width, p.layers), p.window, goal);
        let (epochs, weights) = fit(MODEL, &p.training, sequences.len(), &form, &mut learner)?;
        Ok(RecurrentModel {
            goal,
            encoder,
            gru: p.gates == Gates::Gru,
            width: p.width,
            layers: p.layers,
            per_key: p.per_key,
            weights,
            epochs,
            origin: Origin::of(p),
            threads: p.training.threads,
            device: p.training.device,
        })
    }

    fn check(&self, what: &'static str, sequences: &Sequences, target: &[f64]) -> Result<()> {
        let features = &sequences.features;
        if self.params.per_key && !sequences.is_empty() {
            targets(sequences.len(), target, self.params.objective)?;
        } else {
            check_rows(what, features, target, self.params.objective)?;
        }
        finite(features)
    }

    /// Targets and weights of sequences become those of their last rows.
    fn cases<'a>(
        &self,
        encoder: &Encoder,
        goal: Goal,
        sequences: &'a Sequences,
        target: &[f64],
        weights: &[f64],
    ) -> Result<Cases<'a>> {
        let target = goal.scaled(target);
        let rows = sequences.features.rows();
        let inputs = encoder.encode(&sequences.features)?;
        if !self.params.per_key {
            return Ok(Cases { goal, sequences, inputs, target, weights: weights.to_vec(), per_key: false });
        }
        let (mut of_row, mut weight) = (vec![0.0; rows], vec![0.0; rows]);
        for (sequence, own) in target.iter().zip(weights).enumerate() {
            if let Some(&last) = sequences.rows(sequence).last() {
                (of_row[last], weight[last]) = (*own.0, *own.1);
            }
        }
        Ok(Cases { goal, sequences, inputs, target: of_row, weights: weight, per_key: true })
    }
}
