//! Rows and target -> the plane of the widest margin, by moving one row's force at a time.
//!
//! Source: Hsieh, Chang, Lin, Keerthi and Sundararajan, *A dual coordinate descent method for large-scale linear SVM*,
//! ICML 2008: each row has a force from 0 to its limit, the weights are the sum of the rows by their forces, and a round
//! sets each force in turn to where it is best while all others stay. Rows that lie at an end of their range and will
//! stay there are passed over until all others are settled.

use crate::linear::Design;
use crate::progress::step;
use crate::random::Random;
use crate::{Error, Result};

/// What rows cost, and when the plane is found.
pub(super) struct Dual<'a> {
    pub(super) design: &'a Design<'a>,
    pub(super) target: &'a [f64],
    /// Cost of what rows of target 0 and 1 lack.
    pub(super) costs: (f64, f64),
    /// Whether what a row lacks is squared.
    pub(super) squared: bool,
    pub(super) iterations: usize,
    pub(super) tolerance: f64,
    pub(super) seed: u64,
}

/// A row's part: on which side of the plane it belongs, its force, the most force, and what bends its own parabola.
struct Part {
    side: f64,
    force: f64,
    limit: f64,
    give: f64,
    bend: f64,
}

/// Where a force may not go, and how far it is pulled there, in the units of the margin.
struct Pull {
    most: f64,
    least: f64,
}

impl Pull {
    const NONE: Self = Self { most: f64::NEG_INFINITY, least: f64::INFINITY };
    const ANY: Self = Self { most: f64::INFINITY, least: f64::NEG_INFINITY };
}

impl Dual<'_> {
    /// The weights, and the rounds that it took.
    pub(super) fn solve(&self) -> Result<(Vec<f64>, usize)> {
        let mut parts = self.parts();
        if let Some(row) = parts.iter().position(|part| !part.bend.is_finite()) {
            return Err(Error::TooFar { row });
        }
        let mut weights = vec![0.0; self.design.weights];
        let mut order: Vec<usize> = (0..parts.len()).collect();
        let mut active = order.len();
        let mut random = Random::new(self.seed);
        let mut bounds = Pull::ANY;
        let mut violation = f64::INFINITY;
        for round in 0..self.iterations {
            step("rounds", round, self.iterations)?;
            random.shuffle(&mut order[..active]);
            let mut found = Pull::NONE;
            let mut place = 0;
            while place < active {
                let row = order[place];
                let part = &mut parts[row];
                let pull = part.side * self.design.dot(row, &weights) - 1.0 + part.force * part.give;
                let settled =
                    (part.force == 0.0 && pull > bounds.most) || (part.force == part.limit && pull < bounds.least);
                if settled {
                    active -= 1;
                    order.swap(place, active);
                    continue;
                }
                place += 1;
                let free = if part.force == 0.0 {
                    pull.min(0.0)
                } else if part.force == part.limit {
                    pull.max(0.0)
                } else {
                    pull
                };
                found.most = found.most.max(free);
                found.least = found.least.min(free);
                if free.abs() > 1e-12 {
                    let next = (part.force - pull / part.bend).clamp(0.0, part.limit);
                    self.design.add(row, (next - part.force) * part.side, false, &mut weights);
                    part.force = next;
                }
            }
            violation = found.most - found.least;
            if violation <= self.tolerance || active == 0 {
                if active == order.len() {
                    return Ok((weights, round + 1));
                }
                // What was passed over may have come loose meanwhile.
                active = order.len();
                bounds = Pull::ANY;
                continue;
            }
            bounds = Pull {
                most: if found.most > 0.0 { found.most } else { f64::INFINITY },
                least: if found.least < 0.0 { found.least } else { f64::NEG_INFINITY },
            };
        }
        let (iterations, tolerance) = (self.iterations, self.tolerance);
        Err(Error::NotSettled { model: "linear SVM", what: "rounds", iterations, violation, tolerance })
    }

    fn parts(&self) -> Vec<Part> {
        let part = |(row, &target): (usize, &f64)| {
            let cost = if target == 1.0 { self.costs.1 } else { self.costs.0 };
            let (limit, give) = if self.squared { (f64::INFINITY, 0.5 / cost) } else { (cost, 0.0) };
            Part { side: 2.0 * target - 1.0, force: 0.0, limit, give, bend: give + self.design.square(row) }
        };
        self.target.iter().enumerate().map(part).collect()
    }
}
