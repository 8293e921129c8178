//! Centred rows -> singular values and right singular vectors.

use crate::clustering::Points;
use crate::linear::dot;
use crate::progress::step;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;

/// Rows of a task; fixed, so that sums do not depend on the threads.
const PART: usize = 4096;
/// Most rounds of rotations; ten are usual.
const ROUNDS: usize = 60;

/// Columns of a matrix.
pub(super) type Columns = Vec<Vec<f64>>;

/// Singular values, greatest first, and the right singular vector of each.
pub(super) fn singular(points: &Points) -> Result<(Vec<f64>, Columns)> {
    let of_part = |values: &[f64]| (!stop::requested()).then(|| triangle(columns_of(values, points.columns)));
    let parts: Option<Vec<Columns>> = points.values.par_chunks(PART * points.columns).map(of_part).collect();
    let parts = parts.ok_or(Error::Cancelled { what: "components", done: 0, of: points.columns })?;
    let mut whole: Columns = vec![Vec::new(); points.columns];
    for part in parts {
        step("components", 0, points.columns)?;
        whole.iter_mut().zip(part).for_each(|(whole, part)| whole.extend(part));
        whole = triangle(whole);
    }
    jacobi(whole, points.rows.min(points.columns))
}

fn columns_of(values: &[f64], columns: usize) -> Columns {
    (0..columns).map(|i| values.iter().skip(i).step_by(columns).copied().collect()).collect()
}

/// The upper triangle that an orthogonal matrix leaves of a matrix (Householder's reflections); what is below is cut off.
fn triangle(mut matrix: Columns) -> Columns {
    let rows = matrix.first().map_or(0, Vec::len);
    for i in 0..matrix.len().min(rows) {
        let mut mirror = matrix[i][i..].to_vec();
        // The greatest is taken out, so that squares neither overflow nor vanish.
        let size = mirror.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if size == 0.0 {
            continue;
        }
        mirror.iter_mut().for_each(|value| *value /= size);
        let length = dot(&mirror, &mirror).sqrt();
        mirror[0] += if mirror[0] < 0.0 { -length } else { length };
        let square = dot(&mirror, &mirror);
        for column in &mut matrix[i..] {
            let factor = 2.0 * dot(&mirror, &column[i..]) / square;
            column[i..].iter_mut().zip(&mirror).for_each(|(value, mirror)| *value -= factor * mirror);
        }
        matrix[i][i + 1..].fill(0.0);
    }
    let kept = rows.min(matrix.len());
    matrix.iter_mut().for_each(|column| column.truncate(kept));
    matrix
}

/// Rotates pairs of columns until all are at right angles (one-sided Jacobi).
fn jacobi(mut matrix: Columns, count: usize) -> Result<(Vec<f64>, Columns)> {
    let size = matrix.len();
    let unit = |at: usize| (0..size).map(|i| f64::from(i == at)).collect();
    let mut vectors: Columns = (0..size).map(unit).collect();
    for round in 0..ROUNDS {
        step("rounds of rotations", round, ROUNDS)?;
        let mut turned = false;
        for i in 0..size {
            if stop::requested() {
                return Err(Error::Cancelled { what: "rounds of rotations", done: round, of: ROUNDS });
            }
            for j in i + 1..size {
                let (a, b, c) = (dot(&matrix[i], &matrix[i]), dot(&matrix[j], &matrix[j]), dot(&matrix[i], &matrix[j]));
                if c == 0.0 || c.abs() <= 1e-15 * (a * b).sqrt() {
                    continue;
                }
                turned = true;
                let half = (b - a) / (2.0 * c);
                let tangent = half.signum() / (half.abs() + half.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                rotate(&mut matrix, i, j, cosine, cosine * tangent);
                rotate(&mut vectors, i, j, cosine, cosine * tangent);
            }
        }
        if !turned {
            break;
        }
    }
    let mut pairs: Vec<(f64, Vec<f64>)> =
        matrix.iter().zip(vectors).map(|(column, vector)| (dot(column, column).sqrt(), vector)).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs.truncate(count);
    Ok(pairs.into_iter().unzip())
}

fn rotate(matrix: &mut Columns, i: usize, j: usize, cosine: f64, sine: f64) {
    let (left, right) = matrix.split_at_mut(j);
    for (a, b) in left[i].iter_mut().zip(&mut right[0]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}
