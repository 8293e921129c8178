//! Pictures -> sums over small windows of them, and the greatest or the mean number of each window.
//!
//! A row of the matrices is a picture: line after line, pixel after pixel, its channels together. A series is a picture
//! of one line.

use super::layer::{Layer, Pass, Weights, he};
use super::matrix::{Matrix, View};
use super::product::Packed;
use super::real::Real;
use crate::random::Random;
use rayon::prelude::*;

/// Lines, pixels of a line, channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
}

impl Size {
    pub(crate) fn values(self) -> usize {
        self.height * self.width * self.channels
    }
}

/// A weighted sum over the window around each pixel, for each channel of the result; outside of the picture is 0.
#[derive(Debug, Clone)]
pub(crate) struct Conv<T> {
    size: Size,
    /// Lines and pixels of the window, odd.
    window: (usize, usize),
    channels: usize,
    weights: Weights<T>,
    bias: Weights<T>,
    windows: Matrix<T>,
    /// Whether a layer before this one learns.
    inner: bool,
}

impl<T: Real> Conv<T> {
    pub(crate) fn new(size: Size, window: (usize, usize), channels: usize, inner: bool, random: &mut Random) -> Self {
        let inputs = window.0 * window.1 * size.channels;
        let weights = Weights::drawn(inputs * channels, he(inputs), random);
        let bias = Weights::constant(channels, 0.0);
        Self { size, window, channels, weights, bias, windows: Matrix::default(), inner }
    }

    pub(crate) fn result(&self) -> Size {
        Size { channels: self.channels, ..self.size }
    }

    fn view(&self) -> View<'_, T> {
        View::of(self.window.0 * self.window.1 * self.size.channels, self.channels, &self.weights.values)
    }

    /// Calls `each` with the first place of a line of the window within the row of windows, the first place of the same
    /// pixels in the picture, and how many numbers they are.
    #[inline(always)]
    fn lines(&self, mut each: impl FnMut(usize, usize, usize)) {
        let (Size { height, width, channels }, (lines, pixels)) = (self.size, self.window);
        let all = lines * pixels * channels;
        for y in 0..height {
            for x in 0..width {
                let (left, right) = (x.saturating_sub(pixels / 2), (x + pixels / 2 + 1).min(width));
                for line in 0..lines {
                    let Some(from) = (y + line).checked_sub(lines / 2).filter(|&from| from < height) else { continue };
                    let skipped = left + pixels / 2 - x;
                    let at = (y * width + x) * all + (line * pixels + skipped) * channels;
                    each(at, (from * width + left) * channels, (right - left) * channels);
                }
            }
        }
    }
}

impl<T: Real> Layer<T> for Conv<T> {
    fn forward(&mut self, input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        let pixels = self.size.height * self.size.width;
        let all = self.window.0 * self.window.1 * self.size.channels;
        let mut windows = Matrix::zeros(input.rows * pixels, all);
        let pictures = input.values.par_chunks_exact(self.size.values());
        windows.values.par_chunks_exact_mut(pixels * all).zip(pictures).for_each(|(windows, picture)| {
            self.lines(|at, from, length| {
                windows[at..at + length].copy_from_slice(&picture[from..from + length]);
            });
        });
        let mut output = Matrix::of_rows(windows.rows, &self.bias.values);
        Packed::new(self.view()).add_product(windows.view(), &mut output.values);
        if pass.training {
            self.windows = windows;
        }
        Matrix::new(input.rows, pixels * self.channels, output.values)
    }

    fn backward(&mut self, gradient: Matrix<T>) -> Matrix<T> {
        let (pictures, pixels) = (gradient.rows, self.size.height * self.size.width);
        let gradient = Matrix::new(pictures * pixels, self.channels, gradient.values);
        let windows = std::mem::take(&mut self.windows);
        Packed::new(gradient.view()).add_product(windows.view().turned(), self.weights.gradient());
        gradient.add_column_sums(self.bias.gradient());
        if !self.inner {
            return Matrix::default();
        }
        let windows = gradient.view().times(self.view().turned());
        let mut result = Matrix::zeros(pictures, self.size.values());
        let of_picture = windows.values.par_chunks_exact(pixels * windows.columns);
        result.values.par_chunks_exact_mut(self.size.values()).zip(of_picture).for_each(|(picture, windows)| {
            self.lines(|at, from, length| {
                let into = &mut picture[from..from + length];
                into.iter_mut().zip(&windows[at..at + length]).for_each(|(into, &value)| *into += value);
            });
        });
        result
    }

    fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        each(&mut self.weights);
        each(&mut self.bias);
    }
}

/// The greatest, or the mean number of each window and channel; windows do not overlap, and at the right and the lower
/// edge they may be smaller.
#[derive(Debug, Clone)]
pub(crate) struct Pool<T> {
    size: Size,
    window: (usize, usize),
    mean: bool,
    /// For each result of the greatest where it stands in its picture.
    places: Vec<u32>,
    numbers: std::marker::PhantomData<T>,
}

impl<T: Real> Pool<T> {
    pub(crate) fn greatest(size: Size, window: (usize, usize)) -> Self {
        Self { size, window, mean: false, places: Vec::new(), numbers: std::marker::PhantomData }
    }

    /// Over the whole picture.
    pub(crate) fn mean(size: Size) -> Self {
        Self { mean: true, ..Self::greatest(size, (size.height, size.width)) }
    }

    pub(crate) fn result(&self) -> Size {
        let (height, width) = (self.size.height.div_ceil(self.window.0), self.size.width.div_ceil(self.window.1));
        Size { height, width, channels: self.size.channels }
    }

    /// Calls `each` with the number of a result and the places of its window in the picture.
    #[inline(always)]
    fn windows(&self, mut each: impl FnMut(usize, &[usize])) {
        let (Size { height, width, channels }, result) = (self.size, self.result());
        let mut places = Vec::with_capacity(self.window.0 * self.window.1);
        for y in 0..result.height {
            for x in 0..result.width {
                places.clear();
                for line in y * self.window.0..((y + 1) * self.window.0).min(height) {
                    let pixels = x * self.window.1..((x + 1) * self.window.1).min(width);
                    places.extend(pixels.map(|pixel| (line * width + pixel) * channels));
                }
                for channel in 0..channels {
                    each((y * result.width + x) * channels + channel, &places);
                    places.iter_mut().for_each(|place| *place += 1);
                }
            }
        }
    }
}

impl<T: Real> Layer<T> for Pool<T> {
    fn forward(&mut self, input: Matrix<T>, pass: &mut Pass) -> Matrix<T> {
        let each = self.result().values();
        let mut output = Matrix::zeros(input.rows, each);
        let mut places = vec![0_u32; input.rows * each];
        let pictures = input.values.par_chunks_exact(self.size.values());
        let results = output.values.par_chunks_exact_mut(each).zip(places.par_chunks_exact_mut(each));
        pictures.zip(results).for_each(|(picture, (result, places))| {
            self.windows(|number, window| {
                if self.mean {
                    result[number] = share::<T>(window.len()) * window.iter().map(|&place| picture[place]).sum();
                    return;
                }
                let mut best = window[0];
                for &place in window {
                    // A number that is none is passed on.
                    if picture[place] > picture[best] || picture[place].wide().is_nan() {
                        best = place;
                    }
                }
                result[number] = picture[best];
                #[expect(clippy::cast_possible_truncation, reason = "pictures have fewer numbers than 2^32")]
                let place = best as u32;
                places[number] = place;
            });
        });
        if pass.training && !self.mean {
            self.places = places;
        }
        output
    }

    fn backward(&mut self, gradient: Matrix<T>) -> Matrix<T> {
        let mut result = Matrix::zeros(gradient.rows, self.size.values());
        for row in 0..gradient.rows {
            let above = gradient.row(row);
            let picture = &mut result.values[row * self.size.values()..(row + 1) * self.size.values()];
            if self.mean {
                self.windows(|number, window| {
                    window.iter().for_each(|&place| picture[place] += share::<T>(window.len()) * above[number]);
                });
            } else {
                let places = &self.places[row * above.len()..(row + 1) * above.len()];
                places.iter().zip(above).for_each(|(&place, &value)| picture[place as usize] += value);
            }
        }
        result
    }

    fn weights(&mut self, _: &mut dyn FnMut(&mut Weights<T>)) {}
}

#[expect(clippy::cast_precision_loss, reason = "windows are small")]
fn share<T: Real>(of: usize) -> T {
    T::of(1.0 / of as f64)
}
