//! Groups of rows in an order -> where to cut them, so that the information value is greatest.

use super::{Base, Direction};
use crate::frame::count;

/// Rows that stay together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) rows: usize,
    pub(super) bad: f64,
}

/// What a cut has to keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) least_rows: usize,
    pub(super) most_bins: usize,
    /// Information value that each bin after the first has to bring.
    pub(super) gain: f64,
    pub(super) direction: Direction,
}

/// One stretch of units, from one place up to, not including, another.
#[derive(Clone, Copy)]
struct Stretch {
    rows: usize,
    woe: f64,
    value: f64,
}

/// The best way to cover the units before a place with some number of bins, of which the last begins at another.
#[derive(Clone, Copy)]
struct Way {
    value: f64,
    /// Where the bin before the last begins.
    before: usize,
}

const NONE: Way = Way { value: f64::NEG_INFINITY, before: usize::MAX };

/// The ends of the bins (the last is the number of units). Exact: of all ways to cut whose weights of evidence rise
/// (or fall) from bin to bin, that with the greatest information value less `gain` for each bin after the first; of equal
/// ones the one with fewer bins. One bin is always allowed.
pub(super) fn cut(units: &[Unit], base: &Base, limits: &Limits) -> Vec<usize> {
    let stretches = stretches(units, base);
    let mut best = (stretches.first().and_then(|row| row.last()).map_or(0.0, |all| all.value), vec![units.len()]);
    for rises in [true, false] {
        if limits.direction.allows(rises) {
            search(units.len(), &stretches, limits, rises, &mut best);
        }
    }
    best.1
}

/// `stretches[from][to - from - 1]`.
fn stretches(units: &[Unit], base: &Base) -> Vec<Vec<Stretch>> {
    let from = |from: usize| {
        let (mut rows, mut bad) = (0, 0.0);
        let grown = |unit: &Unit| {
            rows += unit.rows;
            bad += unit.bad;
            let woe = base.woe(bad, count(rows) - bad);
            Stretch { rows, woe, value: base.value(bad, count(rows) - bad, woe) }
        };
        units[from..].iter().map(grown).collect()
    };
    (0..units.len()).map(from).collect()
}

fn search(units: usize, stretches: &[Vec<Stretch>], limits: &Limits, rises: bool, best: &mut (f64, Vec<usize>)) {
    let stretch = |from: usize, to: usize| stretches[from][to - from - 1];
    let at = |from: usize, to: usize| from * (units + 1) + to;
    let mut first = vec![NONE; (units + 1) * (units + 1)];
    for to in 1..=units {
        if stretch(0, to).rows >= limits.least_rows {
            first[at(0, to)] = Way { value: stretch(0, to).value, before: 0 };
        }
    }
    let mut layers = vec![first];
    while layers.len() < limits.most_bins {
        let last = &layers[layers.len() - 1];
        let mut next = vec![NONE; (units + 1) * (units + 1)];
        for from in 1..units {
            for before in 0..from {
                let way = last[at(before, from)];
                if way.value == f64::NEG_INFINITY {
                    continue;
                }
                for to in from + 1..=units {
                    let own = stretch(from, to);
                    let step = own.woe - stretch(before, from).woe;
                    let fits = own.rows >= limits.least_rows && if rises { step > 0.0 } else { step < 0.0 };
                    if fits && way.value + own.value > next[at(from, to)].value {
                        next[at(from, to)] = Way { value: way.value + own.value, before };
                    }
                }
            }
        }
        layers.push(next);
        let bins = layers.len();
        let end = (1..units).map(|from| (from, layers[bins - 1][at(from, units)]));
        let Some((from, way)) = end.max_by(|a, b| a.1.value.total_cmp(&b.1.value)) else { return };
        let value = way.value - limits.gain * count(bins - 1);
        // A hair more than equal, so that rounding does not decide for more bins.
        if value > best.0 + 1e-12 {
            *best = (value, trace(&layers, from, units, &at));
        }
    }
}

fn trace(layers: &[Vec<Way>], mut from: usize, units: usize, at: &dyn Fn(usize, usize) -> usize) -> Vec<usize> {
    let mut ends = vec![units];
    let mut to = units;
    for layer in layers.iter().skip(1).rev() {
        let before = layer[at(from, to)].before;
        ends.push(from);
        (to, from) = (from, before);
    }
    ends.reverse();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use haetae_models::Random;

    /// Every way to cut, by counting through all sets of cuts.
    fn by_hand(units: &[Unit], base: &Base, limits: &Limits) -> f64 {
        let mut best = f64::NEG_INFINITY;
        for set in 0_u32..1 << (units.len() - 1) {
            let mut ends: Vec<usize> = (1..units.len()).filter(|cut| set >> (cut - 1) & 1 == 1).collect();
            ends.push(units.len());
            best = best.max(worth(units, base, limits, &ends));
        }
        best
    }

    fn worth(units: &[Unit], base: &Base, limits: &Limits, ends: &[usize]) -> f64 {
        let (mut from, mut value, mut woes) = (0, 0.0, Vec::new());
        for &to in ends {
            let rows: usize = units[from..to].iter().map(|unit| unit.rows).sum();
            let bad: f64 = units[from..to].iter().map(|unit| unit.bad).sum();
            if ends.len() > 1 && rows < limits.least_rows {
                return f64::NEG_INFINITY;
            }
            let woe = base.woe(bad, count(rows) - bad);
            value += base.value(bad, count(rows) - bad, woe);
            woes.push(woe);
            from = to;
        }
        let rises = woes.windows(2).all(|pair| pair[0] < pair[1]);
        let falls = woes.windows(2).all(|pair| pair[0] > pair[1]);
        let monotone = rises && limits.direction.allows(true) || falls && limits.direction.allows(false);
        let fits = ends.len() == 1 || monotone && ends.len() <= limits.most_bins;
        if fits { value - limits.gain * count(ends.len() - 1) } else { f64::NEG_INFINITY }
    }

    #[test]
    fn no_other_way_to_cut_is_better() {
        let mut random = Random::new(3);
        for round in 0..200 {
            let units: Vec<Unit> = (0..2 + random.below(8))
                .map(|_| {
                    let rows = 1 + random.below(30);
                    Unit { rows, bad: count(random.below(rows + 1)) }
                })
                .collect();
            let rows: usize = units.iter().map(|unit| unit.rows).sum();
            let bad: f64 = units.iter().map(|unit| unit.bad).sum();
            if bad == 0.0 || bad == count(rows) {
                continue;
            }
            let base = Base::new(bad, count(rows) - bad, [0.5, 1.0, 10.0][round % 3]);
            let direction = [Direction::Either, Direction::Rising, Direction::Falling][round / 3 % 3];
            let limits = Limits {
                least_rows: random.below(rows / 2 + 1),
                most_bins: 1 + random.below(6),
                gain: 0.01,
                direction,
            };
            let found = cut(&units, &base, &limits);
            let (found_worth, best) = (worth(&units, &base, &limits, &found), by_hand(&units, &base, &limits));
            assert!((found_worth - best).abs() < 1e-9, "round {round}: {found:?} is worth {found_worth}, not {best}");
        }
    }
}
