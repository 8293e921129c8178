//! Rows of features -> rows of numbers and codes -> the first matrix of a net, codes by their embeddings.
//!
//! Source of the embeddings: Guo and Berkhahn, *Entity embeddings of categorical variables*, 2016.

use super::layer::Weights;
use super::matrix::Matrix;
use super::real::Real;
use crate::file::stored;
use crate::random::Random;
use crate::unit::unit;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use std::collections::BTreeMap;

/// How one feature becomes an input.
#[derive(Debug, Clone)]
enum Coding {
    /// `(value - mean) / deviation`, at most [`FAR`] away from 0; missing is 0, and where training rows miss it, a
    /// second number says so.
    Number { mean: f64, deviation: f64, marked: bool },
    /// The place of each code that is frequent enough, and of missing values; place 0 is that of all others.
    Category { of_code: BTreeMap<u64, u32>, missing: u32, places: usize, width: usize },
}

/// How features become inputs, learnt from training rows.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    codings: Vec<Coding>,
    pub(crate) names: Vec<String>,
}

/// Inputs of rows, one row behind the other.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    numbers: usize,
    codes: usize,
    number: Vec<f32>,
    code: Vec<u32>,
}

/// Deviations beyond which a number counts as that many: one wrong amount must not drown a batch.
const FAR: f64 = 10.0;

impl Inputs {
    /// Numbers and codes of some rows, one row behind the other.
    pub(crate) fn of(&self, rows: &[usize]) -> (Vec<f32>, Vec<u32>) {
        let (mut numbers, mut codes) = (Vec::new(), Vec::new());
        for &row in rows {
            numbers.extend_from_slice(&self.number[row * self.numbers..(row + 1) * self.numbers]);
            codes.extend_from_slice(&self.code[row * self.codes..(row + 1) * self.codes]);
        }
        (numbers, codes)
    }
}

impl Encoder {
    /// Categories of fewer rows than `min_rows` have no place of their own; embeddings are at most `width` wide.
    pub(crate) fn fit(features: &FeatureMatrix, rows: &[usize], min_rows: usize, width: usize) -> Self {
        let coding = |i: usize| {
            let column = features.column(i);
            let values = rows.iter().map(|&row| column[row]);
            if features.is_categorical(i) { category(values, min_rows, width) } else { number(values) }
        };
        Self { codings: (0..features.columns()).map(coding).collect(), names: features.names().to_vec() }
    }

    pub(crate) fn is_categorical(&self, feature: usize) -> bool {
        matches!(self.codings.get(feature), Some(Coding::Category { .. }))
    }

    /// Numbers of a row.
    pub(crate) fn numbers(&self) -> usize {
        let of =
            |coding: &Coding| if let Coding::Number { marked, .. } = coding { 1 + usize::from(*marked) } else { 0 };
        self.codings.iter().map(of).sum()
    }

    /// Places and width of each embedding.
    pub(crate) fn embeddings(&self) -> Vec<(usize, usize)> {
        let of = |coding: &Coding| match coding {
            Coding::Category { places, width, .. } => Some((*places, *width)),
            Coding::Number { .. } => None,
        };
        self.codings.iter().filter_map(of).collect()
    }

    /// Inputs of rows; [`Error::Cancelled`] where the notebook's stop button is pressed on the way.
    pub(crate) fn encode(&self, features: &FeatureMatrix) -> Result<Inputs> {
        let (rows, numbers, codes) = (features.rows(), self.numbers(), self.embeddings().len());
        let mut inputs = Inputs { numbers, codes, number: vec![0.0; rows * numbers], code: vec![0; rows * codes] };
        let (mut place, mut category) = (0, 0);
        for (i, coding) in self.codings.iter().enumerate() {
            if stop::requested() {
                return Err(Error::Cancelled { what: "features", done: i, of: self.codings.len() });
            }
            let column = features.column(i);
            match coding {
                Coding::Number { mean, deviation, marked } => {
                    for (row, value) in column.iter().enumerate() {
                        let into = &mut inputs.number[row * numbers + place..];
                        if !value.is_nan() {
                            into[0] = f32::of(deviations(*value, *mean, *deviation).clamp(-FAR, FAR));
                        } else if *marked {
                            into[1] = 1.0;
                        }
                    }
                    place += 1 + usize::from(*marked);
                }
                Coding::Category { of_code, missing, .. } => {
                    for (row, value) in column.iter().enumerate() {
                        inputs.code[row * codes + category] = match value.is_nan() {
                            true => *missing,
                            false => of_code.get(&(value + 0.0).to_bits()).copied().unwrap_or(0),
                        };
                    }
                    category += 1;
                }
            }
        }
        Ok(inputs)
    }

