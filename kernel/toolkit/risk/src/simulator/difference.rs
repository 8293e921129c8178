//! Two figures of each of several seeds -> their mean difference with an interval.

use crate::error::refuse;
use crate::frame::count;
use crate::{Error, Result};
use std::fmt;

/// 97.5 % quantiles of Student's t for 1, 2, … 30 degrees of freedom; source: NIST, *Engineering Statistics Handbook*,
/// section 1.3.6.7.2.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// A mean difference with its 95 % interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Mean of the differences.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The differences.
    pub of_pairs: Vec<f64>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.4} ({:+.4} to {:+.4}, {} pairs)", self.mean, self.low, self.high, self.of_pairs.len())
    }
}

/// Mean of `a - b` over pairs (of one seed each), with the 95 % interval by Student's t.
///
/// # Errors
/// When the lists differ in length, hold fewer than 2 or more than 31 values, or a value is not finite.
pub fn paired_difference(a: &[f64], b: &[f64]) -> Result<Difference> {
    if a.len() != b.len() {
        return Err(Error::Length { what: "second list", expected: a.len(), found: b.len() });
    }
    let Some(&student) = a.len().checked_sub(2).and_then(|place| STUDENT.get(place)) else {
        return refuse("paired difference", "2 to 31 pairs", a.len());
    };
    let of_pairs: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    if let Some(value) = of_pairs.iter().find(|value| !value.is_finite()) {
        return refuse("paired difference", "finite numbers", value);
    }
    let mean = of_pairs.iter().sum::<f64>() / count(of_pairs.len());
    let squares: f64 = of_pairs.iter().map(|one| (one - mean).powi(2)).sum();
    let half = student * (squares / count(of_pairs.len() - 1) / count(of_pairs.len())).sqrt();
    Ok(Difference { mean, low: mean - half, high: mean + half, of_pairs })
}
