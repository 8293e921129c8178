//! Points and first centres -> centres that are the means of their rows.
//!
//! Lloyd's rounds with Hamerly's bounds: a row whose distance to its own centre is below both a lower bound of the
//! distance to any other, and half the distance from its centre to the next one, keeps its cluster unseen.

use crate::clustering::Points;
use crate::lanes::{LANES, Lanes, blocks, squared_distance, squared_distances, wide};
use crate::progress::step;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// Rows of a task; fixed, so that sums do not depend on the threads.
const PART: usize = 4096;

/// Where the rounds ended.
pub(super) struct Found {
    /// Row-major.
    pub(super) centers: Vec<f64>,
    pub(super) labels: Vec<i32>,
    /// Sum of squared distances to the own centre.
    pub(super) inertia: f64,
    pub(super) iterations: usize,
}

/// What is known of each row.
struct Rows {
    labels: Vec<i32>,
    /// Not below the distance to the own centre.
    upper: Vec<f64>,
    /// Not above the distance to any other.
    lower: Vec<f64>,
}

/// What one part of the rows adds to the centres.
struct Sums {
    sums: Vec<f64>,
    counts: Vec<f64>,
    changed: bool,
}

/// What a round knows of the centres.
struct Centers<'a> {
    values: &'a [f64],
    blocks: Vec<Lanes>,
    columns: usize,
    /// Half the distance to the next centre, or less.
    half: Vec<f64>,
    /// How far each has moved since the last round, and the furthest that any has.
    moved: &'a [f64],
    furthest: f64,
}

pub(super) fn lloyd(points: &Points, mut centers: Vec<f64>, most: usize, tolerance: f64) -> Result<Found> {
    let columns = points.columns;
    let clusters = centers.len() / columns;
    let enough = tolerance * mean_variance(points);
    let mut rows = Rows::new(points.rows);
    let mut moved = vec![0.0; clusters];
    let mut iterations = 0;
    let mut settled = false;
    while iterations < most && !settled {
        step("rounds", iterations, most)?;
        iterations += 1;
        let cancelled = || Error::Cancelled { what: "rounds", done: iterations, of: most };
        let mut sums = assign(points, &mut rows, &centers, &moved).ok_or_else(cancelled)?;
        if !sums.changed {
            settled = true;
            break;
        }
        if sums.counts.contains(&0.0) {
            fill_empty(points, &rows.labels, &centers, &mut sums);
        }
        let mut all = 0.0;
        for (cluster, count) in sums.counts.iter().enumerate() {
            let old = &mut centers[cluster * columns..(cluster + 1) * columns];
            let new: Vec<f64> = sums.sums[cluster * columns..].iter().take(columns).map(|sum| sum / count).collect();
            let squared = squared_distance(old, &new);
            all += squared;
            moved[cluster] = squared.sqrt();
            old.copy_from_slice(&new);
        }
        if all <= enough {
            break;
        }
    }
    if !settled {
        // The centres have moved after the last look.
        let cancelled = Error::Cancelled { what: "rounds", done: iterations, of: most };
        assign(points, &mut rows, &centers, &moved).ok_or(cancelled)?;
    }
    let inertia = inertia(points, &centers, &rows.labels);
    Ok(Found { centers, labels: rows.labels, inertia, iterations })
}

impl Rows {
    fn new(count: usize) -> Self {
        Self { labels: vec![-1; count], upper: vec![f64::INFINITY; count], lower: vec![f64::NEG_INFINITY; count] }
    }
}

/// Half the distance from each centre to the next one; none where the wish to stop came first: of very many centres there
/// are very many pairs.
fn halves(centers: &[f64], columns: usize) -> Option<Vec<f64>> {
    let each: Vec<&[f64]> = centers.chunks_exact(columns).collect();
    let half = |at: usize| {
        if at.is_multiple_of(64) && stop::requested() {
            return None;
        }
        let others = each.iter().enumerate().filter(|(other, _)| *other != at);
        let nearest = others.map(|(_, other)| squared_distance(each[at], other)).fold(f64::INFINITY, f64::min);
        Some(nearest.sqrt() / 2.0)
    };
    (0..each.len()).into_par_iter().with_min_len(64).map(half).collect()
}

/// Gives every row the label of its nearest centre, and sums the rows of each; none where the wish to stop came first.
fn assign(points: &Points, rows: &mut Rows, values: &[f64], moved: &[f64]) -> Option<Sums> {
    let columns = points.columns;
    // Rows without a label look at every centre whatever the bounds say.
    let labelled = rows.labels.first().is_some_and(|label| *label >= 0);
    let half = if labelled { halves(values, columns)? } else { vec![0.0; moved.len()] };
    let furthest = moved.iter().copied().fold(0.0, f64::max);
    let centers = &Centers { values, blocks: blocks(values, columns), columns, half, moved, furthest };
    let parts: Option<Vec<Sums>> = points
        .values
        .par_chunks(PART * columns)
        .zip(rows.labels.par_chunks_mut(PART))
        .zip(rows.upper.par_chunks_mut(PART).zip(rows.lower.par_chunks_mut(PART)))
        .map(|((values, labels), (upper, lower))| {
            (!stop::requested()).then(|| assign_part(values, labels, upper, lower, centers))
        })
        .collect();
    let clusters = moved.len();
    let mut all = Sums { sums: vec![0.0; clusters * columns], counts: vec![0.0; clusters], changed: false };
    for part in parts? {
        all.sums.iter_mut().zip(part.sums).for_each(|(sum, part)| *sum += part);
        all.counts.iter_mut().zip(part.counts).for_each(|(count, part)| *count += part);
        all.changed |= part.changed;
    }
    Some(all)
}