    pub(crate) fn is_sound(&self) -> bool {
        let sound = |coding: &Coding| match coding {
            Coding::Number { mean, deviation, .. } => mean.is_finite() && *deviation > 0.0,
            Coding::Category { of_code, missing, places, width } => {
                let known = of_code.values().chain([missing]).all(|&place| (place as usize) < *places);
                known && *width > 0 && *width <= MOST_WIDTH && *places <= of_code.len() + 2
            }
        };
        self.codings.len() == self.names.len() && self.codings.iter().all(sound)
    }
}

/// Widest embedding.
pub(crate) const MOST_WIDTH: usize = 256;

/// Mean and deviation; a feature that does not vary is infinitely wide, so that it is 0 whatever comes later: the net
/// has learnt nothing of it, and the first weights that it would meet are drawn ones.
fn number(values: impl Iterator<Item = f64> + Clone) -> Coding {
    let missing = values.clone().any(f64::is_nan);
    let known = values.filter(|value| !value.is_nan());
    let unit = unit(known.clone());
    let (mut count, mut sum) = (0.0, 0.0);
    known.clone().for_each(|value| (count, sum) = (count + 1.0, sum + value / unit));
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    let squares: f64 = known.map(|value| (value / unit - mean).powi(2)).sum();
    let spread = if count > 0.0 { (squares / count).sqrt() } else { 0.0 };
    let deviation = learnable(mean, spread, unit);
    Coding::Number { mean: mean * unit, deviation, marked: missing && count > 0.0 }
}

/// The deviation to scale by, of a mean and a deviation in some unit: what is no more than the rounding of a constant does
/// not count.
pub(super) fn learnable(mean: f64, spread: f64, unit: f64) -> f64 {
    // Rounding must not make of the greatest deviation one that does not count.
    if spread > 1e-12 * mean.abs() { (spread * unit).clamp(f64::MIN_POSITIVE, f64::MAX) } else { f64::INFINITY }
}

/// How many deviations a finite number lies above the mean, also where the way between them is longer than any number.
pub(super) fn deviations(value: f64, mean: f64, deviation: f64) -> f64 {
    let above = value - mean;
    if above.is_finite() { above / deviation } else { (value / 2.0 - mean / 2.0) / deviation * 2.0 }
}

fn category(values: impl Iterator<Item = f64>, min_rows: usize, most: usize) -> Coding {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for value in values {
        let code = if value.is_nan() { f64::NAN } else { value + 0.0 };
        *counts.entry(code.to_bits()).or_default() += 1;
    }
    let (mut of_code, mut missing, mut places) = (BTreeMap::new(), 0, 1_u32);
    for (bits, _) in counts.into_iter().filter(|&(_, count)| count >= min_rows) {
        if f64::from_bits(bits).is_nan() {
            missing = places;
        } else {
            of_code.insert(bits, places);
        }
        places += 1;
    }
    let places = places as usize;
    // A rule of thumb of the fastai library: wide enough to tell categories apart, narrow enough to be learnt.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
    let width = (1.6 * (places as f64).powf(0.56)).ceil() as usize;
    Coding::Category { of_code, missing, places, width: width.clamp(1, most) }
}

