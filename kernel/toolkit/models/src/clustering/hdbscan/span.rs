//! Points -> the shortest tree that connects all of them by mutual reachability: the greatest of two points' distance and
//! of either's distance to its k-th neighbour.
//!
//! Source: Borůvka's rounds (1926) with a k-d tree, as March, Ram and Gray, *Fast Euclidean minimum spanning tree*, KDD
//! 2010: each set of points takes its shortest way out. A point whose nearest stranger is still one needs no new search,
//! and one that is known to be further from all strangers than its set's best way out needs none either.

use crate::clustering::Points;
use crate::clustering::tree::Tree;
use crate::lanes::squared_distance;
use crate::{Error, Result};
use haetae_display::{stop, work};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A connection of two rows, the lower one first, by its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) length: f64,
    pub(super) a: u32,
    pub(super) b: u32,
}

/// No point, or more than one set.
const NONE: u32 = u32::MAX;
/// Points of a task.
const TASK: usize = 64;

/// What is known of the way from a point to those that are not in its set.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Square of a length that none is below.
    least: f64,
    /// The point at that distance; [`NONE`] where it is not known to be one.
    to: u32,
}

struct Span<'a> {
    tree: &'a Tree,
    /// Squared distance of each point to its k-th neighbour, in the order of the tree, and the least below each node.
    core: Vec<f64>,
    least_core: Vec<f64>,
    /// Set of each point, and of each node whose points are in one.
    set_of: Vec<u32>,
    set_of_node: Vec<u32>,
}

/// The edges, shortest first. `neighbours` counts the point itself.
pub(super) fn shortest_tree(points: &Points, neighbours: usize) -> Result<Vec<Edge>> {
    let tree = Tree::new(points, 0.0)?;
    let core = core_distances(&tree, neighbours)?;
    let count = core.len();
    let mut least_core = vec![f64::INFINITY; tree.nodes.len()];
    for at in (0..tree.nodes.len()).rev() {
        let node = tree.nodes[at];
        least_core[at] = match node.children {
            0 => core[node.from..node.to].iter().copied().fold(f64::INFINITY, f64::min),
            child => f64::min(least_core[child], least_core[child + 1]),
        };
    }
    let set_of_node = vec![NONE; tree.nodes.len()];
    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
    let set_of: Vec<u32> = (0..count as u32).collect();
    let mut ways: Vec<Way> = core.iter().map(|&least| Way { least, to: NONE }).collect();
    let mut span = Span { tree: &tree, core, least_core, set_of, set_of_node };
    let mut sets = Sets::new(count);
    let mut edges: Vec<(f64, u32, u32)> = Vec::with_capacity(count.saturating_sub(1));
    while edges.len() + 1 < count {
        let done = edges.len();
        work::say("connections", done, count - 1);
        let mut found =
            span.ways_out(&mut ways).ok_or(Error::Cancelled { what: "connections", done, of: count - 1 })?;
        found.sort_unstable_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)).then(x.2.cmp(&y.2)));
        edges.extend(found.into_iter().filter(|&(_, a, b)| sets.join(a, b)));
        for (at, set) in span.set_of.iter_mut().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
            let root = sets.find(at as u32);
            *set = root;
        }
    }
    let row = |at: u32| {
        #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
        let row = tree.rows[at as usize] as u32;
        row
    };
    let edge = |(squared, a, b): (f64, u32, u32)| {
        let (a, b) = (row(a), row(b));
        Edge { length: squared.sqrt(), a: a.min(b), b: a.max(b) }
    };
    let mut edges: Vec<Edge> = edges.into_iter().map(edge).collect();
    edges.sort_unstable_by(|x, y| x.length.total_cmp(&y.length).then(x.a.cmp(&y.a)).then(x.b.cmp(&y.b)));
    Ok(edges)
}

