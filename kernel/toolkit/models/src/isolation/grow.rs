//! Drawn rows -> a tree of random cuts, and how deep a row falls in it.

use crate::file::stored;
use crate::random::Random;
use haetae_features::FeatureMatrix;

/// A cut, or the end of a path.
#[derive(Debug, Clone, Copy)]
enum Node {
    /// Rows whose value is below go left; the right child follows the left one.
    Cut { feature: usize, value: f64, left: usize },
    /// Length of the path, with what the rows that are left here would add.
    End { length: f64 },
}

/// A tree of random cuts.
#[derive(Debug, Clone)]
pub(super) struct Cuts {
    nodes: Vec<Node>,
}

stored!(Node [0 => Cut { feature, value, left }, 1 => End { length }]);
stored!(Cuts { nodes });

/// The mean length of a path to an unsuccessful search among so many: what `rows` rows would add to it.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
pub(super) fn mean_length(rows: usize) -> f64 {
    /// Euler and Mascheroni's.
    const GAMMA: f64 = 0.577_215_664_901_532_9;
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let rows = rows as f64;
            2.0 * ((rows - 1.0).ln() + GAMMA) - 2.0 * (rows - 1.0) / rows
        }
    }
}

impl Cuts {
    pub(super) fn grow(features: &FeatureMatrix, mut rows: Vec<usize>, deepest: usize, random: &mut Random) -> Self {
        let mut nodes = vec![Node::End { length: 0.0 }];
        let mut open = vec![(0, 0, rows.len(), 0_usize)];
        let mut order: Vec<usize> = (0..features.columns()).collect();
        while let Some((at, from, to, depth)) = open.pop() {
            let here = &mut rows[from..to];
            let cut = if here.len() > 1 && depth < deepest { draw(features, here, &mut order, random) } else { None };
            let Some((feature, value)) = cut else {
                #[expect(clippy::cast_precision_loss, reason = "few cuts")]
                let length = depth as f64 + mean_length(here.len());
                nodes[at] = Node::End { length };
                continue;
            };
            let column = features.column(feature);
            let mut kept = 0;
            for i in 0..here.len() {
                if column[here[i]] < value {
                    here.swap(i, kept);
                    kept += 1;
                }
            }
            let left = nodes.len();
            nodes[at] = Node::Cut { feature, value, left };
            nodes.extend([Node::End { length: 0.0 }; 2]);
            open.push((left + 1, from + kept, to, depth + 1));
            open.push((left, from, from + kept, depth + 1));
        }
        Self { nodes }
    }

    /// Whether every path comes to an end, over features that there are.
    pub(super) fn is_sound(&self, features: usize) -> bool {
        let ends = |(at, node): (usize, &Node)| match *node {
            Node::Cut { feature, left, .. } => feature < features && left > at && left < self.nodes.len() - 1,
            Node::End { .. } => true,
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(ends)
    }

    pub(super) fn length(&self, value: impl Fn(usize) -> f64) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Cut { feature, value: cut, left } => at = left + usize::from(value(feature) >= cut),
                Node::End { length } => return length,
            }
        }
    }
}

/// A feature that varies among the rows, and a value between its least and its greatest; `None` where none varies.
fn draw(features: &FeatureMatrix, rows: &[usize], order: &mut [usize], random: &mut Random) -> Option<(usize, f64)> {
    for drawn in 0..order.len() {
        let other = drawn + random.below(order.len() - drawn);
        order.swap(drawn, other);
        let column = features.column(order[drawn]);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for &row in rows {
            least = least.min(column[row]);
            most = most.max(column[row]);
        }
        if least < most {
            let part = random.unit();
            // Both halves hold a row: the least is below the cut, and the greatest is not.
            let value = least * (1.0 - part) + most * part;
            return Some((order[drawn], if value > least { value.min(most) } else { most }));
        }
    }
    None
}
