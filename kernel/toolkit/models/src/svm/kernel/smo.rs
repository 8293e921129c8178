//! Points and target -> the forces of the widest margin, two at a time.
//!
//! A row's force is between 0 and its cost, with the sign of its side; all sum to 0, so that two change together. Moved
//! are the row that is pulled most and the one with which it gains most (second-order choice). Rows at an end of their
//! range that are not pulled away from it are left out of the work until the others are settled; then all are looked at.
//!
//! Sources: Platt, *Fast training of support vector machines using sequential minimal optimization*, 1998; Fan, Chen and
//! Lin, *Working set selection using second order information*, JMLR 6, 2005; Chang and Lin, *LIBSVM*, 2011 (leaving
//! out); the form with signed forces: Bottou and Lin, *Support vector machine solvers*, 2007.

use super::cache::{Cache, Row};
use super::function::Function;
use super::pick::{FLAT, First, Pulls, move_and_pick, pick_second};
use crate::clustering::Points;
use crate::lanes::{LANES, Lanes, blocks};
use crate::{Error, Result};
use haetae_display::{stop, work};
use rayon::prelude::*;

/// What is to be solved.
pub(super) struct Task<'a> {
    pub(super) points: &'a Points,
    pub(super) function: Function,
    pub(super) target: &'a [f64],
    /// Most force of rows of target 0 and 1.
    pub(super) costs: (f64, f64),
    pub(super) tolerance: f64,
    pub(super) iterations: usize,
    pub(super) cache_bytes: usize,
}

/// Forces of all rows with their signs, the intercept, and the steps that it took.
pub(super) struct Found {
    pub(super) forces: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) steps: usize,
}

/// From the violation at the beginning to the tolerance: it falls by about the same share in the same time.
struct Way {
    from: f64,
    to: f64,
}

impl Way {
    /// How much of it lies behind, 1 to 100.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 100")]
    fn walked(&self, violation: f64) -> usize {
        let share = (self.from / violation).ln() / (self.from / self.to).ln();
        // Not a number where there is no way at all.
        (100.0 * share.clamp(0.0, 1.0)).max(1.0) as usize
    }
}

/// The rows that are worked on.
struct Work<'a> {
    task: &'a Task<'a>,
    /// Their numbers, rising.
    rows: Vec<u32>,
    blocks: Vec<Lanes>,
    pulls: Pulls,
    cache: Cache,
}