wide! {
    fn assign_part(
        values: &[f64], labels: &mut [i32], upper: &mut [f64], lower: &mut [f64], centers: &Centers<'_>,
    ) -> Sums {
        let columns = centers.columns;
        let clusters = centers.moved.len();
        let mut part = Sums { sums: vec![0.0; clusters * columns], counts: vec![0.0; clusters], changed: false };
        let bounds = upper.iter_mut().zip(lower.iter_mut());
        for ((row, label), (upper, lower)) in values.chunks_exact(columns).zip(labels.iter_mut()).zip(bounds) {
            let mut at = usize::try_from(*label).unwrap_or(0);
            *upper += centers.moved[at];
            *lower -= centers.furthest;
            let far = lower.max(centers.half[at]);
            if *label < 0 || *upper >= far {
                *upper = squared_distance(row, &centers.values[at * columns..(at + 1) * columns]).sqrt();
                if *label < 0 || *upper >= far {
                    let (nearest, first, second) = two_nearest(row, centers, clusters);
                    (*upper, *lower) = (first.sqrt(), second.sqrt());
                    if *label != nearest as i32 {
                        *label = nearest as i32;
                        at = nearest;
                        part.changed = true;
                    }
                }
            }
            part.counts[at] += 1.0;
            for (sum, value) in part.sums[at * columns..(at + 1) * columns].iter_mut().zip(row) {
                *sum += value;
            }
        }
        part
    }
}

/// The nearest centre, of equals the first, and the squared distances to it and to the next.
#[inline(always)]
fn two_nearest(row: &[f64], centers: &Centers<'_>, clusters: usize) -> (usize, f64, f64) {
    let (mut at, mut first, mut second) = (0, f64::INFINITY, f64::INFINITY);
    for (number, block) in centers.blocks.chunks_exact(centers.columns).enumerate() {
        let distances = squared_distances(row, block);
        let filled = LANES.min(clusters - number * LANES);
        for (lane, &distance) in distances[..filled].iter().enumerate() {
            if distance < first {
                (second, first, at) = (first, distance, number * LANES + lane);
            } else if distance < second {
                second = distance;
            }
        }
    }
    (at, first, second)
}

/// A cluster without rows takes over the row that is furthest from its centre, as scikit-learn does it.
fn fill_empty(points: &Points, labels: &[i32], centers: &[f64], sums: &mut Sums) {
    let columns = points.columns;
    let mut far: Vec<(f64, usize)> = (0..points.rows)
        .into_par_iter()
        .map(|row| (squared_distance(points.row(row), center_of(centers, columns, labels[row])), row))
        .collect();
    far.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut far = far.into_iter();
    for empty in 0..sums.counts.len() {
        if sums.counts[empty] > 0.0 {
            continue;
        }
        // A row that is alone in its cluster stays there.
        let alone = |row: usize| usize::try_from(labels[row]).is_ok_and(|label| sums.counts[label] <= 1.0);
        let Some((_, row)) = far.find(|&(_, row)| !alone(row)) else { continue };
        let old = usize::try_from(labels[row]).unwrap_or(0);
        for (i, value) in points.row(row).iter().enumerate() {
            sums.sums[old * columns + i] -= value;
            sums.sums[empty * columns + i] = *value;
        }
        sums.counts[old] -= 1.0;
        sums.counts[empty] = 1.0;
    }
}

fn center_of(centers: &[f64], columns: usize, label: i32) -> &[f64] {
    let at = usize::try_from(label).unwrap_or(0);
    &centers[at * columns..(at + 1) * columns]
}

/// Sum of squared distances to the own centre, part after part.
pub(super) fn inertia(points: &Points, centers: &[f64], labels: &[i32]) -> f64 {
    let columns = points.columns;
    let parts: Vec<f64> = points
        .values
        .par_chunks(PART * columns)
        .zip(labels.par_chunks(PART))
        .map(|(values, labels)| {
            let pairs = values.chunks_exact(columns).zip(labels);
            pairs.map(|(row, &label)| squared_distance(row, center_of(centers, columns, label))).sum()
        })
        .collect();
    parts.iter().sum()
}

/// The label of the nearest centre for each row.
pub(super) fn nearest(points: &Points, centers: &[f64]) -> Result<Vec<i32>> {
    let (mut rows, moved) = (Rows::new(points.rows), vec![0.0; centers.len() / points.columns]);
    let cancelled = Error::Cancelled { what: "labelled rows", done: 0, of: points.rows };
    assign(points, &mut rows, centers, &moved).ok_or(cancelled)?;
    Ok(rows.labels)
}

fn mean_variance(points: &Points) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let (rows, columns) = (points.rows as f64, points.columns as f64);
    let mut means = vec![0.0; points.columns];
    for row in points.values.chunks_exact(points.columns) {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / rows);
    }
    let squares: f64 = points.values.chunks_exact(points.columns).map(|row| squared_distance(row, &means)).sum();
    squares / rows / columns
}
