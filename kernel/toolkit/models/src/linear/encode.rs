//! Feature matrix -> rows of few active categories and some numbers, as a solver reads them.

use super::SparseMatrix;
use crate::clustering::moments;
use crate::file::stored;
use crate::lanes::wide;
use haetae_features::FeatureMatrix;
use std::collections::BTreeMap;

/// No category: one that training did not have, where it had no rare ones either.
const NONE: u32 = u32::MAX;

/// How one feature becomes weights.
#[derive(Debug, Clone)]
enum Coding {
    /// A weight for each code that is frequent enough, and for missing values and the rest.
    Categories { of_code: BTreeMap<u64, u32>, missing: u32, other: u32 },
    /// One weight, on `(value - mean) / deviation`.
    Number { mean: f64, deviation: f64 },
}

/// How features become weights, learnt from training rows.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    codings: Vec<Coding>,
    pub(crate) features: Vec<String>,
    /// What each weight stands for; numbers come after all categories.
    pub(crate) names: Vec<String>,
    numbers_from: usize,
}

/// Rows as a solver reads them: positions of weights that are added, and numbers that multiply
/// the last weights but one; the last is the intercept. Or sparse rows as they are.
pub(crate) struct Design<'a> {
    pub(crate) rows: usize,
    pub(crate) weights: usize,
    active: Vec<u32>,
    active_per_row: usize,
    numbers: Vec<f64>,
    numbers_per_row: usize,
    numbers_from: usize,
    sparse: Option<&'a SparseMatrix>,
}

impl Encoder {
    /// `min_rows` of a category that gets a weight of its own; numbers to mean 0 and deviation 1 where `scaled`.
    pub(crate) fn fit(features: &FeatureMatrix, min_rows: usize, scaled: bool) -> Self {
        let mut names = Vec::new();
        let mut codings = Vec::new();
        for (i, feature) in features.names().iter().enumerate() {
            codings.push(if features.is_categorical(i) {
                categories(feature, features.column(i), min_rows, &mut names)
            } else if scaled {
                number(features.column(i))
            } else {
                Coding::Number { mean: 0.0, deviation: 1.0 }
            });
        }
        let numbers_from = names.len();
        let numbers = features.names().iter().enumerate().filter(|&(i, _)| !features.is_categorical(i));
        names.extend(numbers.map(|(_, name)| name.clone()));
        Self { codings, features: features.names().to_vec(), names, numbers_from }
    }

    pub(crate) fn encode(&self, features: &FeatureMatrix) -> Design<'static> {
        let rows = features.rows();
        let numbers_per_row = self.names.len() - self.numbers_from;
        let active_per_row = self.codings.len() - numbers_per_row;
        let mut active = vec![NONE; rows * active_per_row];
        let mut numbers = vec![0.0; rows * numbers_per_row];
        let (mut category, mut place) = (0, 0);
        for (i, coding) in self.codings.iter().enumerate() {
            let column = features.column(i);
            match coding {
                Coding::Categories { of_code, missing, other } => {
                    for (row, value) in column.iter().enumerate() {
                        active[row * active_per_row + category] = match value.is_nan() {
                            true => *missing,
                            false => of_code.get(&(value + 0.0).to_bits()).copied().unwrap_or(*other),
                        };
                    }
                    category += 1;
                }
                Coding::Number { mean, deviation } => {
                    for (row, value) in column.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                        numbers[row * numbers_per_row + place] = (value - mean) / deviation;
                    }
                    place += 1;
                }
            }
        }
        Design {
            rows,
            weights: self.names.len() + 1,
            active,
            active_per_row,
            numbers,
            numbers_per_row,
            numbers_from: self.numbers_from,
            sparse: None,
        }
    }

    /// What each feature adds to the weighted sum of a row, in the order of the features.
    pub(crate) fn parts(&self, design: &Design<'_>, row: usize, weights: &[f64]) -> Vec<f64> {
        let (mut active, mut numbers) = (design.active(row).iter(), design.numbers(row).iter());
        let mut of_numbers = weights[self.numbers_from..].iter();
        let part = |coding: &Coding| match coding {
            Coding::Categories { .. } => {
                active.next().filter(|&&position| position != NONE).map_or(0.0, |&position| weights[position as usize])
            }
            Coding::Number { .. } => {
                numbers.next().zip(of_numbers.next()).map_or(0.0, |(number, weight)| number * weight)
            }
        };
        self.codings.iter().map(part).collect()
    }

    /// Whether a feature is one of categories.
    pub(crate) fn is_categorical(&self, feature: usize) -> bool {
        matches!(self.codings.get(feature), Some(Coding::Categories { .. }))
    }

    /// Whether there is a coding for each feature, whose weights are among so many, of which the last is the intercept.
    pub(crate) fn is_sound(&self, weights: usize) -> bool {
        let known = |position: u32| position == NONE || (position as usize) < self.numbers_from;
        let sound = |coding: &Coding| match coding {
            Coding::Categories { of_code, missing, other } => {
                of_code.values().chain([missing, other]).all(|&position| known(position))
            }
            Coding::Number { .. } => true,
        };
        let numbers = self.codings.iter().filter(|coding| matches!(coding, Coding::Number { .. })).count();
        self.codings.len() == self.features.len()
            && self.names.len() == self.numbers_from + numbers
            && self.names.len() + 1 == weights
            && self.codings.iter().all(sound)
    }
}

