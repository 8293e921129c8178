//! Pictures -> stages of windows, rectifiers and the greatest of each window, then layers that are wholly connected.

use super::{Each, Net, mask, only};
use crate::batch::Batch;
use crate::form;
use crate::layers::{Conv, Dense, Dropout, Mean, Pool, Relu};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, bail};

pub(super) struct Cnn {
    place: Place,
    /// Lines, pixels, channels of a picture.
    size: (usize, usize, usize),
    stages: Vec<(Conv, Relu, Pool)>,
    /// Lines, pixels, channels behind the stages and the mean.
    end: (usize, usize, usize),
    mean: Option<Mean>,
    width: usize,
    hidden: Dense,
    relu: Relu,
    dropout: Dropout,
    score: Dense,
}

impl Cnn {
    pub(super) fn new(form: &form::Cnn, feed: &mut Feed<'_>) -> Result<Self> {
        let size = (form.height, form.width, form.channels);
        let pooled = (if form.height == 1 { 1 } else { 2 }, 2);
        let (mut end, mut stages) = (size, Vec::with_capacity(form.stages.len()));
        for (number, &channels) in form.stages.iter().enumerate() {
            let conv = Conv::new(feed, end.2, form.window, channels, number > 0)?;
            stages.push((conv, Relu::default(), Pool::greatest(pooled)));
            end = (end.0.div_ceil(pooled.0), end.1.div_ceil(pooled.1), channels);
        }
        let mean = form.mean.then(Mean::default);
        if form.mean {
            end = (1, 1, end.2);
        }
        let hidden = Dense::new(feed, end.0 * end.1 * end.2, form.hidden)?;
        let score = Dense::new(feed, form.hidden, 1)?;
        let (place, width, relu, dropout) = (feed.place().clone(), form.hidden, Relu::default(), Dropout::default());
        Ok(Self { place, size, stages, end, mean, width, hidden, relu, dropout, score })
    }
}

impl Net for Cnn {
    fn run(&mut self, batch: &Batch<'_>, each: &mut Each<'_>) -> Result<()> {
        let Batch { rows, inputs, mut masks, learning, .. } = *batch;
        let (height, width, channels) = self.size;
        if inputs.len() != rows * height * width * channels {
            bail!("{rows} pictures of {height} x {width} x {channels}: found {} numbers", inputs.len());
        }
        let mut tensor = self.place.floats(inputs, (rows, height, width, channels))?;
        for (conv, relu, pool) in &mut self.stages {
            tensor = conv.forward(&tensor, learning)?;
            tensor = relu.forward(&tensor, learning)?;
            tensor = pool.forward(&tensor, learning)?;
        }
        if let Some(mean) = &mut self.mean {
            tensor = mean.forward(&tensor)?;
        }
        let (lines, pixels, to) = self.end;
        let mut matrix = self.hidden.forward(tensor.reshape((rows, lines * pixels * to))?, learning)?;
        matrix = self.relu.forward(&matrix, learning)?;
        matrix = self.dropout.forward(matrix, mask(&mut masks, rows, self.width, &self.place)?)?;
        let Some(gradients) = each(0..rows, &[self.score.forward(matrix, learning)?])? else { return Ok(()) };
        let mut gradient = self.dropout.backward(self.score.backward(only(&gradients)?)?)?;
        gradient = self.hidden.backward(&self.relu.backward(&gradient)?)?.reshape((rows, lines, pixels, to))?;
        if let Some(mean) = &mut self.mean {
            gradient = mean.backward(&gradient)?;
        }
        for (conv, relu, pool) in self.stages.iter_mut().rev() {
            match conv.backward(&relu.backward(&pool.backward(&gradient)?)?)? {
                Some(inner) => gradient = inner,
                None => break,
            }
        }
        Ok(())
    }

    fn weights(&mut self) -> Vec<&mut Weights> {
        let mut all: Vec<&mut Weights> = self.stages.iter_mut().flat_map(|(conv, _, _)| conv.weights()).collect();
        all.extend(self.hidden.weights());
        all.extend(self.score.weights());
        all
    }
}
