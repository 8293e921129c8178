//! Numbers of places -> the learnt rows that stand there: embeddings of which every place is known to training.

use super::layer::Weights;
use super::matrix::Matrix;
use super::real::Real;
use crate::random::Random;

/// A learnt row for each place.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    width: usize,
    rows: Weights<T>,
    places: Vec<u32>,
}

impl<T: Real> Table<T> {
    pub(crate) fn new(places: usize, width: usize, random: &mut Random) -> Self {
        Self { width, rows: Weights::drawn(places * width, 0.5, random), places: Vec::new() }
    }

    pub(crate) fn forward(&mut self, places: Vec<u32>, training: bool) -> Matrix<T> {
        let mut values = Vec::with_capacity(places.len() * self.width);
        for &place in &places {
            values.extend_from_slice(&self.rows.values[place as usize * self.width..][..self.width]);
        }
        let rows = places.len();
        if training {
            self.places = places;
        }
        Matrix::new(rows, self.width, values)
    }

    pub(crate) fn backward(&mut self, gradient: &Matrix<T>) {
        let width = self.width;
        let sums = self.rows.gradient();
        for (&place, row) in self.places.iter().zip(gradient.values.chunks_exact(width)) {
            let into = &mut sums[place as usize * width..][..width];
            into.iter_mut().zip(row).for_each(|(into, &value)| *into += value);
        }
    }

    pub(crate) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.rows);
    }
}
