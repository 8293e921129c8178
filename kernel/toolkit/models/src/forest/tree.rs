//! One grown tree: from bins to the share of target 1, or of each class, in a leaf.

use super::bins::MISSING;
use crate::file::stored;

/// The `set` of a split by order.
const NO_SET: u32 = u32::MAX;

/// Rows that go down a tree side by side: the memory answers for one while the others wait.
const ABREAST: usize = 8;

/// A node; its right child stands behind its left one. A leaf is its own left child, and sends every row there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    feature: u32,
    left: u32,
    set: u32,
    bin: u8,
    missing_left: bool,
}

/// Bins of a categorical feature that go left, one bit each.
pub(super) type BinSet = [u64; 4];

/// A tree; the lists run parallel to `nodes`.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Share of target 1 among the node's rows, weighted; of more classes than two, the share of each.
    values: Vec<f64>,
    /// Values of a node.
    width: usize,
    /// Weight of the node's rows.
    covers: Vec<f64>,
    sets: Vec<BinSet>,
}

/// Which rows go left.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Those whose bin is not above this.
    UpTo(u8),
    /// Those whose bin is in the set.
    In(BinSet),
}

impl Rule {
    #[inline(always)]
    pub(super) fn holds(&self, bin: u8) -> bool {
        match self {
            Self::UpTo(last) => bin <= *last,
            Self::In(set) => contains(set, bin),
        }
    }
}

fn contains(set: &BinSet, bin: u8) -> bool {
    set[usize::from(bin >> 6)] >> (bin & 63) & 1 == 1
}

impl Tree {
    pub(super) fn new(width: usize) -> Self {
        Self { nodes: Vec::new(), values: Vec::new(), width, covers: Vec::new(), sets: Vec::new() }
    }

    /// Adds a leaf with a value, or as many as the tree is wide; its position.
    pub(super) fn leaf(&mut self, values: impl IntoIterator<Item = f64>, cover: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "fewer nodes than rows, which 32 bits count")]
        let left = self.nodes.len() as u32;
        self.nodes.push(Node { feature: 0, left, set: NO_SET, bin: MISSING, missing_left: true });
        self.values.extend(values);
        self.covers.push(cover);
        self.nodes.len() - 1
    }

    /// Turns a leaf into a split whose children are added next.
    #[expect(clippy::cast_possible_truncation, reason = "fewer nodes than rows, which 32 bits count")]
    pub(super) fn split(&mut self, at: usize, feature: usize, rule: Rule, missing_left: bool) {
        let left = self.nodes.len() as u32;
        let (bin, set) = match rule {
            Rule::UpTo(bin) => (bin, NO_SET),
            Rule::In(bins) => {
                self.sets.push(bins);
                (0, self.sets.len() as u32 - 1)
            }
        };
        if let Some(node) = self.nodes.get_mut(at) {
            *node = Node { feature: feature as u32, left, set, bin, missing_left };
        }
    }

    /// Whether every path comes to an end, over features and sets that there are.
    pub(super) fn is_sound(&self, features: usize, width: usize) -> bool {
        let count = self.nodes.len();
        let ends = |(at, node): (usize, &Node)| {
            let left = node.left as usize;
            let split = left > at && left + 1 < count;
            // A leaf that sent a row to its right would send it out of the tree.
            let leaf = left == at && node.set == NO_SET && node.bin == MISSING && node.missing_left;
            let known = node.set == NO_SET || (node.set as usize) < self.sets.len();
            (node.feature as usize) < features && known && (split || leaf)
        };
        let lists =
            count > 0 && self.width == width && self.values.len() == count * width && self.covers.len() == count;
        lists && self.nodes.iter().enumerate().all(ends) && self.depth() <= 256
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn value(&self, at: usize, which: usize) -> f64 {
        self.values.get(at * self.width + which).copied().unwrap_or(f64::NAN)
    }

    pub(super) fn cover(&self, at: usize) -> f64 {
        self.covers.get(at).copied().unwrap_or(0.0)
    }

    /// The feature that a node splits on and its left child; `None` for a leaf.
    pub(super) fn inner(&self, at: usize) -> Option<(usize, usize)> {
        let node = self.nodes.get(at).filter(|node| node.left as usize != at)?;
        Some((node.feature as usize, node.left as usize))
    }

    #[inline(always)]
    pub(super) fn goes_left(&self, at: usize, bin: u8) -> bool {
        self.nodes.get(at).is_some_and(|node| self.left(node, bin))
    }

    #[inline(always)]
    fn left(&self, node: &Node, bin: u8) -> bool {
        if bin == MISSING {
            return node.missing_left;
        }
        if node.set == NO_SET {
            return bin <= node.bin;
        }
        self.sets.get(node.set as usize).is_some_and(|set| contains(set, bin))
    }

    /// The leaf that a row falls into; `bin` gives the row's bin of a feature.
    pub(super) fn leaf_of(&self, bin: impl Fn(usize) -> u8) -> usize {
        let mut at = 0;
        while let Some((feature, left)) = self.inner(at) {
            at = left + usize::from(!self.goes_left(at, bin(feature)));
        }
        at
    }

    /// Adds the values of the leaf that each row falls into to its scores; `rows` holds `width` bins a row.
    pub(super) fn add_scores(&self, rows: &[u8], width: usize, scores: &mut [f64]) {
        for (rows, scores) in rows.chunks(ABREAST * width).zip(scores.chunks_mut(ABREAST * self.width)) {
            let mut at = [0; ABREAST];
            let mut moved = true;
            while moved {
                moved = false;
                for (row, at) in rows.chunks_exact(width).zip(&mut at) {
                    let node = &self.nodes[*at];
                    let next = node.left as usize + usize::from(!self.left(node, row[node.feature as usize]));
                    moved |= next != *at;
                    *at = next;
                }
            }
            for (scores, at) in scores.chunks_mut(self.width).zip(at) {
                let values = &self.values[at * self.width..(at + 1) * self.width];
                scores.iter_mut().zip(values).for_each(|(score, value)| *score += value);
            }
        }
    }

    /// Splits from the root to the lowest leaf.
    pub(super) fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        for at in 0..self.nodes.len() {
            if let Some((_, left)) = self.inner(at) {
                depths[left] = depths[at] + 1;
                depths[left + 1] = depths[at] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }
}

stored!(Node { feature, left, set, bin, missing_left });
stored!(Tree { nodes, values, width, covers, sets });