/// Embeddings beside the numbers.
#[derive(Debug, Clone)]
pub(crate) struct Front<T> {
    numbers: usize,
    tables: Vec<(usize, Weights<T>)>,
    codes: Vec<u32>,
}

impl<T: Real> Front<T> {
    pub(crate) fn new(numbers: usize, embeddings: &[(usize, usize)], random: &mut Random) -> Self {
        let table = |&(places, width): &(usize, usize)| {
            let mut table = Weights::drawn(places * width, 0.5, random);
            // Where training has no rare code, this place is never learnt: it must say nothing.
            table.values[..width].fill(T::ZERO);
            (width, table)
        };
        Self { numbers, tables: embeddings.iter().map(table).collect(), codes: Vec::new() }
    }

    /// Columns of the matrix.
    pub(crate) fn width(&self) -> usize {
        self.numbers + self.tables.iter().map(|(width, _)| width).sum::<usize>()
    }

    /// Whether anything here is learnt.
    pub(crate) fn learns(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(crate) fn forward(&mut self, inputs: &Inputs, rows: &[usize], training: bool) -> Matrix<T> {
        let mut matrix = Matrix::zeros(rows.len(), self.width());
        self.codes.clear();
        for (at, &row) in rows.iter().enumerate() {
            let into = matrix.row_mut(at);
            let numbers = &inputs.number[row * inputs.numbers..(row + 1) * inputs.numbers];
            into.iter_mut().zip(numbers).for_each(|(into, &number)| *into = T::of(f64::from(number)));
            let codes = &inputs.code[row * inputs.codes..(row + 1) * inputs.codes];
            let mut from = self.numbers;
            for ((width, table), &code) in self.tables.iter().zip(codes) {
                into[from..from + width].copy_from_slice(&table.values[code as usize * width..][..*width]);
                from += width;
            }
            if training {
                self.codes.extend_from_slice(codes);
            }
        }
        matrix
    }

    pub(crate) fn backward(&mut self, gradient: &Matrix<T>) {
        let each = self.tables.len();
        let mut from = self.numbers;
        for (number, (width, table)) in self.tables.iter_mut().enumerate() {
            let sums = table.gradient();
            for row in 0..gradient.rows {
                let code = self.codes[row * each + number] as usize;
                let into = &mut sums[code * *width..(code + 1) * *width];
                into.iter_mut().zip(&gradient.row(row)[from..]).for_each(|(into, &value)| *into += value);
            }
            from += *width;
        }
    }

    pub(crate) fn weights(&mut self, each: &mut dyn FnMut(&mut Weights<T>)) {
        self.tables.iter_mut().for_each(|(_, table)| each(table));
    }
}

stored!(Coding [
    0 => Number { mean, deviation, marked },
    1 => Category { of_code, missing, places, width },
]);
stored!(Encoder { codings, names });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_number_does_not_matter_however_large_or_small() {
        let encoded = |unit: f64| {
            let column = [1.0, 3.0, f64::NAN, 8.0].map(|value| value * unit).to_vec();
            let features = FeatureMatrix::new(vec!["x".to_owned()], vec![column], vec![false]).unwrap();
            Encoder::fit(&features, &[0, 1, 2, 3], 1, 1).encode(&features).unwrap().number
        };
        let expected = encoded(1.0);
        // Squares of the one are infinite, those of the other 0.
        for power in [1000, -1000] {
            let found = encoded(2.0_f64.powi(power));
            let near = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(near && found.len() == expected.len(), "2^{power}: {found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn deviations_are_numbers_however_long_the_way() {
        assert_eq!(deviations(3.0, 1.0, 4.0), 0.5);
        assert_eq!(deviations(1e308, -1e308, 1e308), 2.0);
        assert_eq!(deviations(-1.5e308, 1.5e308, 1e307), -30.0);
        assert_eq!(deviations(1e308, -1e308, f64::INFINITY), 0.0);
        assert_eq!(deviations(1e308, -1e308, f64::MIN_POSITIVE), f64::INFINITY);
    }
}
