//! Points -> centres to begin with: far from each other, drawn by squared distance.
//!
//! As scikit-learn does it, of some candidates for each centre the one is taken that leaves the least squared distance
//! (Arthur and Vassilvitskii 2007, section 5.1).

use crate::clustering::Points;
use crate::lanes::{LANES, Lanes, squared_distance, squared_distances, wide};
use crate::progress::step;
use crate::random::Random;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// Rows of a task; fixed, so that sums do not depend on the threads.
const PART: usize = 4096;

/// Centres, row-major.
pub(super) fn plus_plus(points: &Points, clusters: usize, random: &mut Random) -> Result<Vec<f64>> {
    let columns = points.columns;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2 to 8")]
    let candidates = (2 + (clusters as f64).ln() as usize).min(LANES);
    let mut centers = points.row(random.below(points.rows)).to_vec();
    let mut nearest = vec![f64::INFINITY; points.rows];
    let cancelled = |done: usize| Error::Cancelled { what: "first centres", done, of: clusters };
    let mut sums = lower(points, &mut nearest, &centers).ok_or_else(|| cancelled(0))?;
    while centers.len() < clusters * columns {
        step("first centres", centers.len() / columns, clusters)?;
        let drawn: Vec<usize> = (0..candidates).map(|_| draw(&nearest, &sums, random)).collect();
        let flat: Vec<f64> = drawn.iter().flat_map(|&row| points.row(row).iter().copied()).collect();
        let block = crate::lanes::blocks(&flat, columns);
        let part = (points.values.par_chunks(PART * columns), nearest.par_chunks(PART));
        let of_part = |(values, nearest): (&[f64], &[f64])| {
            (!stop::requested()).then(|| left_over(values, columns, nearest, &block))
        };
        let left: Option<Vec<Lanes>> = part.0.zip(part.1).map(of_part).collect();
        let left = left.ok_or_else(|| cancelled(centers.len() / columns))?;
        let of = |lane: usize| left.iter().map(|sums| sums[lane]).sum::<f64>();
        // Of equals the first: a lane without a candidate is not among them.
        let best = (0..candidates).map(|lane| (of(lane), drawn[lane]));
        let best = best.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |pair| pair.1);
        let center = points.row(best).to_vec();
        sums = lower(points, &mut nearest, &center).ok_or_else(|| cancelled(centers.len() / columns))?;
        centers.extend(center);
    }
    Ok(centers)
}

/// A row, drawn with chances in proportion to `nearest`, whose sums over parts are given.
fn draw(nearest: &[f64], sums: &[f64], random: &mut Random) -> usize {
    let all: f64 = sums.iter().sum();
    let mut left = random.unit() * all;
    let mut part = 0;
    while part + 1 < sums.len() && left >= sums[part] {
        left -= sums[part];
        part += 1;
    }
    let from = part * PART;
    let rows = &nearest[from..nearest.len().min(from + PART)];
    let mut last = 0;
    for (row, &weight) in rows.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        last = row;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    from + last
}

/// Lowers the squared distance of each row to the nearest centre by one centre more; the new sums over parts, none where
/// the wish to stop came first.
fn lower(points: &Points, nearest: &mut [f64], center: &[f64]) -> Option<Vec<f64>> {
    let columns = points.columns;
    let parts = points.values.par_chunks(PART * columns).zip(nearest.par_chunks_mut(PART));
    parts.map(|(values, nearest)| (!stop::requested()).then(|| lower_part(values, columns, nearest, center))).collect()
}

wide! {
    fn lower_part(values: &[f64], columns: usize, nearest: &mut [f64], center: &[f64]) -> f64 {
        for (row, nearest) in values.chunks_exact(columns).zip(nearest.iter_mut()) {
            *nearest = nearest.min(squared_distance(row, center));
        }
        nearest.iter().sum()
    }
}

wide! {
    /// What each candidate would leave of the squared distances.
    fn left_over(values: &[f64], columns: usize, nearest: &[f64], block: &[Lanes]) -> Lanes {
        let mut sums = [0.0; LANES];
        for (row, &nearest) in values.chunks_exact(columns).zip(nearest) {
            let distances = squared_distances(row, block);
            for (sum, distance) in sums.iter_mut().zip(distances) {
                *sum += distance.min(nearest);
            }
        }
        sums
    }
}
