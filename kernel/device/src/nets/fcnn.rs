//! Rows of numbers and codes -> layers that are wholly connected.

use super::{Each, Net, mask, only};
use crate::batch::Batch;
use crate::form;
use crate::layers::{Dense, Dropout, Front, LayerNorm, Relu};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::Result;

struct Block {
    width: usize,
    dense: Dense,
    norm: Option<LayerNorm>,
    relu: Relu,
    dropout: Dropout,
}

pub(super) struct Fcnn {
    place: Place,
    front: Front,
    blocks: Vec<Block>,
    score: Dense,
}

impl Fcnn {
    pub(super) fn new(form: &form::Fcnn, feed: &mut Feed<'_>) -> Result<Self> {
        let front = Front::new(feed, form.numbers, &form.tables)?;
        let mut from = front.width();
        let mut blocks = Vec::with_capacity(form.hidden.len());
        for &width in &form.hidden {
            let dense = Dense::new(feed, std::mem::replace(&mut from, width), width)?;
            let norm = if form.layer_norm { Some(LayerNorm::new(feed, width)?) } else { None };
            blocks.push(Block { width, dense, norm, relu: Relu::default(), dropout: Dropout::default() });
        }
        Ok(Self { place: feed.place().clone(), front, blocks, score: Dense::new(feed, from, 1)? })
    }
}

impl Net for Fcnn {
    fn run(&mut self, batch: &Batch<'_>, each: &mut Each<'_>) -> Result<()> {
        let Batch { rows, inputs, codes, mut masks, learning, .. } = *batch;
        let mut matrix = self.front.forward((inputs, codes), rows, &self.place, learning)?;
        for Block { width, dense, norm, relu, dropout } in &mut self.blocks {
            matrix = dense.forward(matrix, learning)?;
            if let Some(norm) = norm {
                matrix = norm.forward(&matrix, learning)?;
            }
            matrix = relu.forward(&matrix, learning)?;
            matrix = dropout.forward(matrix, mask(&mut masks, rows, *width, &self.place)?)?;
        }
        let Some(gradients) = each(0..rows, &[self.score.forward(matrix, learning)?])? else { return Ok(()) };
        if self.blocks.is_empty() && !self.front.learns() {
            return self.score.backward_here(only(&gradients)?);
        }
        let mut gradient = self.score.backward(only(&gradients)?)?;
        for (number, Block { dense, norm, relu, dropout, .. }) in self.blocks.iter_mut().enumerate().rev() {
            gradient = relu.backward(&dropout.backward(gradient)?)?;
            if let Some(norm) = norm {
                gradient = norm.backward(&gradient)?;
            }
            if number == 0 && !self.front.learns() {
                return dense.backward_here(&gradient);
            }
            gradient = dense.backward(&gradient)?;
        }
        self.front.backward(&gradient)
    }

    fn weights(&mut self) -> Vec<&mut Weights> {
        let mut all = self.front.weights();
        for Block { dense, norm, .. } in &mut self.blocks {
            all.extend(dense.weights());
            all.extend(norm.iter_mut().flat_map(LayerNorm::weights));
        }
        all.extend(self.score.weights());
        all
    }
}