/// Squared distance of each point to its k-th nearest, itself included.
fn core_distances(tree: &Tree, neighbours: usize) -> Result<Vec<f64>> {
    let count = tree.rows.len();
    let of_task = |task: usize| {
        if stop::requested() {
            return None;
        }
        let (mut nearest, mut open) = (Vec::with_capacity(neighbours + 1), Vec::new());
        let points = task * TASK..count.min((task + 1) * TASK);
        Some(points.map(|at| kth(tree, tree.point(at), neighbours, &mut nearest, &mut open)).collect::<Vec<f64>>())
    };
    let parts: Option<Vec<Vec<f64>>> = (0..count.div_ceil(TASK)).into_par_iter().map(of_task).collect();
    Ok(parts.ok_or(Error::Cancelled { what: "neighbourhoods", done: 0, of: count })?.concat())
}

fn kth(tree: &Tree, point: &[f64], k: usize, nearest: &mut Vec<f64>, open: &mut Vec<(f64, usize)>) -> f64 {
    nearest.clear();
    open.clear();
    open.push((0.0, 0));
    while let Some((least, at)) = open.pop() {
        let furthest = if nearest.len() == k { nearest[k - 1] } else { f64::INFINITY };
        if least >= furthest {
            continue;
        }
        let node = tree.nodes[at];
        if node.children > 0 {
            nearer_last(tree, node.children, point, open);
            continue;
        }
        // Of equal rows so many are enough.
        let to = if node.is_heap() { node.to.min(node.from.saturating_add(k)) } else { node.to };
        for other in node.from..to {
            let squared = squared_distance(tree.point(other), point);
            if nearest.len() == k && squared >= nearest[k - 1] {
                continue;
            }
            nearest.insert(nearest.partition_point(|&known| known <= squared), squared);
            nearest.truncate(k);
        }
    }
    nearest.last().copied().unwrap_or(0.0)
}

/// Puts both children on the pile, the nearer one on top.
fn nearer_last(tree: &Tree, children: usize, point: &[f64], open: &mut Vec<(f64, usize)>) {
    let (left, right) = (tree.least(children, point), tree.least(children + 1, point));
    let (near, far) = if left <= right {
        ((left, children), (right, children + 1))
    } else {
        ((right, children + 1), (left, children))
    };
    open.extend([far, near]);
}

impl Span<'_> {
    /// The shortest way out of each set, as squared length and two points of the tree; none when asked to stop.
    fn ways_out(&mut self, ways: &mut [Way]) -> Option<Vec<(f64, u32, u32)>> {
        for at in (0..self.tree.nodes.len()).rev() {
            let node = self.tree.nodes[at];
            let same = |a: u32, b: u32| if a == b { a } else { NONE };
            self.set_of_node[at] = match node.children {
                0 => self.set_of[node.from..node.to].iter().copied().reduce(same).unwrap_or(NONE),
                child => same(self.set_of_node[child], self.set_of_node[child + 1]),
            };
        }
        // Lengths are not negative, so their bits are in the order of their values.
        let bounds: Vec<AtomicU64> =
            std::iter::repeat_with(|| AtomicU64::new(f64::INFINITY.to_bits())).take(ways.len()).collect();
        let bound_of = |at: usize| &bounds[self.set_of[at] as usize];
        ways.par_iter_mut().enumerate().with_min_len(1024).for_each(|(at, way)| {
            if way.to != NONE && self.set_of[way.to as usize] != self.set_of[at] {
                bound_of(at).fetch_min(way.least.to_bits(), Ordering::Relaxed);
            } else {
                way.to = NONE;
            }
        });
        let stopped = ways.par_chunks_mut(TASK).enumerate().any(|(task, ways)| {
            let mut open = Vec::new();
            for (offset, way) in ways.iter_mut().enumerate() {
                let at = task * TASK + offset;
                if way.to == NONE {
                    *way = self.way_out(at, way.least, bound_of(at), &mut open);
                }
            }
            stop::requested()
        });
        if stopped {
            return None;
        }
        let mut best: Vec<Option<(f64, u32, u32)>> = vec![None; ways.len()];
        for ((at, way), &set) in (0_u32..).zip(ways.iter()).zip(&self.set_of) {
            let known = &mut best[set as usize];
            if way.to != NONE && known.is_none_or(|known| way.least < known.0) {
                *known = Some((way.least, at, way.to));
            }
        }
        Some(best.into_iter().flatten().collect())
    }

    /// The nearest point of another set, or that there is none as near as the set's best way. The bound of other threads
    /// saves work only: what is as near as the set's best way at last is always found, and always the same point.
    fn way_out(&self, at: usize, least: f64, bound: &AtomicU64, open: &mut Vec<(f64, usize)>) -> Way {
        let (own, core, point) = (self.set_of[at], self.core[at], self.tree.point(at));
        let mut limit = f64::from_bits(bound.load(Ordering::Relaxed));
        if least > limit {
            return Way { least, to: NONE };
        }
        let mut found = Way { least: f64::INFINITY, to: NONE };
        open.clear();
        open.push((0.0, 0));
        while let Some((near, node_at)) = open.pop() {
            let near = near.max(core).max(self.least_core[node_at]);
            if near > limit || near >= found.least || self.set_of_node[node_at] == own {
                continue;
            }
            let node = self.tree.nodes[node_at];
            if node.children > 0 {
                nearer_last(self.tree, node.children, point, open);
                continue;
            }
            for other in node.from..node.to {
                if self.set_of[other] == own || self.core[other] >= found.least {
                    continue;
                }
                let squared = squared_distance(self.tree.point(other), point).max(core).max(self.core[other]);
                if squared < found.least {
                    #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
                    let to = other as u32;
                    found = Way { least: squared, to };
                }
                // Equal rows are equally far, and the ones behind are in no other place.
                if node.is_heap() {
                    break;
                }
            }
        }
        if found.least <= limit {
            bound.fetch_min(found.least.to_bits(), Ordering::Relaxed);
            return found;
        }
        limit = limit.max(least);
        Way { least: limit, to: NONE }
    }
}

