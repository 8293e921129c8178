//! Columns and a target -> bins with the weight of evidence and the information value of each.

mod bins;
mod category;
mod number;
mod optimal;
mod params;
mod table;

pub use bins::{Attribute, Bin, Bins, Unseen};
pub use params::{Binning, Direction};

use crate::frame::count;

/// All rows together, against which a bin is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Base {
    bad: f64,
    good: f64,
    smoothing: f64,
}

impl Base {
    pub(crate) fn new(bad: f64, good: f64, smoothing: f64) -> Self {
        Self { bad, good, smoothing }
    }

    fn rate(&self) -> f64 {
        self.bad / (self.bad + self.good)
    }

    /// Weight of evidence: log-odds of being bad, less those of all rows. 0 says nothing, above 0 is riskier.
    fn woe(&self, bad: f64, good: f64) -> f64 {
        let (rate, extra) = (self.rate(), self.smoothing);
        ((bad + extra * rate) / (good + extra * (1.0 - rate))).ln() - (self.bad / self.good).ln()
    }

    /// What a bin adds to the information value.
    fn value(&self, bad: f64, good: f64, woe: f64) -> f64 {
        (bad / self.bad - good / self.good) * woe
    }
}

/// What is counted while bins are made: rows, and bad ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    rows: usize,
    bad: f64,
}

impl Tally {
    fn add(&mut self, bad: f64) {
        self.rows += 1;
        self.bad += bad;
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bad += other.bad;
    }

    fn bin(self, label: String, base: &Base) -> Bin {
        let woe = base.woe(self.bad, count(self.rows) - self.bad);
        Bin {
            label,
            rows: self.rows,
            bad: self.bad,
            woe,
            value: base.value(self.bad, count(self.rows) - self.bad, woe),
        }
    }
}
