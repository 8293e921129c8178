//! What trees say of training rows that they have not seen -> how good the forest is on rows of its kind.

use crate::file::{In, Stored, Taken};
use crate::{Result, metrics};

/// Scores of training rows by the trees in whose bag they were not.
///
/// Its figures weigh rows as the fit did: by the weights of the rows, and those of weight 0 not at all. Weights of classes
/// do not count: they say what a mistake costs, not how many rows there are. (scikit-learn's `oob_score_` counts each row
/// once, whatever it weighs.)
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfBag {
    scores: Vec<f64>,
    target: Vec<f64>,
    /// Of the rows; none where the fit had none.
    weights: Vec<f64>,
}

impl OutOfBag {
    pub(super) fn new(scores: Vec<f64>, target: &[f64], weights: &[f64]) -> Self {
        Self { scores, target: target.to_vec(), weights: weights.to_vec() }
    }

    /// Score of each training row, or of each of its classes; NaN for one that was in every bag.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Scores of a row: 1, or as many as there are classes.
    fn width(&self) -> usize {
        self.scores.len() / self.target.len().max(1)
    }

    /// Rows that have a score, whatever they weigh.
    pub fn rows(&self) -> usize {
        let scored = |scores: &&[f64]| !scores.iter().any(|score| score.is_nan());
        self.scores.chunks_exact(self.width().max(1)).filter(scored).count()
    }

    /// AUC of the scores of two classes, each pair of rows weighed by both weights.
    ///
    /// # Errors
    /// As [`metrics::auc`]: too few trees may leave one class only.
    pub fn auc(&self) -> Result<f64> {
        let scored: Vec<(f64, &[f64], f64)> = self.scored().collect();
        let target: Vec<f64> = scored.iter().map(|row| row.0).collect();
        let scores: Vec<f64> = scored.iter().map(|row| row.1.first().copied().unwrap_or(f64::NAN)).collect();
        if self.weights.is_empty() {
            return metrics::auc(&target, &scores);
        }
        let weights: Vec<f64> = scored.iter().map(|row| row.2).collect();
        metrics::weighted_auc(&target, &scores, &weights)
    }

    /// Share of rows whose likeliest class is their target, by what they weigh; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most 32 classes")]
        let class = |scores: &[f64]| match scores {
            [one] => f64::from(*one > 0.5),
            all => (0..all.len()).max_by(|&a, &b| all[a].total_cmp(&all[b]).then(b.cmp(&a))).unwrap_or(0) as f64,
        };
        let (mut right, mut all) = (0.0, 0.0);
        for (target, scores, weight) in self.scored() {
            all += weight;
            right += if class(scores) == target { weight } else { 0.0 };
        }
        right / all
    }

    /// Target, scores and weight of each row that has a score and weighs something.
    fn scored(&self) -> impl Iterator<Item = (f64, &[f64], f64)> {
        let rows = self.target.iter().zip(self.scores.chunks_exact(self.width().max(1))).enumerate();
        let weight = |row: usize| self.weights.get(row).copied().unwrap_or(1.0);
        let rows = rows.map(move |(row, (&target, scores))| (target, scores, weight(row)));
        rows.filter(|(_, scores, weight)| *weight > 0.0 && !scores.iter().any(|score| score.is_nan()))
    }

    /// Whether there are as many scores for each row as a forest of so many gives, and a weight for each or for none.
    pub(super) fn is_sound(&self, width: usize) -> bool {
        let rows = self.target.len();
        let weights = self.weights.is_empty() || self.weights.len() == rows;
        weights && rows.checked_mul(width) == Some(self.scores.len())
    }
}

/// What a forest keeps of this, and how its file has it: as ever where the fit had no weights.
#[derive(Debug, Clone)]
pub(super) struct Bag(pub(super) Option<OutOfBag>);

impl Stored for Bag {
    fn put(&self, out: &mut Vec<u8>) {
        let Some(OutOfBag { scores, target, weights }) = &self.0 else { return out.push(0) };
        out.push(if weights.is_empty() { 1 } else { 2 });
        scores.put(out);
        target.put(out);
        if !weights.is_empty() {
            weights.put(out);
        }
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let case = u8::take(input)?;
        if case == 0 {
            return Ok(Self(None));
        }
        let (scores, target) = (Stored::take(input)?, Stored::take(input)?);
        let weights = match case {
            1 => Vec::new(),
            2 => Stored::take(input)?,
            other => return Err(format!("case {other} is not known")),
        };
        Ok(Self(Some(OutOfBag { scores, target, weights })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_is_the_same_after_its_bytes_and_has_weights_only_where_there_are_some() {
        for (weights, length) in [(vec![], 1 + 8 + 32 + 8 + 16), (vec![0.5, 2.0], 1 + 8 + 32 + 8 + 16 + 8 + 16)] {
            let bag = OutOfBag::new(vec![0.1, 0.9, f64::INFINITY, 0.4], &[1.0, 0.0], &weights);
            assert!(bag.is_sound(2) && !bag.is_sound(1));
            let mut bytes = Vec::new();
            Bag(Some(bag.clone())).put(&mut bytes);
            assert_eq!(bytes.len(), length);
            assert_eq!(Bag::take(&mut In(&bytes)).unwrap().0, Some(bag.clone()));
            if weights.is_empty() {
                // As files had it before there were weights.
                let mut plain = Vec::new();
                Some((bag.scores, bag.target)).put(&mut plain);
                assert_eq!(bytes, plain);
            }
            bytes[0] = 3;
            assert_eq!(Bag::take(&mut In(&bytes)).unwrap_err(), "case 3 is not known");
        }
        assert!(!OutOfBag::new(vec![0.1, 0.9], &[1.0, 0.0], &[1.0]).is_sound(1));
        let mut bytes = Vec::new();
        Bag(None).put(&mut bytes);
        assert!(bytes == [0] && Bag::take(&mut In(&bytes)).unwrap().0.is_none());
    }
}
