//! Values -> small whole numbers that trees are grown on, learnt from training rows.

use crate::file::stored;
use crate::random::Random;
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The bin of missing values.
pub(super) const MISSING: u8 = u8::MAX;
/// Rows that bounds are computed from; of more, so many are drawn.
const SAMPLE: usize = 200_000;

/// How the values of one feature become bins.
#[derive(Debug, Clone)]
enum Coding {
    /// A value is in the bin whose number is how many bounds are below it.
    Number { bounds: Vec<f64> },
    /// Frequent codes have a bin each; all others share `other`, or are as good as missing.
    Categories { bins: Vec<(u32, u8)>, other: u8 },
}

/// How features become bins.
#[derive(Debug, Clone)]
pub(super) struct Binner {
    codings: Vec<Coding>,
    pub(super) names: Vec<String>,
}

impl Binner {
    /// `most` bins a feature, 2 to 255, besides the one of missing values.
    pub(super) fn fit(features: &FeatureMatrix, most: usize) -> Self {
        let codings = (0..features.columns())
            .into_par_iter()
            .map(|i| match features.is_categorical(i) {
                true => categories(features.column(i), most),
                false => Coding::Number { bounds: bounds(features.column(i), most) },
            })
            .collect();
        Self { codings, names: features.names().to_vec() }
    }

    pub(super) fn is_categorical(&self, feature: usize) -> bool {
        matches!(self.codings.get(feature), Some(Coding::Categories { .. }))
    }

    /// Whether there is a coding for each feature, of no more bins than fit.
    pub(super) fn is_sound(&self) -> bool {
        let few = |coding: &Coding| !matches!(coding, Coding::Number { bounds } if bounds.len() > 254);
        self.codings.len() == self.names.len() && self.codings.iter().all(few)
    }

    /// Bins of all rows, column after column; `None` where the wish to stop came first.
    pub(super) fn columns(&self, features: &FeatureMatrix) -> Option<Vec<Vec<u8>>> {
        let one = |(i, coding): (usize, &Coding)| {
            let mut bins = Vec::with_capacity(features.rows());
            for part in features.column(i).chunks(1 << 16) {
                if stop::requested() {
                    return None;
                }
                bins.extend(part.iter().map(|&value| coding.bin(value)));
            }
            Some(bins)
        };
        self.codings.par_iter().enumerate().map(one).collect()
    }

    /// Bins of some rows, row after row, as scoring reads them.
    pub(super) fn rows(&self, features: &FeatureMatrix, rows: std::ops::Range<usize>, bins: &mut Vec<u8>) {
        let width = self.codings.len();
        bins.clear();
        bins.resize(rows.len() * width, MISSING);
        for (i, coding) in self.codings.iter().enumerate() {
            for (row, &value) in features.column(i)[rows.clone()].iter().enumerate() {
                bins[row * width + i] = coding.bin(value);
            }
        }
    }
}

impl Coding {
    fn bin(&self, value: f64) -> u8 {
        if value.is_nan() {
            return MISSING;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "254 bounds; codes are checked")]
        match self {
            Self::Number { bounds } => bounds.partition_point(|bound| *bound < value) as u8,
            Self::Categories { bins, other } => {
                let found = bins.binary_search_by_key(&(value as u32), |pair| pair.0);
                found.ok().and_then(|at| bins.get(at)).map_or(*other, |pair| pair.1)
            }
        }
    }
}

/// Bounds between bins: halfway between neighbours where there are few values, else so that bins hold about as many
/// rows each.
fn bounds(column: &[f64], most: usize) -> Vec<f64> {
    let mut values: Vec<f64> = if column.len() <= SAMPLE {
        column.iter().copied().filter(|value| !value.is_nan()).collect()
    } else {
        let mut random = Random::new(0);
        let drawn = (0..SAMPLE).map(|_| column[random.below(column.len())]);
        drawn.filter(|value| !value.is_nan()).collect()
    };
    values.sort_unstable_by(f64::total_cmp);
    let starts: Vec<usize> = (1..values.len()).filter(|&i| values[i - 1] < values[i]).collect();
    let mut bounds = Vec::with_capacity(most);
    if starts.len() < most {
        bounds.extend(starts.iter().map(|&i| halfway(values[i - 1], values[i])));
        return bounds;
    }
    for cut in 1..most {
        let target = cut * values.len() / most;
        // The first change of value at or after the quantile.
        let next = starts.partition_point(|&start| start < target);
        let Some(&i) = starts.get(next) else { break };
        let bound = halfway(values[i - 1], values[i]);
        if bounds.last().is_none_or(|last| *last < bound) {
            bounds.push(bound);
        }
    }
    bounds
}

/// A number that is not below `low` and is below `high`; halves first, so that nothing overflows.
fn halfway(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

fn categories(column: &[f64], most: usize) -> Coding {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for value in column.iter().filter(|value| !value.is_nan()) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "codes are checked")]
        let code = *value as u32;
        *counts.entry(code).or_default() += 1;
    }
    let mut codes: Vec<(u32, usize)> = counts.into_iter().collect();
    let crowded = codes.len() > most;
    if crowded {
        // Stable: of equally frequent codes the smaller ones keep their bins.
        codes.sort_by_key(|pair| std::cmp::Reverse(pair.1));
        codes.truncate(most - 1);
        codes.sort_unstable_by_key(|pair| pair.0);
    }
    let bins = codes.iter().zip(0_u8..).map(|(&(code, _), bin)| (code, bin)).collect();
    let other = if crowded { u8::try_from(most - 1).unwrap_or(MISSING) } else { MISSING };
    Coding::Categories { bins, other }
}

stored!(Coding [0 => Number { bounds }, 1 => Categories { bins, other }]);
stored!(Binner { codings, names });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_lies_between_neighbours_however_close_or_large() {
        let next = f64::from_bits(1.0_f64.to_bits() + 1);
        assert_eq!(bounds(&[1.0, next, 1.0], 255), [1.0]);
        assert_eq!(bounds(&[f64::MIN, f64::MAX], 255), [0.0]);
        assert_eq!(bounds(&[3.0, f64::NAN, 1.0, 3.0], 255), [2.0]);
        assert!(bounds(&[f64::NAN, f64::NAN], 255).is_empty());
        assert!(bounds(&[2.0, 2.0], 255).is_empty());
    }

    #[test]
    fn many_values_share_bins_of_about_equal_size() {
        let column: Vec<f64> = (0..10_000).map(|i| f64::from(i * 7919 % 10_000)).collect();
        let bounds = bounds(&column, 100);
        assert_eq!(bounds.len(), 99);
        let coding = Coding::Number { bounds };
        let mut counts = [0; 100];
        column.iter().for_each(|&value| counts[coding.bin(value) as usize] += 1);
        assert!(counts.iter().all(|&count| count == 100), "{counts:?}");
    }

    #[test]
    fn rare_categories_share_a_bin_and_unknown_ones_are_missing() {
        let few = categories(&[5.0, 9.0, f64::NAN], 255);
        assert_eq!([5.0, 9.0, 7.0, f64::NAN].map(|value| few.bin(value)), [0, 1, MISSING, MISSING]);
        let column: Vec<f64> = (0..600).map(|i| f64::from(if i < 400 { i % 4 } else { i })).collect();
        let many = categories(&column, 10);
        let bins: Vec<u8> = [0.0, 3.0, 400.0, 404.0, 405.0, 599.0, 9999.0].map(|value| many.bin(value)).to_vec();
        assert_eq!(bins, [0, 3, 4, 8, 9, 9, 9]);
    }
}
