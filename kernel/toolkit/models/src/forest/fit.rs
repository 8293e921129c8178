//! Features and target -> a forest, one tree a task.

use super::bag::OutOfBag;
use super::bins::Binner;
use super::grow::{Data, Grown, grow};
use super::model::RandomForestModel;
use super::params::{MODEL, RandomForestParams};
use super::sums::{Counts, Entry, Many, Weighed};
use super::tree::Tree;
use crate::check::{check_rows, check_varies, check_weights, finite, several_classes};
use crate::metrics::both_classes;
use crate::random::Random;
use crate::threads::with_threads;
use crate::unit::{power_of_two, sized};
use crate::{Error, Objective, Result};
use haetae_display::{stop, work};
use haetae_features::FeatureMatrix;
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Groups of trees whose scores of rows are summed apart; fixed, so that sums do not depend on the threads.
const GROUPS: usize = 8;

pub(super) fn fit(
    params: &RandomForestParams,
    features: &FeatureMatrix,
    target: &[f64],
    weights: &[f64],
) -> Result<RandomForestModel> {
    let classes = params.classes;
    let objective = if classes == 2 { Objective::Binary } else { Objective::Classes(classes) };
    check_rows("training rows", features, target, objective)?;
    if classes == 2 {
        both_classes(target)?;
    } else {
        several_classes(target)?;
    }
    finite(features)?;
    check_varies(features)?;
    check_weights(weights, target, objective)?;
    if features.rows() > i32::MAX as usize {
        return Err(Error::TooManyRows { model: MODEL, rows: features.rows(), most: i32::MAX as usize });
    }
    let heavy = (0..target.len()).filter(|&row| weights.get(row).is_none_or(|&weight| weight > 0.0)).collect();
    let weights = not_small(sized(weights).0);
    with_threads(params.threads, || Fit { params, features, target, weights: &weights, heavy }.run())?
}

/// Weights beside which a weight of 1, by which rare categories are drawn to the overall share, is not all there is.
fn not_small(weights: Cow<'_, [f64]>) -> Cow<'_, [f64]> {
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let heavy = weights.iter().filter(|weight| **weight > 0.0).count() as f64;
    let mean = weights.iter().sum::<f64>() / heavy;
    if weights.is_empty() || mean >= 1e-3 {
        return weights;
    }
    let unit = power_of_two(mean);
    Cow::Owned(weights.iter().map(|weight| weight / unit).collect())
}

struct Fit<'a> {
    params: &'a RandomForestParams,
    features: &'a FeatureMatrix,
    target: &'a [f64],
    weights: &'a [f64],
    /// Rows that weigh something: they alone are drawn, as though there were no others.
    heavy: Vec<usize>,
}