/// Codes are not negative, so their bits are in the order of their values.
fn categories(feature: &str, column: &[f64], min_rows: usize, names: &mut Vec<String>) -> Coding {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for value in column {
        let code = if value.is_nan() { f64::NAN } else { value + 0.0 };
        *counts.entry(code.to_bits()).or_default() += 1;
    }
    let mut next = |label: String| {
        names.push(format!("{feature}={label}"));
        u32::try_from(names.len() - 1).unwrap_or(NONE)
    };
    let is_missing = |bits: u64| f64::from_bits(bits).is_nan();
    let mut of_code = BTreeMap::new();
    let mut missing = None;
    let mut rare = false;
    for (bits, count) in counts {
        match (count >= min_rows, is_missing(bits)) {
            (true, true) => missing = Some(next("missing".to_owned())),
            (true, false) => drop(of_code.insert(bits, next(f64::from_bits(bits).to_string()))),
            (false, _) => rare = true,
        }
    }
    let other = if rare { next("other".to_owned()) } else { NONE };
    Coding::Categories { of_code, missing: missing.unwrap_or(other), other }
}

fn number(column: &[f64]) -> Coding {
    let there: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    let (mean, deviation) = if there.is_empty() { (0.0, 1.0) } else { moments(&there) };
    Coding::Number { mean, deviation }
}

impl<'a> Design<'a> {
    /// Sparse rows; a weight for each column, and the intercept.
    pub(crate) fn of_sparse(matrix: &'a SparseMatrix) -> Self {
        Self {
            rows: matrix.rows(),
            weights: matrix.columns() + 1,
            active: Vec::new(),
            active_per_row: 0,
            numbers: Vec::new(),
            numbers_per_row: 0,
            numbers_from: 0,
            sparse: Some(matrix),
        }
    }

    /// The weighted sum of one row.
    #[inline(always)]
    pub(crate) fn dot(&self, row: usize, weights: &[f64]) -> f64 {
        let mut sum = weights[self.weights - 1];
        for &position in self.active(row) {
            if position != NONE {
                sum += weights[position as usize];
            }
        }
        if let Some(sparse) = self.sparse {
            let (positions, values) = sparse.row(row);
            for (&position, value) in positions.iter().zip(values) {
                sum += weights[position as usize] * value;
            }
            return sum;
        }
        sum + dot(self.numbers(row), &weights[self.numbers_from..self.weights - 1])
    }

    /// Adds `factor` times one row, its entries squared first if `squared`, to `sums`.
    #[inline(always)]
    pub(crate) fn add(&self, row: usize, factor: f64, squared: bool, sums: &mut [f64]) {
        let own = |number: f64| factor * if squared { number * number } else { number };
        sums[self.weights - 1] += factor;
        for &position in self.active(row) {
            if position != NONE {
                sums[position as usize] += factor;
            }
        }
        if let Some(sparse) = self.sparse {
            let (positions, values) = sparse.row(row);
            for (&position, &value) in positions.iter().zip(values) {
                sums[position as usize] += own(value);
            }
            return;
        }
        for (&number, sum) in self.numbers(row).iter().zip(&mut sums[self.numbers_from..]) {
            *sum += own(number);
        }
    }

    /// The square of a row's length, 1 for the intercept included.
    pub(crate) fn square(&self, row: usize) -> f64 {
        let active = self.active(row).iter().filter(|&&position| position != NONE).map(|_| 1.0).sum::<f64>();
        let sparse = self.sparse.map_or(&[][..], |sparse| sparse.row(row).1);
        1.0 + active + dot(self.numbers(row), self.numbers(row)) + dot(sparse, sparse)
    }

    #[inline(always)]
    fn active(&self, row: usize) -> &[u32] {
        &self.active[row * self.active_per_row..(row + 1) * self.active_per_row]
    }

    #[inline(always)]
    fn numbers(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.numbers_per_row..(row + 1) * self.numbers_per_row]
    }
}

wide! {
    /// The weighted sums of the rows from `from` on.
    pub(crate) fn dot_rows(design: &Design<'_>, from: usize, weights: &[f64], sums: &mut [f64]) {
        for (offset, sum) in sums.iter_mut().enumerate() {
            *sum = design.dot(from + offset, weights);
        }
    }
}

wide! {
    /// Adds each row from `from` on, times its factor, to `sums`.
    pub(crate) fn add_rows(design: &Design<'_>, from: usize, factors: &[f64], squared: bool, sums: &mut [f64]) {
        for (offset, &factor) in factors.iter().enumerate() {
            if factor != 0.0 {
                design.add(from + offset, factor, squared, sums);
            }
        }
    }
}

/// The sum of products, in four sums side by side.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (left, right) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = left.remainder().iter().zip(&b[a.len() / 4 * 4..]).map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    rest + ((sums[0] + sums[1]) + (sums[2] + sums[3]))
}

stored!(Coding [0 => Categories { of_code, missing, other }, 1 => Number { mean, deviation }]);
stored!(Encoder { codings, features, names, numbers_from });