/// Which points are connected; each set is known by its lowest point.
struct Sets(Vec<u32>);

impl Sets {
    fn new(count: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "less than 2^31 rows")]
        let all = (0..count as u32).collect();
        Self(all)
    }

    fn find(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    /// Whether they were apart.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
        a != b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Prim's method over all pairs, and distances to the k-th neighbour by sorting.
    fn slow(points: &Points, k: usize) -> Vec<f64> {
        let far = |a: usize, b: usize| squared_distance(points.row(a), points.row(b)).sqrt();
        let core: Vec<f64> = (0..points.rows)
            .map(|a| {
                let mut all: Vec<f64> = (0..points.rows).map(|b| far(a, b)).collect();
                all.sort_by(f64::total_cmp);
                all[k - 1]
            })
            .collect();
        let (mut inside, mut near) = (vec![false; points.rows], vec![f64::INFINITY; points.rows]);
        let (mut at, mut lengths) = (0, Vec::new());
        for _ in 1..points.rows {
            inside[at] = true;
            for b in (0..points.rows).filter(|&b| !inside[b]) {
                near[b] = near[b].min(far(at, b).max(core[at]).max(core[b]));
            }
            at = (0..points.rows).filter(|&b| !inside[b]).min_by(|&a, &b| near[a].total_cmp(&near[b])).unwrap();
            lengths.push(near[at]);
        }
        lengths.sort_by(f64::total_cmp);
        lengths
    }

    #[test]
    fn the_tree_is_as_short_as_that_of_all_pairs() {
        let mut random = Random::new(5);
        // Even, on a grid with many ties and copies, and in clumps.
        let kinds: [fn(&mut Random) -> f64; 3] = [
            Random::unit,
            |random| f64::from(random.below(6) as u32),
            |random| f64::from(random.below(3) as u32) * 10.0 + random.unit(),
        ];
        for (number, draw) in kinds.into_iter().enumerate() {
            for (rows, columns, k) in [(2, 1, 1), (50, 1, 3), (400, 2, 5), (300, 5, 10), (40, 3, 40)] {
                let values = (0..rows * columns).map(|_| draw(&mut random)).collect();
                let points = Points { rows, columns, values };
                let edges = shortest_tree(&points, k).unwrap();
                let lengths: Vec<f64> = edges.iter().map(|edge| edge.length).collect();
                let expected = slow(&points, k);
                let same = lengths.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(same && lengths.len() == expected.len(), "kind {number}, {rows} rows, k {k}");
                let mut sets = Sets::new(rows);
                assert!(edges.iter().all(|edge| sets.join(edge.a, edge.b)));
            }
        }
    }
}
