//! A net and cases to learn from -> the net with its weights fitted, batch by batch.

use super::device::Device;
use super::layer::{Pass, Weights};
use super::optimiser::{Memory, Optimiser, Schedule, clip};
use super::real::Real;
use crate::file::stored;
use crate::progress::step;
use crate::random::Random;
use crate::range::Ranges;
use crate::unit::sized;
use crate::{ClassWeight, Error, Result};
use haetae_display::stop;

/// How a net is trained: what all nets have in common.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Training {
    pub(super) epochs: usize,
    pub(super) batch: usize,
    pub(super) learning_rate: f64,
    pub(super) optimiser: Optimiser,
    pub(super) schedule: Schedule,
    pub(super) clip: Option<f64>,
    pub(super) patience: Option<usize>,
    pub(super) dropout: f64,
    pub(super) class_weight: ClassWeight,
    pub(super) seed: u64,
    pub(super) threads: Option<usize>,
    /// That of the environment where none is named.
    pub(super) device: Option<Device>,
}

impl Training {
    pub(super) fn new(batch: usize) -> Self {
        Self {
            epochs: 20,
            batch,
            learning_rate: 1e-3,
            optimiser: Optimiser::AdamW { decay: 0.01 },
            schedule: Schedule::OneCycle,
            clip: Some(1.0),
            patience: None,
            dropout: 0.0,
            class_weight: ClassWeight::Equal,
            seed: 7,
            threads: None,
            device: None,
        }
    }

    pub(super) fn check(&self, model: &'static str) -> Result<()> {
        let ranges = Ranges(model);
        ranges.whole("epochs", self.epochs, 1..=1_000_000)?;
        ranges.whole("batch", self.batch, 1..=1 << 20)?;
        ranges.above_zero("learning_rate", self.learning_rate)?;
        self.optimiser.check(ranges)?;
        ranges.above_zero("clip", self.clip.unwrap_or(1.0))?;
        ranges.whole("patience", self.patience.unwrap_or(1), 1..=usize::MAX)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return ranges.refuse("dropout", "at least 0 and below 1", self.dropout);
        }
        ranges.threads(self.threads)?;
        self.class_weight.check(model, 2)
    }
}

/// Mean loss of an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Of the training rows, while they were learnt from, by their weights.
    pub loss: f64,
    /// Of the validation rows after the epoch, where there are such.
    pub valid_loss: Option<f64>,
}

stored!(Epoch { loss, valid_loss });

/// A net together with the cases that it learns from.
pub(crate) trait Learner<T: Real> {
    /// Goes forward and backward over cases: adds to the gradients those of the mean loss. The sum of the losses, and the
    /// number of what was summed.
    fn learn(&mut self, cases: &[usize], pass: &mut Pass) -> Result<(f64, f64)>;

    /// The mean loss of the validation rows; none where there are none.
    fn valid_loss(&mut self) -> Result<Option<f64>>;

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>));
}

/// A net that is trained, wherever it is.
pub(crate) trait Trainee {
    /// Learns from cases, and moves the weights by a step of length `rate`. False where the loss is no longer a number.
    fn step(&mut self, cases: &[usize], pass: &mut Pass, rate: f64) -> Result<bool>;

    /// The mean loss since it was last asked for.
    fn loss(&mut self) -> Result<f64>;

    /// As [`Learner::valid_loss`].
    fn valid_loss(&mut self) -> Result<Option<f64>>;

    /// Remembers the weights as the best so far.
    fn keep(&mut self) -> Result<()>;
}

/// The epochs and batches of a training on `cases` cases.
pub(crate) fn run(
    model: &'static str,
    training: &Training,
    cases: usize,
    trainee: &mut dyn Trainee,
) -> Result<Vec<Epoch>> {
    let batches = cases.div_ceil(training.batch);
    let steps = training.epochs * batches;
    let mut order: Vec<usize> = (0..cases).collect();
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut best: Option<(f64, usize)> = None;
    for epoch in 0..training.epochs {
        step("epochs", epoch, training.epochs)?;
        let diverged = || Error::Diverged { model, epoch: epoch + 1 };
        let mut pass = Pass { training: true, random: Random::stream(training.seed, epoch as u64 + 1) };
        pass.random.shuffle(&mut order);
        for (number, cases) in order.chunks(training.batch).enumerate() {
            if stop::requested() {
                return Err(Error::Cancelled { what: "epochs", done: epoch, of: training.epochs });
            }
            let rate = training.learning_rate * training.schedule.factor(epoch * batches + number, steps);
            if !trainee.step(cases, &mut pass, rate)? {
                return Err(diverged());
            }
        }
        let (loss, valid_loss) = (trainee.loss()?, trainee.valid_loss()?);
        if !loss.is_finite() || valid_loss.is_some_and(|loss| !loss.is_finite()) {
            return Err(diverged());
        }
        epochs.push(Epoch { loss, valid_loss });
        if let (Some(patience), Some(loss)) = (training.patience, valid_loss) {
            if best.is_none_or(|(known, _)| loss < known) {
                best = Some((loss, epoch));
                trainee.keep()?;
            } else if best.is_some_and(|(_, at)| epoch - at >= patience) {
                break;
            }
        }
    }
    Ok(epochs)
}

