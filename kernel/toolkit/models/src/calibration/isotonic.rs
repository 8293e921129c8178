//! Scores -> probabilities by the best curve that never falls.

use super::platt::check;
use crate::Result;
use crate::file::{About, Described, stored};

/// The non-falling steps that are nearest to the targets, joined by straight lines; needs more rows than
/// [`super::Platt`], and makes no assumption about the form. Outside the fitted scores the ends hold.
///
/// Source: Ayer et al., *An empirical distribution function for sampling with incomplete information*, 1955 (pooling
/// of neighbours that fall); Zadrozny and Elkan, 2002 (its use).
#[derive(Clone, PartialEq)]
pub struct Isotonic {
    scores: Vec<f64>,
    values: Vec<f64>,
}

impl std::fmt::Debug for Isotonic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "isotonic curve of {} corners", self.scores.len())
    }
}

/// Rows with neighbouring scores that share a value.
struct Pool {
    from: f64,
    to: f64,
    sum: f64,
    rows: f64,
}

impl Isotonic {
    /// Fits the curve.
    ///
    /// # Errors
    /// As [`super::Platt::fit`].
    pub fn fit(scores: &[f64], target: &[f64]) -> Result<Self> {
        check(scores, target)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let mut pools: Vec<Pool> = Vec::new();
        for row in order {
            let (score, target) = (scores[row], target[row]);
            match pools.last_mut() {
                Some(last) if last.to == score && last.from == score => {
                    last.sum += target;
                    last.rows += 1.0;
                }
                _ => pools.push(Pool { from: score, to: score, sum: target, rows: 1.0 }),
            }
        }
        let mut kept: Vec<Pool> = Vec::new();
        for mut pool in pools {
            while let Some(last) = kept.pop() {
                if last.sum * pool.rows < pool.sum * last.rows {
                    kept.push(last);
                    break;
                }
                pool = Pool { from: last.from, to: pool.to, sum: last.sum + pool.sum, rows: last.rows + pool.rows };
            }
            kept.push(pool);
        }
        let (mut ends, mut values) = (Vec::new(), Vec::new());
        for pool in kept {
            ends.push(pool.from);
            values.push(pool.sum / pool.rows);
            if pool.to > pool.from {
                ends.push(pool.to);
                values.push(pool.sum / pool.rows);
            }
        }
        Ok(Self { scores: ends, values })
    }

    /// Corners of the curve: scores and probabilities.
    pub fn corners(&self) -> (&[f64], &[f64]) {
        (&self.scores, &self.values)
    }

    /// The probability for each score; NaN for NaN.
    pub fn predict(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|&score| self.at(score)).collect()
    }

    fn at(&self, score: f64) -> f64 {
        if score.is_nan() {
            return f64::NAN;
        }
        let right = self.scores.partition_point(|known| *known < score);
        let value = |at: usize| self.values.get(at).copied().unwrap_or(f64::NAN);
        if right == 0 {
            return value(0);
        }
        if right == self.scores.len() {
            return value(right - 1);
        }
        let (from, to) = (self.scores[right - 1], self.scores[right]);
        value(right - 1) + (value(right) - value(right - 1)) * ((score - from) / (to - from))
    }
}

stored!(Isotonic { scores, values });

impl Described for Isotonic {
    fn about(&self) -> About {
        About::of_bytes(Vec::new(), String::new())
    }

    fn is_sound(&self) -> bool {
        let rising = self.scores.windows(2).all(|pair| pair[0] < pair[1]) && self.scores.iter().all(|s| s.is_finite());
        let chances = self.values.is_sorted() && self.values.iter().all(|value| (0.0..=1.0).contains(value));
        !self.scores.is_empty() && self.scores.len() == self.values.len() && rising && chances
    }
}
