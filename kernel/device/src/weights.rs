//! Numbers that are learnt, and the list that a net takes its first ones from.

use crate::place::Place;
use candle_core::{Result, Tensor, bail};

/// Weights of one shape, and the gradient by them since the last step.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    pub(crate) values: Tensor,
    pub(crate) gradient: Option<Tensor>,
}

impl Weights {
    /// Adds to the gradient.
    pub(crate) fn add(&mut self, gradient: Tensor) -> Result<()> {
        let gradient = gradient.reshape(self.values.shape())?;
        self.gradient = Some(match self.gradient.take() {
            None => gradient,
            Some(known) => (known + gradient)?,
        });
        Ok(())
    }
}

/// All first weights, one list behind the other.
pub(crate) struct Feed<'a> {
    place: &'a Place,
    rest: &'a [f32],
    /// How many numbers each list had that was taken.
    pub(crate) lengths: Vec<usize>,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(place: &'a Place, all: &'a [f32]) -> Self {
        Self { place, rest: all, lengths: Vec::new() }
    }

    pub(crate) fn place(&self) -> &'a Place {
        self.place
    }

    /// The next weights, of this shape.
    pub(crate) fn take(&mut self, shape: &[usize]) -> Result<Weights> {
        let length = shape.iter().product();
        let Some((own, rest)) = self.rest.split_at_checked(length) else {
            bail!("weights {}: expected {length} numbers, found {}", self.lengths.len(), self.rest.len());
        };
        self.rest = rest;
        self.lengths.push(length);
        Ok(Weights { values: self.place.floats(own, shape)?, gradient: None })
    }

    /// The length of each list, where all numbers were taken.
    pub(crate) fn end(self) -> Result<Vec<usize>> {
        if self.rest.is_empty() {
            return Ok(self.lengths);
        }
        bail!("weights: {} numbers are left over: the net has fewer", self.rest.len())
    }
}
