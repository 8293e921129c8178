//! Weights and a start -> points between which Student's distribution has those weights, by descent with momentum.

use crate::maps::graph::Graph;
use crate::maps::quarters::Quarters;
use crate::maps::{Point, TASK};
use crate::progress::step;
use crate::{Error, Result};
use rayon::prelude::*;

/// A gradient of this length ends the descent.
const STILL: f64 = 1e-7;

pub(super) struct Descent<'a> {
    graph: &'a Graph,
    points: Vec<Point>,
    moved: Vec<Point>,
    gains: Vec<Point>,
    learning_rate: f64,
    /// None pushes exactly.
    angle: Option<f64>,
}

/// What acts on a point: the pull of its neighbours, the push of all, and its part of the sum that the push is divided by.
#[derive(Clone, Copy)]
struct Forces {
    pull: Point,
    push: Point,
    total: f64,
}

fn student(a: Point, b: Point) -> (Point, f64) {
    let apart = [a[0] - b[0], a[1] - b[1]];
    (apart, 1.0 / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]))
}

impl<'a> Descent<'a> {
    pub(super) fn new(graph: &'a Graph, points: Vec<Point>, learning_rate: f64, angle: Option<f64>) -> Self {
        let (moved, gains) = (vec![[0.0; 2]; points.len()], vec![[1.0; 2]; points.len()]);
        Self { graph, points, moved, gains, learning_rate, angle }
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) fn run(&mut self, steps: usize, early: usize, exaggeration: f64) -> Result<()> {
        for number in 0..steps {
            step("steps", number, steps)?;
            let (exaggeration, momentum) = if number < early { (exaggeration, 0.5) } else { (1.0, 0.8) };
            let length = self.step(exaggeration, momentum);
            if !length.is_finite() {
                return Err(Error::Scattered { model: super::MODEL, steps: number + 1 });
            }
            if length < STILL && number >= early {
                break;
            }
        }
        Ok(())
    }

    /// Moves every point, and returns the length of the gradient.
    fn step(&mut self, exaggeration: f64, momentum: f64) -> f64 {
        let forces = self.forces();
        let total: f64 = forces.iter().map(|forces| forces.total).sum();
        let mut squares = 0.0;
        for (row, forces) in forces.iter().enumerate() {
            for i in 0..2 {
                let gradient = 4.0 * (exaggeration * forces.pull[i] - forces.push[i] / total);
                squares += gradient * gradient;
                let (gain, moved) = (&mut self.gains[row][i], &mut self.moved[row][i]);
                *gain = if (gradient > 0.0) == (*moved > 0.0) { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                *moved = momentum * *moved - self.learning_rate * *gain * gradient;
                self.points[row][i] += *moved;
            }
        }
        self.centre();
        squares.sqrt()
    }

    fn forces(&self) -> Vec<Forces> {
        let tree = self.angle.map(|angle| (Quarters::new(&self.points), angle));
        let of_task = |task: usize| {
            let mut open = Vec::new();
            let rows = task * TASK..self.points.len().min((task + 1) * TASK);
            let of_row = |row: usize| {
                let own = self.points[row];
                let (push, total) = match &tree {
                    Some((tree, angle)) => tree.push(own, *angle, &mut open),
                    None => self.exact_push(own),
                };
                // The point itself is among those that were summed.
                Forces { pull: self.pull(row), push, total: total - 1.0 }
            };
            rows.map(of_row).collect::<Vec<Forces>>()
        };
        let tasks = 0..self.points.len().div_ceil(TASK);
        tasks.into_par_iter().map(of_task).collect::<Vec<_>>().concat()
    }

    fn pull(&self, row: usize) -> Point {
        let mut pull = [0.0; 2];
        for (other, weight) in self.graph.row(row) {
            let (apart, q) = student(self.points[row], self.points[other]);
            pull[0] += weight * q * apart[0];
            pull[1] += weight * q * apart[1];
        }
        pull
    }

    fn exact_push(&self, own: Point) -> (Point, f64) {
        let (mut push, mut total) = ([0.0; 2], 0.0);
        for &other in &self.points {
            let (apart, q) = student(own, other);
            total += q;
            push[0] += q * q * apart[0];
            push[1] += q * q * apart[1];
        }
        (push, total)
    }

    fn centre(&mut self) {
        for i in 0..2 {
            #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
            let mean = self.points.iter().map(|point| point[i]).sum::<f64>() / self.points.len() as f64;
            self.points.iter_mut().for_each(|point| point[i] -= mean);
        }
    }

    /// The divergence of the points' distribution from the weights, in nats.
    pub(super) fn divergence(&self) -> f64 {
        let total: f64 = self.forces().iter().map(|forces| forces.total).sum();
        let of_row = |row: usize| {
            let of_pair = |(other, weight): (usize, f64)| {
                let q = student(self.points[row], self.points[other]).1 / total;
                if weight > 0.0 { weight * (weight / q).ln() } else { 0.0 }
            };
            self.graph.row(row).map(of_pair).sum::<f64>()
        };
        (0..self.points.len()).map(of_row).sum()
    }
}
