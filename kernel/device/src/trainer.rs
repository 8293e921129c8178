//! A form, first weights, and batches one after the other -> steps, losses, scores, and the weights back.

use crate::batch::Batch;
use crate::form::{Form, Head};
use crate::loss::loss;
use crate::nets::{Net, made};
use crate::optimiser::{Memory, joined};
use crate::place::Place;
use crate::weights::Feed;
use candle_core::{DType, Result, Tensor, bail};

/// A net on its device.
pub(crate) struct Trainer {
    pub(crate) net: Box<dyn Net>,
    pub(crate) place: Place,
    heads: Vec<Head>,
    memory: Option<Memory>,
    /// Since they were last asked for, on the device: the sum of all losses, and that of the lengths of all gradients.
    sums: [Option<Tensor>; 2],
}

impl Trainer {
    /// `weights` are all of them, one list behind the other.
    pub(crate) fn new(form: &str, weights: &[f32], place: Place) -> Result<Self> {
        let form = Form::read(form)?;
        let mut feed = Feed::new(&place, weights);
        let mut net = made(&form.layers, &mut feed)?;
        let lengths = feed.end()?;
        if lengths.len() != form.decays.len() {
            bail!(
                "decays: expected {} of them, one for each list of weights, found {}",
                lengths.len(),
                form.decays.len()
            );
        }
        let memory = match form.learning {
            Some(learning) => Some(Memory::new(learning, &mut net.weights(), &lengths, &form.decays, &place)?),
            None => None,
        };
        Ok(Self { net, place, heads: form.heads, memory, sums: [None, None] })
    }

    /// Goes forward and backward over a batch: adds to the gradients those of the losses' sum by `of`. The losses' sum.
    pub(crate) fn learn(&mut self, batch: &Batch<'_>, of: f64) -> Result<Tensor> {
        if batch.said.len() != 2 * batch.rows * self.heads.len() {
            bail!("{} rows: expected a target and a weight of each for {} heads", batch.rows, self.heads.len());
        }
        let batch = Batch { learning: true, ..*batch };
        let mut all: Option<Tensor> = None;
        let (heads, place) = (&self.heads, &self.place);
        self.net.run(&batch, &mut |rows, sums| {
            let said: Vec<_> = (0..heads.len()).map(|head| batch.said(head, rows.clone())).collect();
            // Nothing is said of the windows before the last one where there is one target for each sequence. Rows that all
            // weigh nothing are still a batch: its loss is 0, and decay goes on.
            let silent = said.iter().all(|(_, weights)| weights.iter().all(|&weight| weight == 0.0));
            if silent && rows.len() != batch.rows {
                return Ok(None);
            }
            let mut gradients = Vec::with_capacity(heads.len());
            for ((&head, sums), (target, weights)) in heads.iter().zip(sums).zip(said) {
                let column = (rows.len(), 1);
                let (target, weights) = (place.floats(target, column)?, place.floats(weights, column)?);
                let (loss, gradient) = loss(head, sums, &target, &weights, of)?;
                all = Some(match all.take() {
                    None => loss,
                    Some(known) => (known + loss)?,
                });
                gradients.push(gradient);
            }
            Ok(Some(gradients))
        })?;
        match all {
            Some(loss) => Ok(loss),
            None => self.place.zeros(()),
        }
    }

    /// Learns from a batch and moves the weights by a step of length `rate`.
    pub(crate) fn step(&mut self, batch: &Batch<'_>, rate: f64, of: f64) -> Result<()> {
        let loss = self.learn(batch, of)?.to_dtype(DType::F64)?;
        let Some(memory) = &mut self.memory else { bail!("this net is not one that learns") };
        let length = memory.step(rate, &mut self.net.weights())?;
        for (sum, more) in self.sums.iter_mut().zip([loss, length]) {
            *sum = Some(match sum.take() {
                None => more,
                Some(known) => (known + more)?,
            });
        }
        Ok(())
    }

    /// The sum of all losses and that of the lengths of all gradients since the last call. Nothing is waited for before.
    pub(crate) fn losses(&mut self) -> Result<[f64; 2]> {
        let mut sums = [0.0; 2];
        for (into, sum) in sums.iter_mut().zip(&mut self.sums) {
            if let Some(sum) = sum.take() {
                *into = sum.to_scalar::<f64>()?;
            }
        }
        Ok(sums)
    }

    /// The sums of the last layers: those of the first head, then those of the second.
    pub(crate) fn score(&mut self, batch: &Batch<'_>) -> Result<Vec<f32>> {
        let batch = Batch { learning: false, masks: &[], ..*batch };
        let mut said: Vec<Vec<Tensor>> = vec![Vec::new(); self.heads.len()];
        self.net.run(&batch, &mut |_, sums| {
            said.iter_mut().zip(sums).for_each(|(said, sums)| said.push(sums.clone()));
            Ok(None)
        })?;
        let mut all = Vec::with_capacity(batch.rows * said.len());
        for sums in said.iter().filter(|sums| !sums.is_empty()) {
            all.extend(Tensor::cat(sums, 0)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?);
        }
        Ok(all)
    }

    /// All weights, one list behind the other.
    pub(crate) fn weights(&mut self) -> Result<Vec<f32>> {
        joined(&self.net.weights())?.to_dtype(DType::F32)?.to_vec1()
    }
}