/// A net of our own layers.
struct Here<'a, T> {
    learner: &'a mut dyn Learner<T>,
    training: &'a Training,
    memory: Memory<T>,
    /// The losses' sum of this epoch, and the number of what was summed.
    sum: (f64, f64),
    best: Option<Vec<Vec<T>>>,
}

impl<T: Real> Trainee for Here<'_, T> {
    fn step(&mut self, cases: &[usize], pass: &mut Pass, rate: f64) -> Result<bool> {
        let (sum, of) = self.learner.learn(cases, pass)?;
        self.sum = (self.sum.0 + sum, self.sum.1 + of);
        let length = clip(self.training.clip, &mut |each| self.learner.weights(each));
        if !(sum.is_finite() && length.is_finite()) {
            return Ok(false);
        }
        self.memory.step(self.training.optimiser, rate, &mut |each| self.learner.weights(each));
        Ok(true)
    }

    fn loss(&mut self) -> Result<f64> {
        let (loss, count) = std::mem::take(&mut self.sum);
        Ok(loss / f64::max(count, 1.0))
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        self.learner.valid_loss()
    }

    fn keep(&mut self) -> Result<()> {
        self.best = Some(copy(self.learner));
        Ok(())
    }
}

/// Trains on `cases` cases. Of a fit with patience the weights of the best epoch are kept.
pub(crate) fn train<T: Real>(
    model: &'static str,
    training: &Training,
    cases: usize,
    learner: &mut dyn Learner<T>,
) -> Result<Vec<Epoch>> {
    let mut here = Here { learner, training, memory: Memory::default(), sum: (0.0, 0.0), best: None };
    let epochs = run(model, training, cases, &mut here)?;
    if let Some(weights) = here.best.take() {
        set(here.learner, weights);
    }
    here.learner.weights(&mut |weights| weights.gradient = Vec::new());
    Ok(epochs)
}

fn copy<T: Real>(learner: &mut dyn Learner<T>) -> Vec<Vec<T>> {
    let mut all = Vec::new();
    learner.weights(&mut |weights| all.push(weights.values.clone()));
    all
}

fn set<T: Real>(learner: &mut dyn Learner<T>, all: Vec<Vec<T>>) {
    let mut all = all.into_iter();
    learner.weights(&mut |weights| {
        if let Some(values) = all.next() {
            weights.values = values;
        }
    });
}

/// Sums of the last layer, targets and weights of rows -> the losses' sum, and in place of each sum the gradient of
/// their mean over `of` rows.
///
/// The logarithmic loss, from the sum itself: probabilities near 0 and 1 lose no digits.
pub(crate) fn log_loss<T: Real>(sums: &mut [T], target: &[f64], weights: &[f64], of: f64) -> f64 {
    let mut loss = 0.0;
    let mut chances = sums.to_vec();
    T::sigmoid(&mut chances);
    for (((sum, chance), &target), &weight) in sums.iter_mut().zip(chances).zip(target).zip(weights) {
        let x = sum.wide();
        loss += weight * (f64::max(x, 0.0) - x * target + (-x.abs()).exp().ln_1p());
        *sum = (chance - T::of(target)) * T::of(weight / of);
    }
    loss
}

/// As [`log_loss`], of squared differences between what is said and the target.
pub(crate) fn squared_loss<T: Real>(sums: &mut [T], target: &[f64], weights: &[f64], of: f64) -> f64 {
    let mut loss = 0.0;
    for ((sum, &target), &weight) in sums.iter_mut().zip(target).zip(weights) {
        let difference = sum.wide() - target;
        loss += weight * difference * difference;
        *sum = T::of(2.0 * weight * difference / of);
    }
    loss
}

/// Weight of each row: its own, by its class, so that the mean is 1, whatever the size of weights.
pub(crate) fn row_weights(class_weight: ClassWeight, target: &[f64], own: &[f64]) -> Vec<f64> {
    let (own, _) = sized(own);
    let (zero, one) = class_weight.of_rows(target, &own);
    let classes = [zero, one];
    let (classes, _) = sized(&classes);
    let (zero, one) = (classes[0], classes[1]);
    let of_class = |target: f64| if target == 1.0 { one } else { zero };
    let of = |(row, &target): (usize, &f64)| of_class(target) * own.get(row).copied().unwrap_or(1.0);
    let mut weights: Vec<f64> = target.iter().enumerate().map(of).collect();
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    weights
}

/// Log-odds of the weighted share of target 1: where the bias of the score starts. A class that weighs nothing beside the
/// other has a chance of 0 in 32 bits.
pub(crate) fn base(target: &[f64], weights: &[f64]) -> f64 {
    let of = |class: f64| {
        let own = target.iter().zip(weights).filter(|(target, _)| **target == class);
        own.map(|(_, weight)| weight).sum::<f64>()
    };
    (of(1.0) / of(0.0)).ln().clamp(-500.0, 500.0)
}
