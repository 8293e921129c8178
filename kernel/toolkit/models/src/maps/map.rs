//! Points of a picture -> a frame of two columns, and how far neighbours in it are neighbours in truth.

use super::{Point, TASK};
use crate::clustering::{Neighbours, Points, Scaling};
use crate::lanes::squared_distance;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_display::stop;
use haetae_features::FeatureMatrix;
use polars::frame::DataFrame;
use polars::prelude::Column;
use rayon::prelude::*;
use std::fmt;

/// Rows as points of a picture; see [`Tsne`](crate::Tsne) and [`Umap`](crate::Umap).
///
/// Only nearness says something: neither the axes nor the size of a group nor the width of a gap do.
#[derive(Clone, PartialEq)]
pub struct PointMap {
    x: Vec<f64>,
    y: Vec<f64>,
    scaled: bool,
    method: &'static str,
    divergence: Option<f64>,
}

impl fmt::Debug for PointMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} rows", self.method, self.x.len())?;
        match self.divergence {
            Some(divergence) => write!(f, ", divergence {divergence:.3}"),
            None => Ok(()),
        }
    }
}

impl PointMap {
    pub(super) fn new(method: &'static str, points: &[Point], scaled: bool, divergence: Option<f64>) -> Self {
        let along = |i: usize| points.iter().map(|point| point[i]).collect();
        Self { x: along(0), y: along(1), scaled, method, divergence }
    }

    /// How the picture was made.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Where each row lies, to the right.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Where each row lies, upwards.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// The Kullback-Leibler divergence of the picture's neighbourhoods from the rows', in nats; of t-SNE only.
    pub fn divergence(&self) -> Option<f64> {
        self.divergence
    }

    /// A row for each row, in their order, with the columns `x` and `y`.
    ///
    /// # Errors
    /// Never, as the columns are of one length; the frame library says so.
    pub fn frame(&self) -> Result<DataFrame> {
        let columns = vec![Column::new("x".into(), self.x.clone()), Column::new("y".into(), self.y.clone())];
        Ok(DataFrame::new(self.x.len(), columns)?)
    }

    /// How far the `neighbours` nearest in the picture are among the nearest in truth: 1 where all are; around one half
    /// where the picture is drawn by chance. The time grows with the square of the rows.
    ///
    /// With `r` the rank of a neighbour in the picture by its true distance, `n` rows and `k` neighbours:
    /// `1 - 2 / (n k (2n - 3k - 1)) * sum of max(0, r - k)`.
    ///
    /// Source: Venna and Kaski, *Neighborhood preservation in nonlinear projection methods*, ICANN 2001.
    ///
    /// # Errors
    /// When the rows are fewer than 3 or not as many as those of the picture, a value is missing or infinite, a feature is categorical,
    /// `neighbours` is not from 1 to less than half of the rows, or the stop button was pressed.
    pub fn trustworthiness(&self, features: &FeatureMatrix, neighbours: usize) -> Result<f64> {
        let rows = self.x.len();
        if features.rows() != rows {
            return Err(Error::Rows { what: "features", expected: rows, found: features.rows() });
        }
        if rows < 3 {
            return Err(Error::TooFewRows { model: "trustworthiness", what: "rows", expected: 3, found: rows });
        }
        Ranges("trustworthiness").whole("neighbours", neighbours, 1..=(rows - 1) / 2)?;
        let truth = Scaling::fit("features", features, self.scaled)?.points(features)?;
        let values = self.x.iter().zip(&self.y).flat_map(|(&x, &y)| [x, y]).collect();
        let near = Neighbours::of(&Points { rows, columns: 2, values }, neighbours)?;
        let of_task = |task: usize| {
            let rows = task * TASK..rows.min((task + 1) * TASK);
            (!stop::requested()).then(|| rows.map(|row| beyond(&truth, near.row(row).0, row)).sum::<usize>())
        };
        let sums: Option<Vec<usize>> = (0..rows.div_ceil(TASK)).into_par_iter().map(of_task).collect();
        let sums = sums.ok_or(Error::Cancelled { what: "rows", done: 0, of: rows })?;
        #[expect(clippy::cast_precision_loss, reason = "sums of ranks are below 2^53")]
        let (n, k, sum) = (rows as f64, neighbours as f64, sums.iter().sum::<usize>() as f64);
        Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum)
    }
}

/// By how many ranks the neighbours of a row in the picture lie beyond its true ones.
fn beyond(truth: &Points, near: &[u32], row: usize) -> usize {
    let distances: Vec<f64> = (0..truth.rows).map(|other| squared_distance(truth.row(row), truth.row(other))).collect();
    let rank = |other: usize| {
        let nearer = |&at: &usize| {
            at != row && (distances[at] < distances[other] || (distances[at] == distances[other] && at < other))
        };
        (0..truth.rows).filter(nearer).count() + 1
    };
    near.iter().map(|&other| rank(other as usize).saturating_sub(near.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_three_rows_have_no_trustworthiness() {
        let of = |rows: usize| {
            let points: Vec<Point> = [[0.0, 0.0], [1.0, 0.0], [5.0, 1.0]][..rows].to_vec();
            let column = points.iter().map(|point| point[0]).collect();
            let features = FeatureMatrix::new(vec!["x".to_owned()], vec![column], vec![false]).unwrap();
            PointMap::new("test", &points, true, None).trustworthiness(&features, 1)
        };
        for rows in 0..3 {
            let error = of(rows).unwrap_err();
            assert!(matches!(error, Error::TooFewRows { expected: 3, found, .. } if found == rows), "{error}");
        }
        assert!((of(3).unwrap() - 1.0).abs() < 1e-12);
    }
}
