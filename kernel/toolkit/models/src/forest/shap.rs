//! A tree, and rows -> what each feature adds to the tree's value.
//!
//! A coalition of known features gives a tree the value `sum over leaves of value * product over the features on the
//! leaf's path of a factor`: whether the row fits the feature's splits (0 or 1) where the feature is known, and the share
//! of training rows that fit them where it is not. With each feature known to the degree t, the factor is
//! `share + t * (fits - share)`, and the Shapley value is the integral over t, from 0 to 1, of the derivative in that
//! feature (Owen 1972). Along a path of m features it is a polynomial of degree m - 1.
//!
//! Shares and points are the same for all rows: of the factors, their quotients and the weights of the integral there are
//! only two or three for each step down the tree. They are computed once, and rows choose among them.

use super::quadrature::Quadrature;
use super::tree::Tree;
use crate::lanes::wide;

/// Points that are worked on side by side.
const SIDE: usize = 4;
type Side = [f64; SIDE];

/// What the way to a node of one feature multiplies: the share of rows that fit its splits, and whether the row does.
fn factor(share: f64, fits: bool, point: f64) -> f64 {
    // Never 0: a point lies strictly between 0 and 1, and no share is 0.
    share + point * (f64::from(fits) - share)
}

/// A step from a node to one of its children, in the order in which a walk through the whole tree takes them.
struct Step {
    feature: u32,
    parent: u32,
    is_left: bool,
    /// Steps from the root, this one counted.
    depth: u16,
    /// Depth of the last step before on the same feature, and its number; 0 where there is none.
    before: u16,
    before_step: u32,
    /// The leaf that it leads to; none where it leads to another split.
    leaf: Option<u32>,
}

/// A tree as a list of steps, with all that does not depend on the row.
pub(super) struct Walk {
    steps: Vec<Step>,
    /// For each step, at all points: what it multiplies if the row fits the feature still, no longer, or did not before;
    /// and what the sum below gains if the row fits, or does not.
    tables: Vec<[Side; 5]>,
    sides: usize,
    depth: usize,
}

/// Room for one walk, used again and again.
#[derive(Default)]
pub(super) struct Room {
    products: Vec<Side>,
    sums: Vec<Side>,
    gains: Vec<Side>,
    fits: Vec<bool>,
    open: Vec<usize>,
}

impl Walk {
    #[expect(clippy::cast_possible_truncation, reason = "fewer nodes than rows, which 32 bits count; 256 deep at most")]
    pub(super) fn new(tree: &Tree) -> Self {
        let mut walk = Self { steps: Vec::new(), tables: Vec::new(), sides: 1, depth: 0 };
        // Shares before and after each step.
        let mut shares: Vec<(f64, f64)> = Vec::new();
        let mut path: Vec<usize> = Vec::new();
        let mut different = 0;
        let mut open: Vec<(usize, bool, usize)> = Vec::new();
        let push = |open: &mut Vec<(usize, bool, usize)>, at: usize, depth: usize| {
            if tree.inner(at).is_some() {
                open.extend([(at, false, depth), (at, true, depth)]);
            }
        };
        push(&mut open, 0, 1);
        while let Some((parent, is_left, depth)) = open.pop() {
            let Some((feature, left)) = tree.inner(parent) else { continue };
            let child = left + usize::from(!is_left);
            path.truncate(depth - 1);
            let before = path.iter().rposition(|&step| walk.steps[step].feature as usize == feature);
            let share_before = before.map_or(1.0, |at| shares[path[at]].1);
            shares.push((share_before, share_before * tree.cover(child) / tree.cover(parent)));
            let known = path.iter().filter(|&&step| walk.steps[step].before == 0).count();
            different = different.max(known + usize::from(before.is_none()));
            walk.depth = walk.depth.max(depth);
            walk.steps.push(Step {
                feature: feature as u32,
                parent: parent as u32,
                is_left,
                depth: depth as u16,
                before: before.map_or(0, |at| at as u16 + 1),
                before_step: before.map_or(0, |at| path[at] as u32),
                leaf: if tree.inner(child).is_none() { Some(child as u32) } else { None },
            });
            path.push(walk.steps.len() - 1);
            push(&mut open, child, depth + 1);
        }
        walk.fill(different, &shares);
        walk
    }

