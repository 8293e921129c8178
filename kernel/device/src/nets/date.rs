//! Leaves of trees and entities of rows -> the sums of the head of fraud and of that of revenue.

use super::{Each, Net, mask};
use crate::batch::Batch;
use crate::form;
use crate::layers::{Dense, Dropout, Focus, Front, LayerNorm, Relu, SelfAttention, Table};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor, bail};

pub(super) struct Date {
    place: Place,
    trees: usize,
    width: usize,
    /// The leaves' row, and that of each entity.
    parts: usize,
    wide: usize,
    leaves: Table,
    attention: SelfAttention,
    norm: LayerNorm,
    entities: Front,
    focus: Focus,
    hidden: Dense,
    relu: Relu,
    dropout: Dropout,
    fraud: Dense,
    revenue: Dense,
}

impl Date {
    pub(super) fn new(form: &form::Date, feed: &mut Feed<'_>) -> Result<Self> {
        let &form::Date { trees, leaves, ref entities, width, heads, hidden } = form;
        if heads == 0 || !width.is_multiple_of(heads) {
            bail!("attention: {width} numbers cannot be shared among {heads} heads");
        }
        let tables: Vec<(usize, usize)> = entities.iter().map(|&places| (places, width)).collect();
        let parts = entities.len() + 1;
        Ok(Self {
            place: feed.place().clone(),
            trees,
            width,
            parts,
            wide: hidden,
            leaves: Table::new(feed, leaves, width)?,
            attention: SelfAttention::new(feed, trees, width, heads)?,
            norm: LayerNorm::new(feed, width)?,
            entities: Front::new(feed, 0, &tables)?,
            focus: Focus::new(feed, trees, width, entities.len() * width, width)?,
            hidden: Dense::new(feed, (parts + 1) * width, hidden)?,
            relu: Relu::default(),
            dropout: Dropout::default(),
            fraud: Dense::new(feed, hidden, 1)?,
            revenue: Dense::new(feed, hidden, 1)?,
        })
    }

    /// The gradient by parts and pairs -> that by parts.
    fn by_parts(&self, gradient: &Tensor, parts: &Tensor) -> Result<Tensor> {
        let (rows, width) = (gradient.dim(0)?, self.width);
        let own = gradient.narrow(1, 0, self.parts * width)?;
        let pairs = gradient.narrow(1, self.parts * width, width)?.reshape((rows, 1, width))?;
        let parts = parts.reshape((rows, self.parts, width))?;
        let others = parts.sum_keepdim(1)?.broadcast_sub(&parts)?;
        own + others.broadcast_mul(&pairs)?.reshape((rows, self.parts * width))?
    }

    /// Behind the parts the products of all pairs of them, summed: half of the squared sum without the squares.
    fn with_pairs(&self, parts: &Tensor) -> Result<Tensor> {
        let each = parts.reshape((parts.dim(0)?, self.parts, self.width))?;
        let pairs = (each.sum(1)?.sqr()? - each.sqr()?.sum(1)?)?.affine(0.5, 0.0)?;
        Tensor::cat(&[parts, &pairs], 1)
    }
}

impl Net for Date {
    fn run(&mut self, batch: &Batch<'_>, each: &mut Each<'_>) -> Result<()> {
        let Batch { rows, codes, places, mut masks, learning, .. } = *batch;
        if places.len() != rows * self.trees {
            bail!("{rows} rows: expected {} leaves of each, found {} of all", self.trees, places.len());
        }
        let mut tokens = self.leaves.forward(places, &self.place, learning)?;
        tokens = self.attention.forward(tokens, learning)?;
        tokens = self.norm.forward(&tokens, learning)?;
        let context = self.entities.forward((&[], codes), rows, &self.place, learning)?;
        let leaves = self.focus.forward(tokens, &context, learning)?;
        let parts = Tensor::cat(&[&leaves, &context], 1)?;
        let mut matrix = self.hidden.forward(self.with_pairs(&parts)?, learning)?;
        matrix = self.relu.forward(&matrix, learning)?;
        matrix = self.dropout.forward(matrix, mask(&mut masks, rows, self.wide, &self.place)?)?;
        let sums = [self.fraud.forward(matrix.clone(), learning)?, self.revenue.forward(matrix, learning)?];
        let Some(gradients) = each(0..rows, &sums)? else { return Ok(()) };
        let [by_fraud, by_revenue] = gradients.as_slice() else {
            bail!("expected two heads, found {}", gradients.len());
        };
        let gradient = (self.fraud.backward(by_fraud)? + self.revenue.backward(by_revenue)?)?;
        let gradient = self.relu.backward(&self.dropout.backward(gradient)?)?;
        let joined = self.hidden.backward(&gradient)?;
        let by_parts = self.by_parts(&joined, &parts)?;
        let (by_tokens, by_context) = self.focus.backward(&by_parts.narrow(1, 0, self.width)?.contiguous()?)?;
        let context = by_parts.narrow(1, self.width, (self.parts - 1) * self.width)?;
        self.entities.backward(&(context + by_context)?)?;
        let by_tokens = self.attention.backward(&self.norm.backward(&by_tokens)?)?;
        self.leaves.backward(&by_tokens)
    }

    fn weights(&mut self) -> Vec<&mut Weights> {
        let mut all: Vec<&mut Weights> = self.leaves.weights().into_iter().collect();
        all.extend(self.attention.weights());
        all.extend(self.norm.weights());
        all.extend(self.entities.weights());
        all.extend(self.focus.weights());
        all.extend(self.hidden.weights());
        all.extend(self.fraud.weights());
        all.extend(self.revenue.weights());
        all
    }
}
