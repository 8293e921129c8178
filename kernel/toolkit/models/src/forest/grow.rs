//! Binned rows -> one tree.
//!
//! Sources: Breiman, *Random Forests*, Machine Learning 45, 2001; the order of categories: Wright and König, *Splitting
//! on categorical predictors in random forests*, PeerJ 7, 2019 (by their share of target 1, once a tree).

use super::bins::MISSING;
use super::order::places_along;
use super::sums::{Entry, Sums};
use super::tree::{BinSet, Rule, Tree};
use crate::random::Random;
use haetae_display::stop;

/// Rows of a node at which even one feature takes so long that the wish to stop is asked for between two.
const MANY: usize = 1 << 18;

/// What all trees of a forest share.
pub(super) struct Data<'a> {
    /// Bins of all rows, by feature.
    pub(super) bins: &'a [Vec<u8>],
    pub(super) categorical: &'a [bool],
    /// Weights of the rows; empty where they all weigh the same.
    pub(super) weights: &'a [f64],
    /// Weight of each class.
    pub(super) classes: &'a [f64],
    pub(super) features_per_split: usize,
    pub(super) min_rows_in_leaf: u64,
    pub(super) depth: usize,
}

/// A tree, and for each feature the weighted decrease of impurity by its splits.
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) decreases: Vec<f64>,
}

/// The best split so far.
#[derive(Clone, Copy)]
struct Best {
    feature: usize,
    /// Place in the feature's order up to which rows go left.
    place: u8,
    missing_left: bool,
    /// Impurity of both sides, weighted: less is better.
    impurity: f64,
}

struct Grower<'a, S> {
    data: &'a Data<'a>,
    histogram: Box<[S; 256]>,
    /// For a categorical feature, the place of each bin in the order of the shares of target 1, or of classes that differ
    /// most.
    places: Vec<Option<Box<[u8; 256]>>>,
    order: Vec<usize>,
    spare: Vec<Entry>,
    random: Random,
}

/// A node whose rows still have to be split.
struct Open<S> {
    at: usize,
    from: usize,
    to: usize,
    depth: usize,
    sums: S,
}

/// Grows a tree on the rows in its bag; `None` where the wish to stop came first.
pub(super) fn grow<S: Sums>(data: &Data<'_>, mut bag: Vec<Entry>, random: Random) -> Option<Grown> {
    let mut grower = Grower::<S> {
        data,
        histogram: Box::new([S::default(); 256]),
        places: Vec::new(),
        order: (0..data.bins.len()).collect(),
        spare: Vec::with_capacity(bag.len()),
        random,
    };
    let mut sums = S::default();
    bag.iter().for_each(|&entry| sums.add(S::of(entry, data.weights)));
    grower.places = (0..data.bins.len()).map(|feature| grower.places_of(feature, &bag, sums)).collect();
    grower.grow(&mut bag, sums)
}

