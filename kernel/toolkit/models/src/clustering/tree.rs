//! Points -> a k-d tree with boxes, whose points lie side by side in the order of the tree.

use super::Points;
use crate::lanes::squared_distance;
use crate::{Error, Result};
use haetae_display::stop;

/// Points of a leaf.
const LEAF: usize = 16;
/// Points of a box at which the wish to stop is asked for before it is cut.
const MANY: usize = 1 << 16;

/// A box around a run of points.
#[derive(Debug, Clone, Copy)]
pub(in crate::clustering) struct Node {
    pub(in crate::clustering) from: usize,
    pub(in crate::clustering) to: usize,
    /// The first child, whose brother follows it; 0 for a leaf.
    pub(in crate::clustering) children: usize,
    /// The greatest box, no wider than the distance, that this one lies in or is; the tree's own number of it.
    pub(in crate::clustering) clump: u32,
}

impl Node {
    /// Whether it holds more points than other leaves, all of them equal.
    pub(in crate::clustering) fn is_heap(&self) -> bool {
        self.children == 0 && self.to - self.from > LEAF
    }
}

/// No clump: the box is wider than the distance.
pub(in crate::clustering) const NO_CLUMP: u32 = u32::MAX;

pub(in crate::clustering) struct Tree {
    pub(in crate::clustering) nodes: Vec<Node>,
    /// Lowest and highest corner of each node's box.
    corners: Vec<f64>,
    /// Row-major, in the order of the tree.
    pub(in crate::clustering) points: Vec<f64>,
    /// The row of each point.
    pub(in crate::clustering) rows: Vec<usize>,
    pub(in crate::clustering) columns: usize,
    /// The node of each clump. All points of one are neighbours of each other; every point is in exactly one.
    pub(in crate::clustering) clumps: Vec<usize>,
}

impl Tree {
    /// `squared` is the square of the distance. [`Error::Cancelled`] where the wish to stop came first.
    pub(in crate::clustering) fn new(points: &Points, squared: f64) -> Result<Self> {
        let columns = points.columns;
        let mut rows: Vec<usize> = (0..points.rows).collect();
        let mut tree = Self {
            nodes: Vec::new(),
            corners: Vec::new(),
            points: Vec::new(),
            rows: Vec::new(),
            columns,
            clumps: Vec::new(),
        };
        tree.add(points, &rows, 0);
        let mut open = vec![(0, NO_CLUMP)];
        while let Some((at, above)) = open.pop() {
            let Node { from, to, .. } = tree.nodes[at];
            let (axis, width, diagonal) = tree.widest(at);
            let leaf = to - from <= LEAF || width == 0.0;
            let mut clump = above;
            if clump == NO_CLUMP && diagonal <= squared {
                clump = tree.add_clump(at);
            }
            tree.nodes[at].clump = clump;
            if leaf {
                // Equal points in rising order, whatever the cuts above made of it.
                if to - from > LEAF {
                    rows[from..to].sort_unstable();
                }
                continue;
            }
            if to - from > MANY && stop::requested() {
                return Err(Error::Cancelled { what: "rows put in order", done: 0, of: points.rows });
            }
            let part = &mut rows[from..to];
            let middle = part.len() / 2;
            let value = |row: usize| points.values[row * columns + axis];
            part.select_nth_unstable_by(middle, |&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
            tree.nodes[at].children = tree.nodes.len();
            tree.add(points, &rows[from..from + middle], from);
            tree.add(points, &rows[from + middle..to], from + middle);
            open.push((tree.nodes[at].children + 1, clump));
            open.push((tree.nodes[at].children, clump));
        }
        tree.points = rows.iter().flat_map(|&row| points.row(row).iter().copied()).collect();
        tree.rows = rows;
        Ok(tree)
    }

    fn add(&mut self, points: &Points, rows: &[usize], from: usize) {
        let start = self.corners.len();
        self.corners.extend(std::iter::repeat_n(f64::INFINITY, self.columns));
        self.corners.extend(std::iter::repeat_n(f64::NEG_INFINITY, self.columns));
        let (low, high) = self.corners[start..].split_at_mut(self.columns);
        for &row in rows {
            for ((low, high), &value) in low.iter_mut().zip(high.iter_mut()).zip(points.row(row)) {
                *low = low.min(value);
                *high = high.max(value);
            }
        }
        self.nodes.push(Node { from, to: from + rows.len(), children: 0, clump: NO_CLUMP });
    }

    #[expect(clippy::cast_possible_truncation, reason = "fewer clumps than rows, of which there are less than 2^31")]
    fn add_clump(&mut self, at: usize) -> u32 {
        self.clumps.push(at);
        self.clumps.len() as u32 - 1
    }

    /// The widest side of a box, and the square of its diagonal.
    fn widest(&self, at: usize) -> (usize, f64, f64) {
        let (low, high) = self.corners(at);
        let (mut axis, mut width, mut diagonal) = (0, 0.0, 0.0);
        for (i, (low, high)) in low.iter().zip(high).enumerate() {
            let side = high - low;
            diagonal += side * side;
            if side > width {
                (axis, width) = (i, side);
            }
        }
        (axis, width, diagonal)
    }

    fn corners(&self, at: usize) -> (&[f64], &[f64]) {
        let start = 2 * at * self.columns;
        (&self.corners[start..start + self.columns], &self.corners[start + self.columns..start + 2 * self.columns])
    }

    pub(in crate::clustering) fn point(&self, at: usize) -> &[f64] {
        &self.points[at * self.columns..(at + 1) * self.columns]
    }

    /// The square of the least distance between a point and a box.
    pub(in crate::clustering) fn least(&self, at: usize, point: &[f64]) -> f64 {
        let (low, high) = self.corners(at);
        let sides = low.iter().zip(high).zip(point);
        sides.map(|((low, high), x)| (low - x).max(x - high).max(0.0)).map(|gap| gap * gap).sum()
    }

    /// The square of the greatest distance between a point and a corner of a box.
    pub(in crate::clustering) fn greatest(&self, at: usize, point: &[f64]) -> f64 {
        let (low, high) = self.corners(at);
        let sides = low.iter().zip(high).zip(point);
        sides.map(|((low, high), x)| (x - low).max(high - x)).map(|gap| gap * gap).sum()
    }

    /// The square of the least distance between two boxes.
    pub(in crate::clustering) fn apart(&self, a: usize, b: usize) -> f64 {
        let ((low_a, high_a), (low_b, high_b)) = (self.corners(a), self.corners(b));
        let sides = low_a.iter().zip(high_a).zip(low_b.iter().zip(high_b));
        sides.map(|((la, ha), (lb, hb))| (la - hb).max(lb - ha).max(0.0)).map(|gap| gap * gap).sum()
    }

    /// Whether a point has at least `enough` points no further than the square `squared`.
    pub(in crate::clustering) fn has_neighbours(
        &self,
        point: &[f64],
        squared: f64,
        enough: usize,
        open: &mut Vec<usize>,
    ) -> bool {
        let mut count = 0;
        open.clear();
        open.push(0);
        while let Some(at) = open.pop() {
            if self.least(at, point) > squared {
                continue;
            }
            let node = self.nodes[at];
            if node.to - node.from > LEAF / 2 && self.greatest(at, point) <= squared {
                count += node.to - node.from;
            } else if node.children == 0 {
                let others = (node.from..node.to).filter(|&i| squared_distance(self.point(i), point) <= squared);
                count += others.count();
            } else {
                open.extend([node.children, node.children + 1]);
            }
            if count >= enough {
                return true;
            }
        }
        false
    }
}
