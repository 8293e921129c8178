//! The shortest tree -> clusters that last, and how firmly each row is in its own.
//!
//! Source: Campello, Moulavi and Sander, *Density-based clustering based on hierarchical density estimates*, PAKDD 2013.
//! Edges are cut from the longest to the shortest. A part that falls apart into two large enough ones ends there, and two
//! new ones begin; what is smaller only falls off. Density is 1 / length, and a cluster's stability the sum, over its
//! rows, of the density up to which they stay less that at which it began.

use super::span::Edge;

/// Labels and how firm they are.
pub(super) struct Clusters {
    /// -1 is noise.
    pub(super) labels: Vec<i32>,
    /// 0 for noise, else up to 1.
    pub(super) firmness: Vec<f64>,
    /// Stability of each cluster, by label.
    pub(super) stability: Vec<f64>,
}

/// A merge of two parts; a part below the number of rows is a row, others are merges.
struct Merge {
    left: usize,
    right: usize,
    size: usize,
    density: f64,
}

/// A part that is large enough from one density on.
struct Part {
    parent: usize,
    begins: f64,
    /// Greatest density at which something leaves it.
    ends: f64,
    stability: f64,
}

impl Part {
    fn new(parent: usize, begins: f64) -> Self {
        Self { parent, begins, ends: 0.0, stability: 0.0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
    fn leave(&mut self, rows: usize, density: f64) {
        self.stability += (density - self.begins) * rows as f64;
        self.ends = self.ends.max(density);
    }
}

/// Length that stands for none: rows that are equal have a density that sums survive.
const SHORTEST: f64 = 1e-150;

/// `edges` are those of a tree that connects all `rows`, shortest first; clusters have at least `min_cluster` rows.
pub(super) fn clusters(edges: &[Edge], rows: usize, min_cluster: usize) -> Clusters {
    let merges = merges(edges, rows);
    let (mut parts, left_at) = parts(&merges, rows, min_cluster);
    let within = choose(&mut parts);
    let mut label_of: Vec<Option<usize>> = vec![None; parts.len()];
    let (mut labels, mut firmness) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut stability = Vec::new();
    for &(part, density) in &left_at {
        let Some(at) = within[part] else {
            labels.push(-1);
            firmness.push(0.0);
            continue;
        };
        let label = *label_of[at].get_or_insert_with(|| {
            stability.push(parts[at].stability);
            stability.len() - 1
        });
        labels.push(i32::try_from(label).unwrap_or(i32::MAX));
        firmness.push(if parts[at].ends > 0.0 { density.min(parts[at].ends) / parts[at].ends } else { 1.0 });
    }
    Clusters { labels, firmness, stability }
}

fn merges(edges: &[Edge], rows: usize) -> Vec<Merge> {
    // The part of each root, and its size.
    let mut above: Vec<usize> = (0..rows).collect();
    let mut part_of: Vec<(usize, usize)> = (0..rows).map(|row| (row, 1)).collect();
    let find = |above: &mut Vec<usize>, mut at: usize| {
        while above[at] != at {
            above[at] = above[above[at]];
            at = above[at];
        }
        at
    };
    let mut merges = Vec::with_capacity(edges.len());
    for edge in edges {
        let (a, b) = (find(&mut above, edge.a as usize), find(&mut above, edge.b as usize));
        let ((left, left_size), (right, right_size)) = (part_of[a], part_of[b]);
        let size = left_size + right_size;
        let (large, small) = if left_size >= right_size { (a, b) } else { (b, a) };
        above[small] = large;
        part_of[large] = (rows + merges.len(), size);
        merges.push(Merge { left, right, size, density: 1.0 / edge.length.max(SHORTEST) });
    }
    merges
}

/// The parts, and in which of them each row was last, and until which density.
fn parts(merges: &[Merge], rows: usize, min_cluster: usize) -> (Vec<Part>, Vec<(usize, f64)>) {
    let mut parts = vec![Part::new(0, 0.0)];
    let mut left_at = vec![(0, 0.0); rows];
    let size = |at: usize| if at < rows { 1 } else { merges[at - rows].size };
    let mut open = if merges.is_empty() { Vec::new() } else { vec![(rows + merges.len() - 1, 0)] };
    let mut falling = Vec::new();
    while let Some((at, part)) = open.pop() {
        let merge = &merges[at - rows];
        let sides = [merge.left, merge.right];
        let both = sides.iter().all(|&side| size(side) >= min_cluster);
        for side in sides {
            if both {
                parts[part].leave(size(side), merge.density);
                parts.push(Part::new(part, merge.density));
                open.push((side, parts.len() - 1));
            } else if size(side) >= min_cluster {
                open.push((side, part));
            } else {
                parts[part].leave(size(side), merge.density);
                falling.push(side);
                while let Some(at) = falling.pop() {
                    match at.checked_sub(rows) {
                        None => left_at[at] = (part, merge.density),
                        Some(at) => falling.extend([merges[at].left, merges[at].right]),
                    }
                }
            }
        }
    }
    (parts, left_at)
}

/// For each part the one that is chosen and that it is, or lies in. Of a part and those that it falls apart into, the ones
/// that are more stable are chosen; never the whole, nor one that ends where it begins, as happens where many rows are equal.
fn choose(parts: &mut [Part]) -> Vec<Option<usize>> {
    let mut stable = vec![false; parts.len()];
    // What the parts below one have together, from the lowest on up: children stand behind their parents.
    let mut below = vec![0.0; parts.len()];
    for at in (1..parts.len()).rev() {
        if below[at] > parts[at].stability {
            // What is below counts for it from here on up.
            parts[at].stability = below[at];
        } else {
            stable[at] = true;
        }
        below[parts[at].parent] += parts[at].stability;
    }
    let mut within: Vec<Option<usize>> = vec![None; parts.len()];
    // Below a part that is more stable than what it falls apart into, nothing is chosen, even where it is not either.
    let mut closed = vec![false; parts.len()];
    for (at, part) in parts.iter().enumerate().skip(1) {
        let parent = part.parent;
        within[at] = within[parent];
        closed[at] = closed[parent] || stable[at];
        if stable[at] && !closed[parent] && part.stability > 0.0 {
            within[at] = Some(at);
        }
    }
    within
}
