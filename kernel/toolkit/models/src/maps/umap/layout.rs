//! Weights and a start -> points, by epochs in which neighbours pull and drawn points push.

use super::curve::Curve;
use crate::maps::graph::Graph;
use crate::maps::{Point, TASK};
use crate::progress::step;
use crate::random::Random;
use crate::{Error, Result};
use rayon::prelude::*;

/// The longest move along one axis, in units of the learning rate.
const LONGEST: f64 = 4.0;

pub(super) struct Layout<'a> {
    pub(super) graph: &'a Graph,
    pub(super) curve: Curve,
    pub(super) learning_rate: f64,
    pub(super) others: usize,
    pub(super) seed: u64,
}

/// What is the same for all points of an epoch.
struct Epoch<'a> {
    /// Where all points stood before.
    before: &'a [Point],
    number: usize,
    rate: f64,
    greatest: f64,
    least: f64,
}

impl Layout<'_> {
    pub(super) fn run(&self, mut points: Vec<Point>, epochs: usize) -> Result<Vec<Point>> {
        #[expect(clippy::cast_precision_loss, reason = "at most 100000 epochs")]
        let of = epochs as f64;
        let greatest = self.graph.greatest();
        for number in 0..epochs {
            step("epochs", number, epochs)?;
            #[expect(clippy::cast_precision_loss, reason = "at most 100000 epochs")]
            let rate = self.learning_rate * (1.0 - number as f64 / of);
            // What would not be due in any epoch has no pull.
            let epoch = Epoch { before: &points, number, rate, greatest, least: greatest / of };
            let of_task = |task: usize| {
                let rows = task * TASK..points.len().min((task + 1) * TASK);
                rows.map(|row| self.moved(row, &epoch)).collect::<Vec<Point>>()
            };
            let tasks = 0..points.len().div_ceil(TASK);
            points = tasks.into_par_iter().map(of_task).collect::<Vec<_>>().concat();
            if points.iter().flatten().any(|value| !value.is_finite()) {
                return Err(Error::Scattered { model: super::MODEL, steps: number + 1 });
            }
        }
        Ok(points)
    }

    /// Where a row's point goes in an epoch, while all others stand still.
    fn moved(&self, row: usize, epoch: &Epoch<'_>) -> Point {
        let mut own = epoch.before[row];
        let mut random = Random::stream(self.seed ^ (epoch.number as u64).wrapping_mul(0x9e37_79b9), row as u64);
        for (other, weight) in self.graph.row(row) {
            if weight < epoch.least || !due(epoch.number, weight / epoch.greatest) {
                continue;
            }
            // Once as the one that pulls, once as the one that is pulled.
            for _ in 0..2 {
                self.go(&mut own, epoch.before[other], epoch.rate, &|squared| self.curve.pull(squared));
            }
            for _ in 0..self.others {
                let drawn = random.below(epoch.before.len());
                if drawn != row {
                    self.go(&mut own, epoch.before[drawn], epoch.rate, &|squared| self.curve.push(squared));
                }
            }
        }
        own
    }

    fn go(&self, own: &mut Point, other: Point, rate: f64, factor: &dyn Fn(f64) -> f64) {
        let apart = [own[0] - other[0], own[1] - other[1]];
        let factor = factor(apart[0] * apart[0] + apart[1] * apart[1]);
        for i in 0..2 {
            own[i] += rate * (factor * apart[i]).clamp(-LONGEST, LONGEST);
        }
    }
}

/// Whether an epoch is one of those among which a share is spread evenly.
fn due(epoch: usize, share: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "at most 100000 epochs")]
    let (before, after) = (epoch as f64, (epoch + 1) as f64);
    (after * share).floor() > (before * share).floor()
}

#[cfg(test)]
mod tests {
    use super::due;

    #[test]
    fn a_share_of_the_epochs_is_due() {
        for (share, count) in [(1.0, 200), (0.5, 100), (0.01, 2), (0.3, 60)] {
            let found = (0..200).filter(|&epoch| due(epoch, share)).count();
            assert!(found.abs_diff(count) <= 1, "{share}: {found}");
        }
    }
}
