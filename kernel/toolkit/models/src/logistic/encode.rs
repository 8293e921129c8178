//! Feature matrix -> rows of few active categories and some numbers, as a solver reads them.

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
pub(super) struct Encoder {
    codings: Vec<Coding>,
    pub(super) features: Vec<String>,
    /// What each weight stands for; numbers come after all categories.
    pub(super) names: Vec<String>,
    numbers_from: usize,
}

/// Rows as a solver reads them: positions of weights that are added, and numbers that multiply
/// the last weights but one; the last is the intercept.
pub(super) struct Design {
    pub(super) rows: usize,
    pub(super) weights: usize,
    active: Vec<u32>,
    active_per_row: usize,
    numbers: Vec<f64>,
    numbers_per_row: usize,
    numbers_from: usize,
}

impl Encoder {
    pub(super) fn fit(features: &FeatureMatrix, min_rows: usize) -> Self {
        let mut names = Vec::new();
        let mut codings = Vec::new();
        for (i, feature) in features.names().iter().enumerate() {
            codings.push(if features.is_categorical(i) {
                categories(feature, features.column(i), min_rows, &mut names)
            } else {
                number(features.column(i))
            });
        }
        let numbers_from = names.len();
        let numbers = features.names().iter().enumerate().filter(|&(i, _)| !features.is_categorical(i));
        names.extend(numbers.map(|(_, name)| name.clone()));
        Self { codings, features: features.names().to_vec(), names, numbers_from }
    }

    pub(super) fn encode(&self, features: &FeatureMatrix) -> Design {
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
        }
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
    let (mut count, mut sum) = (0.0, 0.0);
    for value in column.iter().filter(|value| !value.is_nan()) {
        count += 1.0;
        sum += value;
    }
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    let squares: f64 = column.iter().filter(|value| !value.is_nan()).map(|value| (value - mean).powi(2)).sum();
    let deviation = if squares > 0.0 { (squares / count).sqrt() } else { 1.0 };
    Coding::Number { mean, deviation }
}

impl Design {
    /// The weighted sum of one row.
    pub(super) fn dot(&self, row: usize, weights: &[f64]) -> f64 {
        let mut sum = weights[self.weights - 1];
        for &position in self.active(row) {
            if position != NONE {
                sum += weights[position as usize];
            }
        }
        for (number, weight) in self.numbers(row).iter().zip(&weights[self.numbers_from..]) {
            sum += number * weight;
        }
        sum
    }

    /// Adds `factor` times one row, its entries squared first if `squared`, to `sums`.
    pub(super) fn add(&self, row: usize, factor: f64, squared: bool, sums: &mut [f64]) {
        sums[self.weights - 1] += factor;
        for &position in self.active(row) {
            if position != NONE {
                sums[position as usize] += factor;
            }
        }
        for (number, sum) in self.numbers(row).iter().zip(&mut sums[self.numbers_from..]) {
            *sum += factor * if squared { number * number } else { *number };
        }
    }

    fn active(&self, row: usize) -> &[u32] {
        &self.active[row * self.active_per_row..(row + 1) * self.active_per_row]
    }

    fn numbers(&self, row: usize) -> &[f64] {
        &self.numbers[row * self.numbers_per_row..(row + 1) * self.numbers_per_row]
    }
}
