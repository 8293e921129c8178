//! Fitted points: rows in, scores and what they are made of out.

use super::{Scale, Weights};
use crate::frame::{count, nearest};
use crate::{Bins, Result, Unseen};
use polars::frame::DataFrame;
use polars::prelude::Column;

/// A fitted scorecard. All points are whole numbers: the score is their sum, and anybody can add it up by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorecardModel {
    weights: Weights,
    scale: Scale,
    base: i64,
    /// For each attribute, the points of each bin.
    points: Vec<Vec<i64>>,
    unseen: Unseen,
}

impl ScorecardModel {
    /// `(slope, constant)`: the log-odds that are scaled are `slope * own + constant`.
    pub(crate) fn new(weights: Weights, scale: Scale, (slope, constant): (f64, f64)) -> Self {
        let factor = scale.factor();
        let of_bins = |(attribute, weight): (&crate::Attribute, &f64)| {
            attribute.bins().iter().map(|bin| nearest(factor * slope * weight * bin.woe)).collect()
        };
        let points = weights.bins.attributes().iter().zip(&weights.weights).map(of_bins).collect();
        let log_odds = slope * weights.intercept + constant - scale.base_odds.ln();
        let base = nearest(scale.base_score + factor * log_odds);
        Self { weights, scale, base, points, unseen: Unseen::Refuse }
    }

    /// What to do with values that no training row had; refuse them unless said.
    #[must_use]
    pub fn unseen(mut self, unseen: Unseen) -> Self {
        self.unseen = unseen;
        self
    }

    /// Points that every row begins with.
    pub fn base(&self) -> i64 {
        self.base
    }

    /// The bins of the attributes that count.
    pub fn bins(&self) -> &Bins {
        &self.weights.bins
    }

    /// Attributes that were left out, and why.
    pub fn left_out(&self) -> &[(String, String)] {
        &self.weights.left_out
    }

    /// Points of each bin of the attribute at a place.
    pub(crate) fn points_of(&self, attribute: usize) -> &[i64] {
        self.points.get(attribute).map_or(&[], Vec::as_slice)
    }

    /// The scorecard itself, a row for each bin: `attribute`, `bin`, `rows`, `bad_rate`, `woe`, `points`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn table(&self) -> Result<DataFrame> {
        let mut table = self.weights.bins.table()?.select(["attribute", "bin", "rows", "bad_rate", "woe"])?;
        let points: Vec<i64> = self.points.iter().flatten().copied().collect();
        table.with_column(Column::new("points".into(), points))?;
        Ok(table)
    }

    /// The bin of every row, attribute after attribute.
    pub(crate) fn places(&self, frame: &DataFrame) -> Result<Vec<Vec<Option<usize>>>> {
        self.weights.bins.attributes().iter().map(|attribute| attribute.places(frame, self.unseen)).collect()
    }

    /// The points of every row: `base`, then a column for each attribute. They sum to the score.
    ///
    /// # Errors
    /// When a column is missing or has changed its type, a number is NaN, or a value was not seen and is refused.
    pub fn points(&self, frame: &DataFrame) -> Result<DataFrame> {
        let mut columns = vec![Column::new("base".into(), vec![self.base; frame.height()])];
        for ((attribute, points), places) in
            self.weights.bins.attributes().iter().zip(&self.points).zip(self.places(frame)?)
        {
            let of_rows: Vec<i64> = places.into_iter().map(|place| at(points, place)).collect();
            columns.push(Column::new(attribute.name().into(), of_rows));
        }
        Ok(DataFrame::new(frame.height(), columns)?)
    }

    /// The score of every row: the sum of its points. Higher is riskier.
    ///
    /// # Errors
    /// As [`ScorecardModel::points`].
    pub fn score(&self, frame: &DataFrame) -> Result<Vec<i64>> {
        let places = self.places(frame)?;
        let score =
            |row: usize| self.base + (0..places.len()).map(|i| at(&self.points[i], places[i][row])).sum::<i64>();
        Ok((0..frame.height()).map(score).collect())
    }

    /// Probability of being bad that a score stands for, by the scale.
    pub fn probability(&self, score: i64) -> f64 {
        let log_odds = (size(score) - self.scale.base_score) / self.scale.factor() + self.scale.base_odds.ln();
        1.0 / (1.0 + (-log_odds).exp())
    }

    /// Points of the attribute at a place that reasons are held against.
    pub(crate) fn reference(&self, attribute: usize, against: Against) -> i64 {
        let points = self.points_of(attribute);
        let bins = self.weights.bins.attributes().get(attribute).map_or(&[][..], |one| one.bins());
        match against {
            Against::Best => points.iter().copied().min().unwrap_or(0),
            Against::Average => {
                let rows: f64 = bins.iter().map(|bin| count(bin.rows)).sum();
                let sum: f64 = bins.iter().zip(points).map(|(bin, &points)| count(bin.rows) * size(points)).sum();
                nearest(sum / rows)
            }
        }
    }
}

/// What the points of a reason are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The attribute's safest bin.
    Best,
    /// The mean of the training rows.
    Average,
}

pub(crate) fn at(points: &[i64], place: Option<usize>) -> i64 {
    place.and_then(|place| points.get(place)).copied().unwrap_or(0)
}

/// Points as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "points are far below 2^53")]
pub(crate) fn size(points: i64) -> f64 {
    points as f64
}
