//! A tree of points -> core rows, and which of them are connected.
//!
//! A box of the tree no wider than the distance is a clump: its points are all neighbours, so that its core points are in
//! one cluster, and one pair of near core points connects two clumps. What many neighbours cost elsewhere is saved here.

use crate::clustering::Points;
use crate::clustering::tree::{NO_CLUMP, Tree};
use crate::lanes::squared_distance;
use crate::{Error, Result};
use haetae_display::stop;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Labels (-1 is noise) and whether each row is a core row, both in the order of the rows.
pub(super) fn cluster(points: &Points, distance: f64, min_rows: usize) -> Result<(Vec<i32>, Vec<bool>)> {
    let squared = distance * distance;
    let tree = Tree::new(points, squared)?;
    let clump_of = clumps_of_points(&tree);
    let search = Search { tree: &tree, squared, core: core_points(&tree, &clump_of, squared, min_rows)?, clump_of };
    let roots = search.connect()?;
    let mut core = vec![false; points.rows];
    search.core.iter().zip(&tree.rows).for_each(|(&is, &row)| core[row] = is);
    Ok((search.labels(&roots)?, core))
}

fn stopped(what: &'static str, of: usize) -> Error {
    Error::Cancelled { what, done: 0, of }
}

/// The clump of each point. A leaf wider than the distance has none: each of its points is one, numbered behind.
fn clumps_of_points(tree: &Tree) -> Vec<u32> {
    let mut clump_of = vec![NO_CLUMP; tree.rows.len()];
    for (number, &at) in (0_u32..).zip(&tree.clumps) {
        clump_of[tree.nodes[at].from..tree.nodes[at].to].fill(number);
    }
    clump_of
}

/// Whether each point is a core point.
fn core_points(tree: &Tree, clump_of: &[u32], squared: f64, min_rows: usize) -> Result<Vec<bool>> {
    let judge = |(at, clump): (usize, &u32)| {
        if at.is_multiple_of(256) && stop::requested() {
            return None;
        }
        let clump = tree.clumps.get(*clump as usize).map(|&node| tree.nodes[node]);
        let crowded = clump.is_some_and(|node| node.to - node.from >= min_rows);
        Some(crowded || tree.has_neighbours(tree.point(at), squared, min_rows, &mut Vec::with_capacity(64)))
    };
    let core: Option<Vec<bool>> = clump_of.par_iter().enumerate().with_min_len(64).map(judge).collect();
    core.ok_or_else(|| stopped("rows whose neighbours were counted", clump_of.len()))
}

struct Search<'a> {
    tree: &'a Tree,
    squared: f64,
    core: Vec<bool>,
    clump_of: Vec<u32>,
}

/// Which units are connected: a forest in which every unit points to one of a lower number, or to itself. Threads may
/// join at will; in the end the root of a set is its lowest number, whatever the order was.
struct Sets(Vec<AtomicU32>);

impl Sets {
    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
    fn new(count: usize) -> Self {
        Self((0..count as u32).map(AtomicU32::new).collect())
    }

    fn find(&self, mut at: u32) -> u32 {
        loop {
            let above = self.0[at as usize].load(Ordering::Relaxed);
            if above == at {
                return at;
            }
            let next = self.0[above as usize].load(Ordering::Relaxed);
            // Halves the path; where another thread was faster, nothing is lost.
            let _ = self.0[at as usize].compare_exchange(above, next, Ordering::Relaxed, Ordering::Relaxed);
            at = next;
        }
    }

    fn join(&self, a: u32, b: u32) {
        loop {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                return;
            }
            let (low, high) = (a.min(b), a.max(b));
            let place = &self.0[high as usize];
            if place.compare_exchange(high, low, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }
}

impl Search<'_> {
    /// The unit of a point: the first point of its clump, or the point itself.
    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
    fn unit(&self, at: usize) -> u32 {
        match self.tree.clumps.get(self.clump_of[at] as usize) {
            Some(&node) => self.tree.nodes[node].from as u32,
            None => at as u32,
        }
    }