impl Fit<'_> {
    fn run(&self) -> Result<RandomForestModel> {
        let binner = Binner::fit(self.features, self.params.bins);
        let cancelled = Error::Cancelled { what: "trees", done: 0, of: self.params.trees };
        let bins = binner.columns(self.features).ok_or(cancelled)?;
        let categorical: Vec<bool> = (0..bins.len()).map(|feature| binner.is_categorical(feature)).collect();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small"
        )]
        let square_root = (bins.len() as f64).sqrt() as usize;
        let data = Data {
            bins: &bins,
            categorical: &categorical,
            weights: self.weights,
            classes: &self.params.class_weight.of_classes(self.target, self.weights, self.params.classes),
            features_per_split: self.params.features_per_split.unwrap_or(square_root.max(1)),
            min_rows_in_leaf: self.params.min_rows_in_leaf as u64,
            depth: self.params.depth,
        };
        let grown = self.trees(&data)?;
        let decreases = mean_decreases(&grown, bins.len());
        let trees: Vec<Tree> = grown.into_iter().map(|grown| grown.tree).collect();
        let out_of_bag = if self.params.out_of_bag { Some(self.out_of_bag(&trees, &bins)?) } else { None };
        Ok(RandomForestModel::new(binner, trees, decreases, out_of_bag, self.params))
    }

    fn trees(&self, data: &Data<'_>) -> Result<Vec<Grown>> {
        let (of, done) = (self.params.trees, AtomicUsize::new(0));
        let one = |number: usize| {
            if stop::requested() {
                return None;
            }
            let mut random = Random::stream(self.params.seed, number as u64);
            let bag = self.bag(&mut random);
            let grown = match (self.params.classes, self.weights.is_empty()) {
                (2, true) => grow::<Counts>(data, bag, random),
                (2, false) => grow::<Weighed>(data, bag, random),
                (..=4, _) => grow::<Many<4>>(data, bag, random),
                (..=8, _) => grow::<Many<8>>(data, bag, random),
                (..=16, _) => grow::<Many<16>>(data, bag, random),
                _ => grow::<Many<32>>(data, bag, random),
            };
            let before = done.fetch_add(usize::from(grown.is_some()), Ordering::Relaxed);
            work::say("trees", before + usize::from(grown.is_some()), of);
            grown
        };
        work::say("trees", 0, of);
        let grown: Option<Vec<Grown>> = (0..of).into_par_iter().with_max_len(1).map(one).collect();
        grown.ok_or_else(|| Error::Cancelled { what: "trees", done: done.load(Ordering::Relaxed), of })
    }

    /// How often each row is drawn for a tree.
    fn draws(&self, random: &mut Random) -> Vec<u32> {
        let mut draws = vec![0; self.target.len()];
        let rows = self.heavy.len();
        if !self.params.bootstrap {
            self.heavy.iter().for_each(|&row| draws[row] = 1);
            return draws;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rows"
        )]
        let count = ((rows as f64 * self.params.row_share).round() as usize).max(1);
        (0..count).for_each(|_| draws[self.heavy[random.below(rows)]] += 1);
        draws
    }

    fn bag(&self, random: &mut Random) -> Vec<Entry> {
        let draws = self.draws(random);
        let mut bag = Vec::with_capacity(draws.iter().filter(|&&draws| draws > 0).count());
        for ((row, draws), &target) in (0_u32..).zip(draws).zip(self.target) {
            if draws > 0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "classes are checked")]
                bag.push(Entry::new(row, draws, target as u8));
            }
        }
        bag
    }

    fn out_of_bag(&self, trees: &[Tree], bins: &[Vec<u8>]) -> Result<OutOfBag> {
        let rows = self.target.len();
        let width = if self.params.classes == 2 { 1 } else { self.params.classes };
        let group = |number: usize| {
            let (mut sums, mut counts) = (vec![0.0; rows * width], vec![0_u32; rows]);
            for (tree, scored) in trees.iter().enumerate().skip(number).step_by(GROUPS) {
                if stop::requested() {
                    return None;
                }
                let draws = self.draws(&mut Random::stream(self.params.seed, tree as u64));
                for (row, sums) in sums.chunks_exact_mut(width).enumerate().filter(|(row, _)| draws[*row] == 0) {
                    let leaf = scored.leaf_of(|feature| bins[feature][row]);
                    sums.iter_mut().enumerate().for_each(|(which, sum)| *sum += scored.value(leaf, which));
                    counts[row] += 1;
                }
            }
            Some((sums, counts))
        };
        let groups: Option<Vec<_>> = (0..GROUPS).into_par_iter().map(group).collect();
        let groups = groups.ok_or(Error::Cancelled { what: "scores out of bag", done: 0, of: trees.len() })?;
        let mut scores = Vec::with_capacity(rows * width);
        for row in 0..rows {
            let count: u32 = groups.iter().map(|group| group.1[row]).sum();
            let sum = |which: usize| groups.iter().map(|group| group.0[row * width + which]).sum::<f64>();
            scores.extend((0..width).map(|which| if count == 0 { f64::NAN } else { sum(which) / f64::from(count) }));
        }
        Ok(OutOfBag::new(scores, self.target, self.weights))
    }
}

/// Each tree's decreases of impurity as shares of their sum; of these the mean, again as shares.
fn mean_decreases(grown: &[Grown], features: usize) -> Vec<f64> {
    let mut shares = vec![0.0; features];
    for grown in grown {
        let all: f64 = grown.decreases.iter().sum();
        if all > 0.0 {
            shares.iter_mut().zip(&grown.decreases).for_each(|(share, decrease)| *share += decrease / all);
        }
    }
    let all: f64 = shares.iter().sum();
    if all > 0.0 {
        shares.iter_mut().for_each(|share| *share /= all);
    }
    shares
}