impl Task<'_> {
    pub(super) fn solve(&self) -> Result<Found> {
        let mut forces = vec![0.0; self.points.rows];
        let mut all_pulls: Vec<f64> = self.target.iter().map(|target| 2.0 * target - 1.0).collect();
        let mut work = Work::on(self, self.every_row(), &forces, &all_pulls);
        let (mut next_look, mut looked_closely) = (self.look_every(), false);
        let nothing = vec![0.0_f32; work.pulls.pull.len()];
        let mut first = move_and_pick(&mut work.pulls, &nothing, &nothing, 0.0);
        let way = Way { from: first.most - first.least, to: self.tolerance };
        work::say("percent of the way to the tolerance", 0, 100);
        for step in 0..self.iterations {
            if step.is_multiple_of(64) {
                if stop::requested() {
                    return Err(Error::Cancelled { what: "steps", done: step, of: self.iterations });
                }
                work::say("percent of the way to the tolerance", way.walked(first.most - first.least), 100);
            }
            if first.most - first.least <= self.tolerance {
                if work.rows.len() == self.points.rows {
                    return Ok(Found { intercept: self.intercept(&work, &forces, first), forces, steps: step });
                }
                (work, first) = self.all_again(&work, &forces, &mut all_pulls)?;
                next_look = step + 1;
                continue;
            }
            if step >= next_look {
                next_look = step + self.look_every();
                if !looked_closely && first.most - first.least <= 10.0 * self.tolerance {
                    looked_closely = true;
                    if work.rows.len() < self.points.rows {
                        (work, first) = self.all_again(&work, &forces, &mut all_pulls)?;
                    }
                }
                first = work.leave_out(first, &mut all_pulls);
            }
            let grown = work.row(first.row);
            let Some(second) = pick_second(&work.pulls, first, &grown) else {
                // Nothing gains within the precision of the sums.
                return Ok(Found { intercept: self.intercept(&work, &forces, first), forces, steps: step });
            };
            let fallen = work.row(second);
            let moved = work.step(first, second, &grown, &mut forces);
            first = move_and_pick(&mut work.pulls, &grown, &fallen, moved);
        }
        let violation = first.most - first.least;
        let (iterations, tolerance) = (self.iterations, self.tolerance);
        Err(Error::NotSettled { model: "SVM", what: "steps", iterations, violation, tolerance })
    }

    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
    fn every_row(&self) -> Vec<u32> {
        (0..self.points.rows as u32).collect()
    }

    fn look_every(&self) -> usize {
        self.points.rows.clamp(1, 1_000)
    }

    /// Between which forces a row's own may lie.
    fn range(&self, row: usize) -> (f64, f64) {
        if self.target[row] == 1.0 { (0.0, self.costs.1) } else { (-self.costs.0, 0.0) }
    }

    /// Work on all rows, with the pulls of those that were left out computed anew.
    fn all_again<'a>(&'a self, work: &Work<'_>, forces: &[f64], all: &mut [f64]) -> Result<(Work<'a>, First)> {
        let mut out = vec![true; self.points.rows];
        for (&row, &pull) in work.rows.iter().zip(&work.pulls.pull) {
            out[row as usize] = false;
            all[row as usize] = pull;
        }
        let strong: Vec<usize> = (0..forces.len()).filter(|&row| forces[row] != 0.0).collect();
        let values: Vec<f64> = strong.iter().flat_map(|&row| self.points.row(row).iter().copied()).collect();
        let (inside, factors) =
            (blocks(&values, self.points.columns), strong.iter().map(|&row| forces[row]).collect::<Vec<f64>>());
        let stopped =
            all.par_iter_mut().enumerate().with_min_len(16).filter(|(row, _)| out[*row]).any(|(row, pull)| {
                *pull = 2.0 * self.target[row] - 1.0 - self.function.sum(self.points.row(row), &inside, &factors);
                stop::requested()
            });
        if stopped {
            return Err(Error::Cancelled { what: "steps", done: 0, of: self.iterations });
        }
        let mut work = Work::on(self, self.every_row(), forces, all);
        let nothing = vec![0.0_f32; work.pulls.pull.len()];
        let first = move_and_pick(&mut work.pulls, &nothing, &nothing, 0.0);
        Ok((work, first))
    }

    /// The pull of rows whose force is within its range, of which all have the same; else the middle of what is left.
    fn intercept(&self, work: &Work<'_>, forces: &[f64], first: First) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (&row, &pull) in work.rows.iter().zip(&work.pulls.pull) {
            let (low, high) = self.range(row as usize);
            if forces[row as usize] > low && forces[row as usize] < high {
                sum += pull;
                count += 1.0;
            }
        }
        if count > 0.0 { sum / count } else { (first.most + first.least) / 2.0 }
    }
}

impl<'a> Work<'a> {
    fn on(task: &'a Task<'a>, rows: Vec<u32>, forces: &[f64], all: &[f64]) -> Self {
        let points = task.points;
        let values: Vec<f64> = rows.iter().flat_map(|&row| points.row(row as usize).iter().copied()).collect();
        let width = rows.len().div_ceil(LANES) * LANES;
        let mut pulls = Pulls {
            pull: rows.iter().map(|&row| all[row as usize]).collect(),
            up: vec![f64::NEG_INFINITY; width],
            down: vec![f64::INFINITY; width],
            own: rows.iter().map(|&row| task.function.own(points.row(row as usize))).collect(),
        };
        pulls.pull.resize(width, 0.0);
        pulls.own.resize(width, 1.0);
        let cache = Cache::new(rows.len(), task.cache_bytes);
        let mut work = Self { task, blocks: blocks(&values, points.columns), rows, pulls, cache };
        (0..work.rows.len()).for_each(|at| work.mark(at, forces));
        work
    }