    /// The tables, for paths of so many different features.
    fn fill(&mut self, different: usize, shares: &[(f64, f64)]) {
        let rule = Quadrature::new(different.div_ceil(2).max(1));
        self.sides = rule.len().div_ceil(SIDE);
        self.tables.reserve(shares.len() * self.sides);
        for &(before, share) in shares {
            for side in 0..self.sides {
                // Where there are no more points, everything is multiplied by 1 and gains nothing.
                let mut table = [[1.0; SIDE], [1.0; SIDE], [1.0; SIDE], [0.0; SIDE], [0.0; SIDE]];
                let points = rule.points.iter().zip(&rule.weights).skip(side * SIDE).take(SIDE);
                for (i, (&point, &weight)) in points.enumerate() {
                    let (fits, misses) = (factor(share, true, point), factor(share, false, point));
                    let (did_fit, did_miss) = (factor(before, true, point), factor(before, false, point));
                    table[0][i] = fits / did_fit;
                    table[1][i] = misses / did_fit;
                    table[2][i] = misses / did_miss;
                    table[3][i] = weight * (1.0 - share) / fits;
                    table[4][i] = -weight * share / misses;
                }
                self.tables.push(table);
            }
        }
    }

    /// Steps of the walk, by which its time and its memory are counted.
    pub(super) fn len(&self) -> usize {
        self.steps.len() * self.sides
    }

    /// Adds what each feature of `row` (as bins) adds to a value of `tree` to `values`.
    pub(super) fn explain(&self, (tree, which): (&Tree, usize), row: &[u8], values: &mut [f64], room: &mut Room) {
        walk(self, tree, which, row, room);
        for (value, gains) in values.iter_mut().zip(room.gains.chunks_exact(self.sides)) {
            *value += gains.iter().flatten().sum::<f64>();
        }
    }
}

wide! {
    /// Leaves the gains of all features in `room`.
    fn walk(walk: &Walk, tree: &Tree, which_value: usize, row: &[u8], room: &mut Room) {
        let sides = walk.sides;
        let Room { products, sums, gains, fits, open } = room;
        products.clear();
        products.resize((walk.depth + 1) * sides, [1.0; SIDE]);
        sums.clear();
        sums.resize((walk.depth + 1) * sides, [0.0; SIDE]);
        gains.clear();
        gains.resize(row.len() * sides, [0.0; SIDE]);
        fits.clear();
        fits.resize(walk.depth + 1, true);
        open.clear();
        for (number, step) in walk.steps.iter().enumerate() {
            let depth = usize::from(step.depth);
            while open.len() >= depth {
                if let Some(last) = open.pop() {
                    leave(walk, last, fits, sums, gains);
                }
            }
            // Where there is none before, the flag of the root: nothing contradicts the row yet.
            let did_fit = fits[usize::from(step.before)];
            let taken = tree.goes_left(step.parent as usize, row[step.feature as usize]) == step.is_left;
            let does_fit = did_fit && taken;
            fits[depth] = does_fit;
            let which = if does_fit { 0 } else if did_fit { 1 } else { 2 };
            let value = step.leaf.map_or(0.0, |leaf| tree.value(leaf as usize, which_value));
            for side in 0..sides {
                let (ratio, above) = (walk.tables[number * sides + side][which], products[(depth - 1) * sides + side]);
                let (product, sum) = (&mut products[depth * sides + side], &mut sums[depth * sides + side]);
                for i in 0..SIDE {
                    product[i] = above[i] * ratio[i];
                    sum[i] = product[i] * value;
                }
            }
            open.push(number);
        }
        while let Some(last) = open.pop() {
            leave(walk, last, fits, sums, gains);
        }
    }
}

