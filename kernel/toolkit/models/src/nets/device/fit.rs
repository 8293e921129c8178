//! A net with its first weights and the cases that it learns from -> the losses of its epochs and its weights, on our own
//! layers or on a device.

use super::remote::{Batch, Remote};
use super::{Device, Form};
use crate::nets::layer::Pass;
use crate::nets::training::{Epoch, Learner, Trainee, Training, run, train};
use crate::nets::weights::Net;
use crate::threads::with_threads;
use crate::{Error, Result};

/// Cases as a device takes them.
pub(in crate::nets) trait Batches {
    /// Some cases, with targets, weights and dropout; and the number that their losses are summed by.
    fn batch(&self, cases: &[usize], pass: &mut Pass) -> (Batch, f64);

    /// The mean loss of the validation rows; none where there are none.
    fn valid_loss_of(&self, net: &mut Remote) -> Result<Option<f64>>;
}

/// A fitted net: the losses of its epochs, and all weights in their order.
type Fitted = (Vec<Epoch>, Vec<Vec<f32>>);

/// Fits. No loss comes after the last step: where that has left the numbers, its weights tell.
pub(in crate::nets) fn fit<L: Learner<f32> + Batches + Send>(
    model: &'static str,
    training: &Training,
    cases: usize,
    form: &Form,
    learner: &mut L,
) -> Result<Fitted> {
    let (epochs, weights) = trained(model, training, cases, form, learner)?;
    if weights.iter().flatten().all(|weight| weight.is_finite()) {
        return Ok((epochs, weights));
    }
    Err(Error::Diverged { model, epoch: epochs.len() })
}

fn trained<L: Learner<f32> + Batches + Send>(
    model: &'static str,
    training: &Training,
    cases: usize,
    form: &Form,
    learner: &mut L,
) -> Result<Fitted> {
    let there = Remote::new(training.device, form, Some(training), &mut |each| learner.weights(each))?;
    let Some(net) = there else {
        let epochs = with_threads(training.threads, || train(model, training, cases, learner))??;
        let mut weights = Vec::new();
        learner.weights(&mut |list| weights.push(std::mem::take(&mut list.values)));
        return Ok((epochs, weights));
    };
    let mut there = There { net, batches: learner, count: 0.0, best: None };
    let epochs = run(model, training, cases, &mut there)?;
    let all = match there.best.take() {
        Some(best) => best,
        None => there.net.weights()?,
    };
    let (mut rest, mut weights) = (all.as_slice(), Vec::new());
    learner.weights(&mut |list| {
        let (own, others) = rest.split_at(list.values.len().min(rest.len()));
        weights.push(own.to_vec());
        rest = others;
    });
    Ok((epochs, weights))
}

/// A fitted net on the device of a model; none where it is our own layers that score.
pub(in crate::nets) fn applied(device: Option<Device>, form: &Form, net: &mut impl Net<f32>) -> Result<Option<Remote>> {
    Remote::new(device, form, None, &mut |each| net.weights(each))
}

/// A net that is trained on a device. Losses stay there until an epoch is over, so that no step waits for the one before.
struct There<'a, L> {
    net: Remote,
    batches: &'a L,
    /// What the losses of this epoch are summed by.
    count: f64,
    best: Option<Vec<f32>>,
}

impl<L: Batches> Trainee for There<'_, L> {
    fn step(&mut self, cases: &[usize], pass: &mut Pass, rate: f64) -> Result<bool> {
        let (batch, of) = self.batches.batch(cases, pass);
        self.count += of;
        self.net.step(&batch, rate, of)?;
        Ok(true)
    }

    fn loss(&mut self) -> Result<f64> {
        let [loss, lengths] = self.net.losses()?;
        let count = std::mem::take(&mut self.count);
        // A gradient that is no number is one that the loss has left, even where the loss is still one.
        Ok(if lengths.is_finite() { loss / count.max(1.0) } else { f64::NAN })
    }

    fn valid_loss(&mut self) -> Result<Option<f64>> {
        self.batches.valid_loss_of(&mut self.net)
    }

    fn keep(&mut self) -> Result<()> {
        self.best = Some(self.net.weights()?);
        Ok(())
    }
}