    /// Where the force of a row may still go.
    fn mark(&mut self, at: usize, forces: &[f64]) {
        let row = self.rows[at] as usize;
        let (low, high) = self.task.range(row);
        self.pulls.up[at] = if forces[row] < high { 0.0 } else { f64::NEG_INFINITY };
        self.pulls.down[at] = if forces[row] > low { 0.0 } else { f64::INFINITY };
    }

    fn row(&mut self, at: usize) -> Row {
        let (task, blocks) = (self.task, &self.blocks);
        let point = task.points.row(self.rows[at] as usize);
        self.cache.get(at, self.pulls.pull.len(), |row| task.function.row(point, blocks, row))
    }

    /// Moves two forces to where the goal is best along them; by how much.
    fn step(&mut self, first: First, second: usize, kernel: &Row, forces: &mut [f64]) -> f64 {
        let (i, j) = (self.rows[first.row] as usize, self.rows[second] as usize);
        let own = &self.pulls.own;
        let bend = (own[first.row] + own[second] - 2.0 * f64::from(kernel[second])).max(FLAT);
        let (high, low) = (self.task.range(i).1, self.task.range(j).0);
        let (up, down) = (high - forces[i], forces[j] - low);
        let wished = (self.pulls.pull[first.row] - self.pulls.pull[second]) / bend;
        let moved = wished.min(up).min(down);
        // At the end of a range exactly, not next to it.
        forces[i] = if moved == up { high } else { forces[i] + moved };
        forces[j] = if moved == down { low } else { forces[j] - moved };
        self.mark(first.row, forces);
        self.mark(second, forces);
        moved
    }

    /// Leaves rows out that lie at an end of their range and are not pulled away from it; where the first row is then.
    fn leave_out(&mut self, first: First, all: &mut [f64]) -> First {
        let pulls = &self.pulls;
        let stays = |at: usize| {
            let (grows, falls) = (pulls.up[at] == 0.0, pulls.down[at] == 0.0);
            (grows && falls) || if grows { pulls.pull[at] >= first.least } else { pulls.pull[at] <= first.most }
        };
        #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
        let kept: Vec<u32> = (0..self.rows.len() as u32).filter(|&at| stays(at as usize)).collect();
        // Moving everything is worth it where it saves something.
        if kept.len() * 20 > self.rows.len() * 19 {
            return first;
        }
        for (&row, &pull) in self.rows.iter().zip(&pulls.pull) {
            all[row as usize] = pull;
        }
        let width = kept.len().div_ceil(LANES) * LANES;
        let pick = |from: &[f64], rest: f64| {
            let mut picked: Vec<f64> = kept.iter().map(|&at| from[at as usize]).collect();
            picked.resize(width, rest);
            picked
        };
        self.pulls = Pulls {
            pull: pick(&pulls.pull, 0.0),
            up: pick(&pulls.up, f64::NEG_INFINITY),
            down: pick(&pulls.down, f64::INFINITY),
            own: pick(&pulls.own, 1.0),
        };
        self.cache.keep(&kept, width);
        self.rows = kept.iter().map(|&at| self.rows[at as usize]).collect();
        let points = self.task.points;
        let values: Vec<f64> = self.rows.iter().flat_map(|&row| points.row(row as usize).iter().copied()).collect();
        self.blocks = blocks(&values, points.columns);
        // The first row is never left out: it is pulled to where it may go.
        let row = kept.iter().position(|&at| at as usize == first.row).unwrap_or(0);
        First { row, ..first }
    }
}
