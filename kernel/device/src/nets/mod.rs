//! The four nets: a batch -> the sums of their last layers, and backward what comes back for them.

mod cnn;
mod date;
mod fcnn;
mod recurrent;

use crate::batch::Batch;
use crate::form::Layers;
use crate::layers::{Gru, Lstm};
use crate::place::Place;
use crate::weights::{Feed, Weights};
use candle_core::{Result, Tensor, bail};
use std::ops::Range;

/// Gets the rows that were gone through and the sums of each head, a column each; gives back the gradients by them, or
/// nothing where nothing is to go back.
pub(crate) type Each<'a> = dyn FnMut(Range<usize>, &[Tensor]) -> Result<Option<Vec<Tensor>>> + 'a;

/// A net of layers.
pub(crate) trait Net: Send {
    /// Goes forward, and backward where `each` gives gradients.
    fn run(&mut self, batch: &Batch<'_>, each: &mut Each<'_>) -> Result<()>;

    /// All weights, in the order in which they were taken.
    fn weights(&mut self) -> Vec<&mut Weights>;
}

/// A net with its first weights.
pub(crate) fn made(layers: &Layers, feed: &mut Feed<'_>) -> Result<Box<dyn Net>> {
    Ok(match layers {
        Layers::Fcnn(form) => Box::new(fcnn::Fcnn::new(form, feed)?),
        Layers::Recurrent(form) if form.gru => Box::new(recurrent::Recurrent::<Gru>::new(form, feed)?),
        Layers::Recurrent(form) => Box::new(recurrent::Recurrent::<Lstm>::new(form, feed)?),
        Layers::Cnn(form) => Box::new(cnn::Cnn::new(form, feed)?),
        Layers::Date(form) => Box::new(date::Date::new(form, feed)?),
    })
}

/// The next factors of dropout; none where nothing is dropped.
fn mask(masks: &mut &[f32], rows: usize, width: usize, place: &Place) -> Result<Option<Tensor>> {
    if masks.is_empty() {
        return Ok(None);
    }
    let Some((own, rest)) = masks.split_at_checked(rows * width) else {
        bail!("dropout: expected {rows} times {width} factors, found {}", masks.len());
    };
    *masks = rest;
    place.floats(own, (rows, width)).map(Some)
}

/// The only gradient of a net of one head.
fn only(gradients: &[Tensor]) -> Result<&Tensor> {
    match gradients {
        [gradient] => Ok(gradient),
        _ => bail!("expected one head, found {}", gradients.len()),
    }
}