impl<S: Sums> Grower<'_, S> {
    /// Weight of the rows of each class.
    fn weigh(&self, sums: S) -> impl Iterator<Item = f64> {
        self.data.classes.iter().enumerate().map(move |(class, weight)| sums.of_class(class) * weight)
    }

    #[inline(always)]
    fn impurity(&self, sums: S) -> f64 {
        sums.impurity(self.data.classes)
    }

    fn leaf(&self, tree: &mut Tree, sums: S) -> usize {
        let all: f64 = self.weigh(sums).sum();
        // Of two classes the share of the second says all.
        let first = usize::from(self.data.classes.len() == 2);
        tree.leaf(self.weigh(sums).skip(first).map(|weight| weight / all), all)
    }

    /// The order of a categorical feature's bins in the bag; see [`places_along`].
    fn places_of(&self, feature: usize, bag: &[Entry], total: S) -> Option<Box<[u8; 256]>> {
        if !self.data.categorical[feature] {
            return None;
        }
        let mut sums = [S::default(); 256];
        for &entry in bag {
            sums[usize::from(self.data.bins[feature][entry.row()])].add(S::of(entry, self.data.weights));
        }
        let weights = |sums: S| self.weigh(sums).collect::<Vec<f64>>();
        let bins: Vec<Vec<f64>> = sums[..usize::from(MISSING)].iter().map(|&sums| weights(sums)).collect();
        let along = places_along(&weights(total), &bins);
        let mut order: Vec<u8> = (0..MISSING).collect();
        order.sort_by(|&a, &b| along[usize::from(a)].total_cmp(&along[usize::from(b)]));
        let mut places = Box::new([MISSING; 256]);
        for (&bin, place) in order.iter().zip(0_u8..) {
            places[usize::from(bin)] = place;
        }
        Some(places)
    }

    fn grow(&mut self, bag: &mut [Entry], sums: S) -> Option<Grown> {
        let classes = self.data.classes.len();
        let mut tree = Tree::new(if classes == 2 { 1 } else { classes });
        let mut decreases = vec![0.0; self.data.bins.len()];
        let at = self.leaf(&mut tree, sums);
        let mut open = vec![Open { at, from: 0, to: bag.len(), depth: 0, sums }];
        let mut since = 0;
        while let Some(node) = open.pop() {
            since += node.to - node.from;
            if since > 1 << 16 {
                since = 0;
                if stop::requested() {
                    return None;
                }
            }
            let rows = &mut bag[node.from..node.to];
            let Some(best) = self.split_of(rows, &node) else {
                if rows.len() > MANY && stop::requested() {
                    return None;
                }
                continue;
            };
            decreases[best.feature] += self.impurity(node.sums) - best.impurity;
            let rule = self.rule(best);
            let (middle, left, right) = self.part(rows, best, &rule);
            tree.split(node.at, best.feature, rule, best.missing_left);
            let (at, depth, middle) = (self.leaf(&mut tree, left), node.depth + 1, node.from + middle);
            self.leaf(&mut tree, right);
            open.push(Open { at: at + 1, from: middle, to: node.to, depth, sums: right });
            open.push(Open { at, from: node.from, to: middle, depth, sums: left });
        }
        Some(Grown { tree, decreases })
    }

    /// Features are drawn until there were enough of them and one of them splits the rows.
    fn split_of(&mut self, rows: &[Entry], node: &Open<S>) -> Option<Best> {
        let present = (0..self.data.classes.len()).filter(|&class| node.sums.of_class(class) > 0.0);
        let pure = present.take(2).count() < 2;
        let rows_short = node.sums.rows() < 2 * self.data.min_rows_in_leaf;
        if pure || rows_short || node.depth >= self.data.depth {
            return None;
        }
        let mut best = None;
        for drawn in 0..self.order.len() {
            if drawn >= self.data.features_per_split && best.is_some() {
                break;
            }
            // What is not split then is no leaf: the tree is not kept.
            if rows.len() > MANY && stop::requested() {
                return None;
            }
            let other = drawn + self.random.below(self.order.len() - drawn);
            self.order.swap(drawn, other);
            self.search(self.order[drawn], rows, node.sums, &mut best);
        }
        best
    }

    fn search(&mut self, feature: usize, rows: &[Entry], total: S, best: &mut Option<Best>) {
        let bins = self.data.bins[feature].as_slice();
        let mut filled: BinSet = [0; 4];
        let histogram = &mut self.histogram;
        let weights = self.data.weights;
        let mut fill = |entry: Entry, place: u8| {
            histogram[usize::from(place)].add(S::of(entry, weights));
            filled[usize::from(place >> 6)] |= 1 << (place & 63);
        };
        match &self.places[feature] {
            None => rows.iter().for_each(|&entry| fill(entry, bins[entry.row()])),
            Some(places) => rows.iter().for_each(|&entry| fill(entry, places[usize::from(bins[entry.row()])])),
        }
        self.scan(feature, filled, total, best);
        for_each_bin(filled, |bin| self.histogram[usize::from(bin)] = S::default());
    }

    fn scan(&self, feature: usize, filled: BinSet, total: S, best: &mut Option<Best>) {
        let missing = self.histogram[usize::from(MISSING)];
        let any_missing = missing.rows() > 0;
        let by_order = self.places[feature].is_none();
        let mut left = S::default();
        let mut before: Option<u8> = None;
        let mut judge = |left: S, place: u8, missing_left: bool| {
            let right = total.minus(left);
            if left.rows() < self.data.min_rows_in_leaf || right.rows() < self.data.min_rows_in_leaf {
                return;
            }
            let impurity = self.impurity(left) + self.impurity(right);
            if best.is_none_or(|best| impurity < best.impurity) {
                *best = Some(Best { feature, place, missing_left, impurity });
            }
        };
        for_each_bin(filled, |bin| {
            if bin != MISSING {
                if let Some(last) = before {
                    // Halfway between two bins that have rows here, as between two values.
                    let place = if by_order { last + (bin - last) / 2 } else { last };
                    if any_missing {
                        let mut both = left;
                        both.add(missing);
                        judge(both, place, true);
                    }
                    let heavier = !any_missing && left.rows() * 2 >= total.rows();
                    judge(left, place, heavier);
                }
                left.add(self.histogram[usize::from(bin)]);
                before = Some(bin);
            }
        });
        if let (Some(last), true) = (before, any_missing) {
            judge(left, last, false);
        }
    }

    fn rule(&self, best: Best) -> Rule {
        let Some(places) = &self.places[best.feature] else { return Rule::UpTo(best.place) };
        let mut set: BinSet = [0; 4];
        for bin in (0..MISSING).filter(|&bin| places[usize::from(bin)] <= best.place) {
            set[usize::from(bin >> 6)] |= 1 << (bin & 63);
        }
        Rule::In(set)
    }

    /// Puts the rows that go left before the others, both in the order they had; how many they are, and both sums.
    fn part(&mut self, rows: &mut [Entry], best: Best, rule: &Rule) -> (usize, S, S) {
        let bins = self.data.bins[best.feature].as_slice();
        let (mut left, mut right) = (S::default(), S::default());
        let mut kept = 0;
        self.spare.clear();
        for i in 0..rows.len() {
            let entry = rows[i];
            let bin = bins[entry.row()];
            let goes_left = if bin == MISSING { best.missing_left } else { rule.holds(bin) };
            if goes_left {
                rows[kept] = entry;
                kept += 1;
                left.add(S::of(entry, self.data.weights));
            } else {
                self.spare.push(entry);
                right.add(S::of(entry, self.data.weights));
            }
        }
        rows[kept..].copy_from_slice(&self.spare);
        (kept, left, right)
    }
}

#[inline(always)]
fn for_each_bin(filled: BinSet, mut visit: impl FnMut(u8)) {
    for (word, first) in filled.into_iter().zip([0_u8, 64, 128, 192]) {
        let mut word = word;
        while word != 0 {
            #[expect(clippy::cast_possible_truncation, reason = "below 64")]
            visit(first + word.trailing_zeros() as u8);
            word &= word - 1;
        }
    }
}
