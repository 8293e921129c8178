//! Points and first centres -> centres, from a few drawn rows at a time.

use super::lloyd::{Found, inertia, nearest};
use crate::Result;
use crate::clustering::Points;
use crate::lanes::squared_distance;
use crate::progress::step;
use crate::random::Random;

/// Batches without a better smoothed distance after which the centres are taken as found.
const PATIENCE: usize = 10;

/// Each centre moves towards the mean of all rows that it was ever given (Sculley 2010). The end is scikit-learn's:
/// when the smoothed distance to the nearest centre has not fallen for ten batches.
pub(super) fn minibatch(
    points: &Points,
    mut centers: Vec<f64>,
    batch: usize,
    iterations: usize,
    random: &mut Random,
) -> Result<Found> {
    let columns = points.columns;
    let batch = batch.min(points.rows);
    let batches = iterations.saturating_mul(points.rows.div_ceil(batch));
    let mut counts = vec![0.0_f64; centers.len() / columns];
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    let smoothing = (2.0 * batch as f64 / (points.rows as f64 + 1.0)).min(1.0);
    let (mut smoothed, mut lowest, mut worse, mut done) = (f64::NAN, f64::INFINITY, 0, 0);
    while done < batches && worse < PATIENCE {
        step("batches", done, batches)?;
        done += 1;
        let values = (0..batch).flat_map(|_| points.row(random.below(points.rows)).iter().copied()).collect();
        let drawn = Points { rows: batch, columns, values };
        let labels = nearest(&drawn, &centers)?;
        let mut sum = 0.0;
        for (row, &label) in drawn.values.chunks_exact(columns).zip(&labels) {
            let at = usize::try_from(label).unwrap_or(0);
            let center = &mut centers[at * columns..(at + 1) * columns];
            sum += squared_distance(row, center);
            counts[at] += 1.0;
            center.iter_mut().zip(row).for_each(|(center, value)| *center += (value - *center) / counts[at]);
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let mean = sum / batch as f64;
        smoothed = if smoothed.is_nan() { mean } else { smoothed * (1.0 - smoothing) + mean * smoothing };
        if smoothed < lowest {
            (lowest, worse) = (smoothed, 0);
        } else {
            worse += 1;
        }
    }
    let labels = nearest(points, &centers)?;
    let inertia = inertia(points, &centers, &labels);
    Ok(Found { centers, labels, inertia, iterations: done })
}