    /// For each unit the root of its set.
    fn connect(&self) -> Result<Vec<u32>> {
        let sets = Sets::new(self.tree.rows.len());
        let units: Vec<(usize, usize)> = self.units();
        let stopped_here = units.par_iter().enumerate().with_min_len(16).any(|(number, &(from, to))| {
            self.connect_unit(from, to, &sets);
            number.is_multiple_of(64) && stop::requested()
        });
        if stopped_here {
            return Err(stopped("clumps of rows connected", units.len()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
        let roots = (0..self.tree.rows.len() as u32).map(|at| sets.find(at)).collect();
        Ok(roots)
    }

    /// Runs of points that are clumps, or one point each, and hold a core point.
    fn units(&self) -> Vec<(usize, usize)> {
        let mut units = Vec::new();
        let mut at = 0;
        while at < self.clump_of.len() {
            let to = self.tree.clumps.get(self.clump_of[at] as usize).map_or(at + 1, |&node| self.tree.nodes[node].to);
            if self.core[at..to].iter().any(|&core| core) {
                units.push((at, to));
            }
            at = to;
        }
        units
    }

    /// Joins a unit with every unit before it that has a core point near one of its own.
    fn connect_unit(&self, from: usize, to: usize, sets: &Sets) {
        let own = self.unit(from);
        let node = self.tree.clumps.get(self.clump_of[from] as usize).copied();
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let other = self.tree.nodes[at];
            let apart = match node {
                Some(node) => self.tree.apart(node, at),
                None => self.tree.least(at, self.tree.point(from)),
            };
            // Every pair is looked at from the later unit.
            if other.from >= from || apart > self.squared {
                continue;
            }
            let is_clump = other.clump != NO_CLUMP;
            if other.children != 0 && !is_clump {
                open.extend([other.children, other.children + 1]);
                continue;
            }
            if is_clump {
                let unit = self.unit(other.from);
                if sets.find(unit) != sets.find(own) && self.near((from, to), (other.from, other.to), at) {
                    sets.join(unit, own);
                }
                continue;
            }
            for point in other.from..other.to.min(from) {
                let unit = self.unit(point);
                if self.core[point]
                    && sets.find(unit) != sets.find(own)
                    && self.core_near(self.tree.point(point), from, to)
                {
                    sets.join(unit, own);
                }
            }
        }
    }

    /// Whether two runs have core points near to each other; `node` is the box of the second.
    fn near(&self, a: (usize, usize), b: (usize, usize), node: usize) -> bool {
        let own = (a.0..a.1).filter(|&at| self.core[at]).map(|at| self.tree.point(at));
        let mut close = own.filter(|point| self.tree.least(node, point) <= self.squared);
        close.any(|point| self.core_near(point, b.0, b.1))
    }

    fn core_near(&self, point: &[f64], from: usize, to: usize) -> bool {
        (from..to).any(|at| self.core[at] && squared_distance(self.tree.point(at), point) <= self.squared)
    }

    /// Numbers clusters by their first core row; a row that is no core row takes the lowest number of a core row near it.
    fn labels(&self, roots: &[u32]) -> Result<Vec<i32>> {
        let rows = self.tree.rows.len();
        let root = |at: usize| roots[self.unit(at) as usize] as usize;
        let mut first = vec![usize::MAX; rows];
        for at in (0..rows).filter(|&at| self.core[at]) {
            first[root(at)] = first[root(at)].min(self.tree.rows[at]);
        }
        let mut order: Vec<usize> = (0..rows).filter(|&at| first[at] < usize::MAX).collect();
        order.sort_unstable_by_key(|&at| first[at]);
        let mut number = vec![-1; rows];
        (0..).zip(&order).for_each(|(label, &at)| number[at] = label);
        let label = |at: usize| {
            if at.is_multiple_of(256) && stop::requested() {
                return None;
            }
            Some(if self.core[at] { number[root(at)] } else { self.border(at, &number, &root) })
        };
        let found: Option<Vec<i32>> = (0..rows).into_par_iter().with_min_len(64).map(label).collect();
        let found = found.ok_or_else(|| stopped("labelled rows", rows))?;
        let mut labels = vec![-1; rows];
        found.iter().zip(&self.tree.rows).for_each(|(&label, &row)| labels[row] = label);
        Ok(labels)
    }

    fn border(&self, point: usize, number: &[i32], root: &dyn Fn(usize) -> usize) -> i32 {
        let place = self.tree.point(point);
        let mut best = -1;
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            if self.tree.least(at, place) > self.squared {
                continue;
            }
            let node = self.tree.nodes[at];
            if node.children != 0 {
                open.extend([node.children, node.children + 1]);
                continue;
            }
            for other in (node.from..node.to).filter(|&other| self.core[other]) {
                let label = number[root(other)];
                let lower = best < 0 || label < best;
                if lower && squared_distance(self.tree.point(other), place) <= self.squared {
                    best = label;
                }
            }
        }
        best
    }
}