/// Counts what lies below a step for its feature, and adds it to what lies below the step before.
#[inline(always)]
fn leave(walk: &Walk, number: usize, fits: &[bool], sums: &mut [Side], gains: &mut [Side]) {
    let (step, sides) = (&walk.steps[number], walk.sides);
    let depth = usize::from(step.depth);
    let own = if fits[depth] { 3 } else { 4 };
    let above = if fits[usize::from(step.before)] { 3 } else { 4 };
    for side in 0..sides {
        let sum = sums[depth * sides + side];
        let gain = &mut gains[step.feature as usize * sides + side];
        let table = walk.tables[number * sides + side][own];
        for i in 0..SIDE {
            gain[i] += sum[i] * table[i];
        }
        if step.before > 0 {
            // The step above counts the leaves below with its own factor, which does not hold for them.
            let table = walk.tables[step.before_step as usize * sides + side][above];
            for i in 0..SIDE {
                gain[i] -= sum[i] * table[i];
            }
        }
        let up = &mut sums[(depth - 1) * sides + side];
        for i in 0..SIDE {
            up[i] += sum[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Rule;
    use super::*;
    use crate::random::Random;

    /// A tree of random splits on `features`, each of two to four bins, with random values and covers.
    fn random_tree(random: &mut Random, features: usize, depth: usize) -> Tree {
        let mut tree = Tree::new(1);
        let root = tree.leaf([random.unit()], 100.0 * (1.0 + random.unit()));
        let mut open = vec![(root, depth)];
        while let Some((at, depth)) = open.pop() {
            if depth == 0 || random.below(8) == 0 {
                continue;
            }
            let rule = match random.below(2) {
                0 => Rule::UpTo(random.below(3) as u8),
                _ => Rule::In([1 + random.below(14) as u64, 0, 0, 0]),
            };
            tree.split(at, random.below(features), rule, random.below(2) == 0);
            let part = tree.cover(at) * (0.05 + 0.9 * random.unit());
            let left = tree.leaf([random.unit()], part);
            let right = tree.leaf([random.unit()], tree.cover(at) - part);
            open.extend([(left, depth - 1), (right, depth - 1)]);
        }
        tree
    }

    /// The value of the tree when only the features of `known` are known.
    fn value(tree: &Tree, at: usize, row: &[u8], known: usize) -> f64 {
        let Some((feature, left)) = tree.inner(at) else { return tree.value(at, 0) };
        if known >> feature & 1 == 1 {
            let child = if tree.goes_left(at, row[feature]) { left } else { left + 1 };
            return value(tree, child, row, known);
        }
        let part = |child: usize| tree.cover(child) / tree.cover(at) * value(tree, child, row, known);
        part(left) + part(left + 1)
    }

    /// Shapley's own formula: the mean, over all orders of the features, of what a feature adds.
    fn shapley(tree: &Tree, row: &[u8]) -> Vec<f64> {
        let features = row.len();
        let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
        let mut values = vec![0.0; features];
        for known in 0..1_usize << features {
            let size = known.count_ones() as usize;
            for feature in (0..features).filter(|feature| known >> feature & 1 == 0) {
                let weight = factorial(size) * factorial(features - size - 1) / factorial(features);
                let with = value(tree, 0, row, known | 1 << feature);
                values[feature] += weight * (with - value(tree, 0, row, known));
            }
        }
        values
    }

    #[test]
    fn contributions_are_the_shapley_values_of_the_definition() {
        let mut random = Random::new(11);
        for (features, depth) in [(1_usize, 1_usize), (2, 3), (3, 6), (5, 5), (7, 8)] {
            let mut room = Room::default();
            for _ in 0..20 {
                let tree = random_tree(&mut random, features, depth);
                let row: Vec<u8> = (0..features).map(|_| [0, 1, 2, 3, 255][random.below(5)]).collect();
                let mut found = vec![0.0; features];
                Walk::new(&tree).explain((&tree, 0), &row, &mut found, &mut room);
                for (found, expected) in found.iter().zip(shapley(&tree, &row)) {
                    assert!((found - expected).abs() < 1e-12, "{found} and {expected}, {features} features");
                }
            }
        }
    }
}
