//! Labels -> how well the rows are apart, and how far two labellings agree.

use super::Scaling;
use crate::lanes::{LANES, Lanes, blocks, squared_distances, wide};
use crate::random::Random;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Mean silhouette of all rows: `(b - a) / max(a, b)`, where `a` is a row's mean distance to the others of its cluster
/// and `b` the least mean distance to those of another; 0 for a row that is alone. From -1 to 1, more is better.
/// Noise (-1) is a cluster like others: leave such rows out first. `scaled` as in the fit. The time grows with the
/// square of the rows.
///
/// Source: Rousseeuw, *Silhouettes*, 1987.
///
/// # Errors
/// When lengths differ, there are not 2 to `rows - 1` clusters, a value is missing or infinite, or a fit was cancelled.
pub fn silhouette(features: &FeatureMatrix, labels: &[i32], scaled: bool) -> Result<f64> {
    if labels.len() != features.rows() {
        return Err(Error::Rows { what: "labels", expected: features.rows(), found: labels.len() });
    }
    let scaling = Scaling::fit("rows", features, scaled)?;
    let points = scaling.points(features)?;
    let mut rows_of: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    (0..labels.len()).for_each(|row| rows_of.entry(labels[row]).or_default().push(row));
    if rows_of.len() < 2 || rows_of.len() >= labels.len() {
        let (model, what) = ("silhouette", "clusters, fewer than rows");
        return Err(Error::TooFewRows { model, what, expected: 2, found: rows_of.len() });
    }
    let clusters: Vec<(i32, usize, Vec<Lanes>)> = rows_of
        .iter()
        .map(|(&label, rows)| {
            let values: Vec<f64> = rows.iter().flat_map(|&row| points.row(row).iter().copied()).collect();
            (label, rows.len(), blocks(&values, points.columns))
        })
        .collect();
    let one = |row: usize| {
        if row.is_multiple_of(64) && stop::requested() {
            return None;
        }
        let (mut own, mut next) = (0.0, f64::INFINITY);
        for (label, count, blocks) in &clusters {
            #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
            let count = *count as f64;
            let sum = distances(points.row(row), blocks);
            if *label == labels[row] {
                own = if count > 1.0 { sum / (count - 1.0) } else { return Some(0.0) };
            } else {
                next = f64::min(next, sum / count);
            }
        }
        let most = f64::max(own, next);
        Some(if most > 0.0 { (next - own) / most } else { 0.0 })
    };
    let values: Option<Vec<f64>> = (0..labels.len()).into_par_iter().map(one).collect();
    let values = values.ok_or(Error::Cancelled { what: "silhouettes", done: 0, of: labels.len() })?;
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Ok(mean)
}

/// As [`silhouette`], of `sample` rows drawn without replacement, to which all distances are taken.
///
/// # Errors
/// As there: a small sample may hold one cluster only.
pub fn silhouette_sampled(
    features: &FeatureMatrix,
    labels: &[i32],
    scaled: bool,
    sample: usize,
    seed: u64,
) -> Result<f64> {
    if labels.len() != features.rows() {
        return Err(Error::Rows { what: "labels", expected: features.rows(), found: labels.len() });
    }
    let mut rows: Vec<usize> = (0..labels.len()).collect();
    let mut random = Random::new(seed);
    let count = sample.min(rows.len());
    for place in 0..count {
        let other = place + random.below(rows.len() - place);
        rows.swap(place, other);
    }
    rows.truncate(count);
    let drawn: Vec<i32> = rows.iter().map(|&row| labels[row]).collect();
    silhouette(&features.select_rows(&rows), &drawn, scaled)
}

wide! {
    /// Sum of the distances to all points of the blocks.
    fn distances(row: &[f64], blocks: &[Lanes]) -> f64 {
        let mut sums = [0.0; LANES];
        for block in blocks.chunks_exact(row.len()) {
            let squared = squared_distances(row, block);
            for (sum, squared) in sums.iter_mut().zip(squared) {
                // NaN stands behind the last point.
                *sum += if squared >= 0.0 { squared.sqrt() } else { 0.0 };
            }
        }
        sums.iter().sum()
    }
}

/// How far two labellings of the same rows agree, whatever the labels are called: 1 where they are the same, about 0 by
/// chance, below that for less.
///
/// Source: Hubert and Arabie, *Comparing partitions*, 1985.
///
/// # Errors
/// When lengths differ or there are no rows.
pub fn adjusted_rand_index(a: &[i32], b: &[i32]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(Error::Rows { what: "labels", expected: a.len(), found: b.len() });
    }
    if a.is_empty() {
        return Err(Error::NoLabels { what: "labels", rows: 0 });
    }
    let (mut both, mut first, mut second) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (&a, &b) in a.iter().zip(b) {
        *both.entry((a, b)).or_insert(0.0) += 1.0;
        *first.entry(a).or_insert(0.0) += 1.0;
        *second.entry(b).or_insert(0.0) += 1.0;
    }
    let pairs = |count: &f64| count * (count - 1.0) / 2.0;
    let (both, first, second): (f64, f64, f64) =
        (both.values().map(pairs).sum(), first.values().map(pairs).sum(), second.values().map(pairs).sum());
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let all = pairs(&(a.len() as f64));
    let expected = if all > 0.0 { first * second / all } else { 0.0 };
    let most = (first + second) / 2.0;
    Ok(if most == expected { 1.0 } else { (both - expected) / (most - expected) })
}
