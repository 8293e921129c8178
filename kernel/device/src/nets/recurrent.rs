//! Rows of sequences, step after step -> layers that go along them, window after window.

use super::{Each, Net, mask, only};
use crate::batch::Batch;
use crate::form;
use crate::layers::{Along, Dense, Dropout, Front, Gates, State};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, bail};

pub(super) struct Recurrent<G: Gates> {
    place: Place,
    front: Front,
    /// Numbers and codes of a row.
    each: (usize, usize),
    layers: Vec<Along<G>>,
    width: usize,
    window: usize,
    dropout: Dropout,
    score: Dense,
}

impl<G: Gates> Recurrent<G> {
    pub(super) fn new(form: &form::Recurrent, feed: &mut Feed<'_>) -> Result<Self> {
        let &form::Recurrent { numbers, ref tables, width, layers, window, .. } = form;
        let front = Front::new(feed, numbers, tables)?;
        let inputs = |layer: usize| if layer == 0 { front.width() } else { width };
        let layers = (0..layers).map(|layer| Along::new(feed, inputs(layer), width)).collect::<Result<_>>()?;
        let score = Dense::new(feed, width, 1)?;
        let (place, each) = (feed.place().clone(), (numbers, tables.len()));
        Ok(Self { place, front, each, layers, width, window, dropout: Dropout::default(), score })
    }
}

impl<G: Gates> Net for Recurrent<G> {
    fn run(&mut self, batch: &Batch<'_>, each: &mut Each<'_>) -> Result<()> {
        let Batch { rows, inputs, codes, places, mut masks, learning, .. } = *batch;
        let counts: Vec<usize> = places.iter().map(|&count| count as usize).collect();
        let falling = counts.is_sorted_by(|before, after| before >= after) && !counts.contains(&0);
        if !falling || counts.iter().sum::<usize>() != rows {
            bail!("steps: expected numbers of rows that never rise and are {rows} together, found {counts:?}");
        }
        let (numbers, tables) = self.each;
        if inputs.len() != rows * numbers || codes.len() != rows * tables {
            bail!("{rows} rows: expected {numbers} numbers and {tables} codes of each");
        }
        let Some(&sequences) = counts.first() else { return Ok(()) };
        let begin = |_: &Along<G>| State::new(&self.place, sequences, self.width);
        let mut states = self.layers.iter().map(begin).collect::<Result<Vec<_>>>()?;
        let mut from = 0;
        for counts in counts.chunks(self.window.max(1)) {
            let to = from + counts.iter().sum::<usize>();
            let own = (&inputs[from * numbers..to * numbers], &codes[from * tables..to * tables]);
            let mut matrix = self.front.forward(own, to - from, &self.place, learning)?;
            for (layer, state) in self.layers.iter_mut().zip(&mut states) {
                matrix = layer.forward(matrix, counts, state, learning)?;
            }
            matrix = self.dropout.forward(matrix, mask(&mut masks, to - from, self.width, &self.place)?)?;
            if let Some(gradients) = each(from..to, &[self.score.forward(matrix, learning)?])? {
                let mut gradient = self.score.backward(only(&gradients)?)?;
                gradient = self.dropout.backward(gradient)?;
                for layer in self.layers.iter_mut().rev() {
                    gradient = layer.backward(&gradient)?;
                }
                self.front.backward(&gradient)?;
            }
            from = to;
        }
        Ok(())
    }

    fn weights(&mut self) -> Vec<&mut Weights> {
        let mut all = self.front.weights();
        self.layers.iter_mut().for_each(|layer| all.extend(layer.weights()));
        all.extend(self.score.weights());
        all
    }
}
