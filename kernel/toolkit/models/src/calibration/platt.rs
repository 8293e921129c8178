//! Scores -> probabilities by a logistic curve.

use crate::file::{About, Described, stored};
use crate::metrics::{both_classes, labels, same_rows};
use crate::{Error, Result};

/// Probability `1 / (1 + exp(a * score + b))`, fitted on rows that the model has not seen; keeps the order of scores
/// (where `a` is below 0), and needs few rows.
///
/// Sources: Platt, *Probabilistic outputs for support vector machines*, 1999 (targets drawn in a little by the counts
/// of the classes); Lin, Lin and Weng, *A note on Platt's probabilistic outputs*, 2007 (the solver).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Platt {
    a: f64,
    b: f64,
}

/// Most Newton steps; ten are usual.
const STEPS: usize = 100;

impl Platt {
    /// Fits the curve.
    ///
    /// # Errors
    /// When lengths differ, a target is neither 0 nor 1 or all are equal, or a score is no finite number.
    pub fn fit(scores: &[f64], target: &[f64]) -> Result<Self> {
        check(scores, target)?;
        let positive: f64 = target.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let negative = target.len() as f64 - positive;
        let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
        let wanted: Vec<f64> = target.iter().map(|&target| if target == 1.0 { high } else { low }).collect();
        // Scores of any size are brought to 0 … 1 first, for the steps' sake.
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let size = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
        let size = if size > 0.0 { size } else { 1.0 };
        let scaled: Vec<f64> = scores.iter().map(|score| (score - least) / size).collect();
        let (a, b) = solve(&scaled, &wanted, ((negative + 1.0) / (positive + 1.0)).ln());
        Ok(Self { a: a / size, b: b - a * least / size })
    }

    /// Slope and intercept, `a` and `b`.
    pub fn coefficients(&self) -> (f64, f64) {
        (self.a, self.b)
    }

    /// The probability for each score; NaN for NaN.
    pub fn predict(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|score| probability(self.a * score + self.b)).collect()
    }
}

pub(super) fn check(scores: &[f64], target: &[f64]) -> Result<()> {
    same_rows(target, scores)?;
    labels(target)?;
    both_classes(target)?;
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(Error::NotANumber { what: "scores", row }),
        None => Ok(()),
    }
}

/// `1 / (1 + exp(x))`, without overflow.
fn probability(x: f64) -> f64 {
    if x >= 0.0 { (-x).exp() / (1.0 + (-x).exp()) } else { 1.0 / (1.0 + x.exp()) }
}

fn loss(scores: &[f64], wanted: &[f64], a: f64, b: f64) -> f64 {
    let terms = scores.iter().zip(wanted).map(|(score, wanted)| {
        let x = a * score + b;
        if x >= 0.0 { wanted * x + (-x).exp().ln_1p() } else { (wanted - 1.0) * x + x.exp().ln_1p() }
    });
    terms.sum()
}

fn solve(scores: &[f64], wanted: &[f64], first: f64) -> (f64, f64) {
    let (mut a, mut b) = (0.0, first);
    let mut value = loss(scores, wanted, a, b);
    for _ in 0..STEPS {
        // A little on the diagonal keeps the equations solvable where scores are all equal.
        let (mut aa, mut bb, mut ab, mut ga, mut gb) = (1e-12, 1e-12, 0.0, 0.0, 0.0);
        for (score, wanted) in scores.iter().zip(wanted) {
            let p = probability(a * score + b);
            let bend = p * (1.0 - p);
            aa += score * score * bend;
            bb += bend;
            ab += score * bend;
            ga += score * (wanted - p);
            gb += wanted - p;
        }
        if ga.abs() < 1e-9 && gb.abs() < 1e-9 {
            break;
        }
        let determinant = aa * bb - ab * ab;
        let (da, db) = (-(bb * ga - ab * gb) / determinant, -(aa * gb - ab * ga) / determinant);
        let slope = ga * da + gb * db;
        let mut step = 1.0;
        loop {
            let next = loss(scores, wanted, a + step * da, b + step * db);
            if next < value + 1e-4 * step * slope {
                (a, b, value) = (a + step * da, b + step * db, next);
                break;
            }
            step /= 2.0;
            if step < 1e-10 {
                return (a, b);
            }
        }
    }
    (a, b)
}

stored!(Platt { a, b });

impl Described for Platt {
    fn about(&self) -> About {
        About::of_bytes(Vec::new(), String::new())
    }

    fn is_sound(&self) -> bool {
        self.a.is_finite() && self.b.is_finite()
    }
}
