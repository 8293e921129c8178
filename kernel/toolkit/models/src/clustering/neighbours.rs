//! Points -> the nearest others of each, exactly: nearest first, of equally near ones the lower row first.

use super::Points;
use super::tree::Tree;
use crate::lanes::squared_distance;
use crate::{Error, Result};
use haetae_display::{stop, work};
use rayon::prelude::*;

/// Points of a task.
const TASK: usize = 64;

/// The nearest others of each row.
pub(crate) struct Neighbours {
    /// How many each row has.
    pub(crate) each: usize,
    /// Row after row.
    pub(crate) rows: Vec<u32>,
    pub(crate) distances: Vec<f64>,
}

impl Neighbours {
    /// The `each` nearest of every point, of which there are more and fewer than 2^32.
    pub(crate) fn of(points: &Points, each: usize) -> Result<Self> {
        let tree = Tree::new(points, 0.0)?;
        work::say("neighbourhoods", 0, points.rows);
        let of_task = |task: usize| {
            if stop::requested() {
                return None;
            }
            let mut search = Search { tree: &tree, each, nearest: Vec::new(), open: Vec::new() };
            let rows = task * TASK..points.rows.min((task + 1) * TASK);
            let mut found = Vec::with_capacity(rows.len() * each);
            for row in rows {
                search.run(points.row(row), row);
                found.extend_from_slice(&search.nearest);
            }
            Some(found)
        };
        let parts: Option<Vec<Vec<(f64, usize)>>> =
            (0..points.rows.div_ceil(TASK)).into_par_iter().map(of_task).collect();
        let cancelled = Error::Cancelled { what: "neighbourhoods", done: 0, of: points.rows };
        let found = parts.ok_or(cancelled)?.concat();
        #[expect(clippy::cast_possible_truncation, reason = "fewer than 2^32 rows")]
        let rows = found.iter().map(|&(_, row)| row as u32).collect();
        Ok(Self { each, rows, distances: found.iter().map(|(squared, _)| squared.sqrt()).collect() })
    }

    /// Of one row: the others and how far they are.
    pub(crate) fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let range = row * self.each..(row + 1) * self.each;
        (&self.rows[range.clone()], &self.distances[range])
    }
}

struct Search<'a> {
    tree: &'a Tree,
    each: usize,
    /// Squared distance and row, nearest first.
    nearest: Vec<(f64, usize)>,
    open: Vec<(f64, usize)>,
}

impl Search<'_> {
    fn run(&mut self, point: &[f64], own: usize) {
        self.nearest.clear();
        self.open.clear();
        self.open.push((0.0, 0));
        while let Some((least, at)) = self.open.pop() {
            if self.nearest.len() == self.each && least > self.nearest[self.each - 1].0 {
                continue;
            }
            let node = self.tree.nodes[at];
            if node.children > 0 {
                let (a, b) = (node.children, node.children + 1);
                let (a, b) = ((self.tree.least(a, point), a), (self.tree.least(b, point), b));
                let (near, far) = if a.0 <= b.0 { (a, b) } else { (b, a) };
                self.open.extend([far, near]);
                continue;
            }
            // Equal rows are in rising order: of them the first are the neighbours.
            let to = if node.is_heap() { node.to.min(node.from + self.each + 1) } else { node.to };
            for other in node.from..to {
                let row = self.tree.rows[other];
                if row != own {
                    self.meet(squared_distance(self.tree.point(other), point), row);
                }
            }
        }
    }

    fn meet(&mut self, squared: f64, row: usize) {
        let before = |known: &(f64, usize)| known.0 < squared || (known.0 == squared && known.1 < row);
        if self.nearest.len() == self.each && before(&self.nearest[self.each - 1]) {
            return;
        }
        let place = self.nearest.partition_point(before);
        self.nearest.insert(place, (squared, row));
        self.nearest.truncate(self.each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn neighbours_are_the_nearest_and_of_equal_ones_the_first() {
        let mut random = Random::new(5);
        // Heaps of equal points, larger than a leaf, in turns with others.
        let values: Vec<f64> = (0..300)
            .flat_map(|i| match i % 3 {
                0 => [1.0, 1.0],
                1 => [2.0, if i % 2 == 0 { 3.0 } else { 1.0 }],
                _ => [random.unit() * 4.0, random.unit() * 4.0],
            })
            .collect();
        let points = Points { rows: 300, columns: 2, values };
        for each in [1, 7, 40, 120] {
            let found = Neighbours::of(&points, each).unwrap();
            for row in 0..300 {
                let distance = |other: usize| squared_distance(points.row(row), points.row(other)).sqrt();
                let mut others: Vec<usize> = (0..300).filter(|&other| other != row).collect();
                others.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
                let expected: Vec<u32> = others[..each].iter().map(|&other| other as u32).collect();
                assert_eq!(found.row(row).0, expected, "row {row}, {each} neighbours");
                assert_eq!(found.row(row).1[each - 1], distance(others[each - 1]));
            }
        }
    }
}
