//! One row in one tree -> what each feature adds to the tree's value.
//!
//! A coalition of known features gives a tree the value `sum over leaves of value * product over the features on the
//! leaf's path of a factor`: whether the row fits the feature's splits (0 or 1) where the feature is known, and the share
//! of training rows that fit them where it is not. With each feature known to the degree t, the factor is
//! `share + t * (fits - share)`, and the Shapley value is the integral over t, from 0 to 1, of the derivative in that
//! feature (Owen 1972). Along a path of m features it is a polynomial of degree m - 1.

use super::tree::Tree;
use std::f64::consts::PI;

/// Gauss and Legendre's points and weights on 0 to 1; exact up to degree `2 * points - 1`.
pub(super) struct Quadrature {
    points: Vec<f64>,
    weights: Vec<f64>,
}

impl Quadrature {
    #[expect(clippy::cast_precision_loss, reason = "few points")]
    pub(super) fn new(count: usize) -> Self {
        let (mut points, mut weights) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for i in 0..count {
            // Newton's method from a good first guess at the root of the Legendre polynomial.
            let mut x = (PI * (i as f64 + 0.75) / (count as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut value) = (1.0, x);
                for n in 2..=count {
                    let n = n as f64;
                    (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
                }
                slope = count as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            points.push((1.0 + x) / 2.0);
            weights.push(1.0 / ((1.0 - x * x) * slope * slope));
        }
        Self { points, weights }
    }

    fn len(&self) -> usize {
        self.points.len()
    }
}

/// What is known on the way to a node of one feature: whether the row fits its splits, and the share of rows that do.
#[derive(Clone, Copy)]
struct Factor {
    fits: f64,
    share: f64,
}

impl Factor {
    /// Never 0: a point lies strictly between 0 and 1, and no share is 0.
    fn at(self, point: f64) -> f64 {
        self.share + point * (self.fits - self.share)
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [u8],
    quadrature: &'a Quadrature,
    /// By feature, on the path to the current node.
    factors: Vec<Option<Factor>>,
    /// By depth, at each point: the product of the factors on the way down, and the sum of values below on the way up.
    products: Vec<f64>,
    sums: Vec<f64>,
}

/// Adds what each feature of `row` (as bins) adds to the value of `tree` to `values`.
pub(super) fn explain(tree: &Tree, row: &[u8], quadrature: &Quadrature, values: &mut [f64]) {
    let size = (tree.depth() + 1) * quadrature.len();
    let mut walk = Walk {
        tree,
        row,
        quadrature,
        factors: vec![None; values.len()],
        products: vec![1.0; size],
        sums: vec![0.0; size],
    };
    walk.visit(0, 0, values);
}

impl Walk<'_> {
    /// Leaves the sum of the values below `at` in `sums` of this depth. Trees are at most 256 deep.
    fn visit(&mut self, at: usize, depth: usize, values: &mut [f64]) {
        let points = self.quadrature.len();
        let here = depth * points;
        let Some((feature, left)) = self.tree.inner(at) else {
            let value = self.tree.value(at);
            for q in here..here + points {
                self.sums[q] = value * self.products[q];
            }
            return;
        };
        self.sums[here..here + points].fill(0.0);
        let before = self.factors[feature];
        let known = before.unwrap_or(Factor { fits: 1.0, share: 1.0 });
        let goes_left = self.tree.goes_left(at, self.row[feature]);
        for (child, taken) in [(left, goes_left), (left + 1, !goes_left)] {
            let factor = Factor {
                fits: if taken { known.fits } else { 0.0 },
                share: known.share * self.tree.cover(child) / self.tree.cover(at),
            };
            for (q, &point) in self.quadrature.points.iter().enumerate() {
                self.products[here + points + q] = self.products[here + q] / known.at(point) * factor.at(point);
            }
            self.factors[feature] = Some(factor);
            self.visit(child, depth + 1, values);
            values[feature] += self.gain(here + points, factor);
            if let Some(before) = before {
                // The split above counts the leaves below with its own factor, which does not hold for them.
                values[feature] -= self.gain(here + points, before);
            }
            for q in here..here + points {
                self.sums[q] += self.sums[q + points];
            }
        }
        self.factors[feature] = before;
    }

    fn gain(&self, from: usize, factor: Factor) -> f64 {
        let sums = &self.sums[from..from + self.quadrature.len()];
        let terms = sums.iter().zip(&self.quadrature.points).zip(&self.quadrature.weights);
        let integral: f64 = terms.map(|((sum, &point), weight)| weight * sum / factor.at(point)).sum();
        integral * (factor.fits - factor.share)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Rule;
    use super::*;
    use crate::random::Random;

    /// A tree of random splits on `features`, each of two to four bins, with random values and covers.
    fn random_tree(random: &mut Random, features: usize, depth: usize) -> Tree {
        let mut tree = Tree::default();
        let root = tree.leaf(random.unit(), 100.0 * (1.0 + random.unit()));
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
            let left = tree.leaf(random.unit(), part);
            let right = tree.leaf(random.unit(), tree.cover(at) - part);
            open.extend([(left, depth - 1), (right, depth - 1)]);
        }
        tree
    }

    /// The value of the tree when only the features of `known` are known.
    fn value(tree: &Tree, at: usize, row: &[u8], known: usize) -> f64 {
        let Some((feature, left)) = tree.inner(at) else { return tree.value(at) };
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
            let quadrature = Quadrature::new(depth.min(features).div_ceil(2));
            for _ in 0..20 {
                let tree = random_tree(&mut random, features, depth);
                let row: Vec<u8> = (0..features).map(|_| [0, 1, 2, 3, 255][random.below(5)]).collect();
                let mut found = vec![0.0; features];
                explain(&tree, &row, &quadrature, &mut found);
                for (found, expected) in found.iter().zip(shapley(&tree, &row)) {
                    assert!((found - expected).abs() < 1e-12, "{found} and {expected}, {features} features");
                }
            }
        }
    }

    #[test]
    fn the_rule_is_exact_for_polynomials_of_its_degree() {
        for count in [1, 2, 3, 8, 20, 64, 128] {
            let rule = Quadrature::new(count);
            for degree in [0, 1, count, 2 * count - 1] {
                let terms = rule.points.iter().zip(&rule.weights);
                let integral: f64 = terms.map(|(point, weight)| weight * point.powi(degree as i32)).sum();
                let expected = 1.0 / (degree as f64 + 1.0);
                assert!((integral - expected).abs() < 1e-12, "{count} points, degree {degree}: {integral}");
            }
        }
    }
}
