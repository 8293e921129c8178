//! A scored row -> the parts of its score in words, those that raise it most first.

use super::TaxpayerModel;
use super::model::Scored;
use crate::condition::holds;
use crate::error::refuse;
use crate::scorecard::at;
use crate::{Result, Unseen};
use haetae_features::rows;
use polars::frame::DataFrame;
use polars::prelude::Column;
use std::fmt;

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `base`, the attribute, `second model`, the factor, or `limit`.
    pub name: String,
    /// What the company is like, in words.
    pub words: String,
    /// Points of the score.
    pub points: i64,
    /// Points above what it is held against (the attribute's safest bin, or its average): what a reason counts.
    pub lost: i64,
}

/// All parts of one score; their points sum to it exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The score.
    pub score: i64,
    /// Its grade, `01` the riskiest.
    pub grade: String,
    /// `base` first, `limit` last where the sum was kept within bounds; those between with the most `lost` first.
    pub parts: Vec<Part>,
}

impl Explanation {
    /// A row for each part: `part`, `words`, `points`, `lost`.
    ///
    /// # Errors
    /// [`crate::Error::Frame`] when the frame library refuses.
    pub fn frame(&self) -> Result<DataFrame> {
        let text = |of: fn(&Part) -> &str| self.parts.iter().map(of).collect::<Vec<_>>();
        let columns = vec![
            Column::new("part".into(), text(|part| &part.name)),
            Column::new("words".into(), text(|part| &part.words)),
            Column::new("points".into(), self.parts.iter().map(|part| part.points).collect::<Vec<_>>()),
            Column::new("lost".into(), self.parts.iter().map(|part| part.lost).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(self.parts.len(), columns)?)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "score {}, grade {}", self.score, self.grade)?;
        for part in &self.parts {
            writeln!(f, "{:>+6}  {}: {}", part.points, part.name, part.words)?;
        }
        Ok(())
    }
}

impl TaxpayerModel {
    /// All parts of the score of one row.
    ///
    /// # Errors
    /// As [`TaxpayerModel::score`]; when there is no such row.
    pub fn explain(&self, frame: &DataFrame, row: usize) -> Result<Explanation> {
        self.with_second(None)?;
        self.explain_row(frame, row, None)
    }

    /// As [`TaxpayerModel::explain`], with the second model's probability of the row.
    ///
    /// # Errors
    /// As [`TaxpayerModel::score_blended`]; when there is no such row.
    pub fn explain_blended(&self, frame: &DataFrame, row: usize, second: f64) -> Result<Explanation> {
        self.with_second(Some(&[second]))?;
        self.explain_row(frame, row, Some(second))
    }

    fn explain_row(&self, frame: &DataFrame, row: usize, second: Option<f64>) -> Result<Explanation> {
        let one = self.one_row(frame, row)?;
        let scored = self.scored(&one, second.as_ref().map(std::slice::from_ref))?;
        let score = scored.score.first().copied().unwrap_or(0);
        let mut parts = self.parts(&one, &scored)?.into_iter().next().unwrap_or_default();
        if let Some(part) = parts.iter_mut().find(|part| part.name == SECOND) {
            part.words = format!("its probability is {:.1} %", 100.0 * second.unwrap_or(0.0));
        }
        let base = self.card.base();
        let words = "what every company begins with".to_owned();
        parts.insert(0, Part { name: "base".to_owned(), words, points: base, lost: 0 });
        let limit = score - parts.iter().map(|part| part.points).sum::<i64>();
        if limit != 0 {
            let words = "the score is kept within 0 and 1000".to_owned();
            parts.push(Part { name: "limit".to_owned(), words, points: limit, lost: 0 });
        }
        Ok(Explanation { score, grade: super::grade::written(self.grade(score)), parts })
    }

    pub(super) fn one_row(&self, frame: &DataFrame, row: usize) -> Result<DataFrame> {
        if row >= frame.height() {
            return refuse("row", format!("one of the frame's {} rows, counted from 0", frame.height()), row);
        }
        Ok(rows(frame, &[row])?)
    }

    /// For every row the texts of its reasons, most points first, and none that costs nothing.
    pub(super) fn reason_texts(&self, frame: &DataFrame, scored: &Scored) -> Result<Vec<Vec<String>>> {
        let text = |part: Part| match part.words.is_empty() {
            true => format!("{} ({:+})", part.name, part.lost),
            false => format!("{}: {} ({:+})", part.name, part.words, part.lost),
        };
        let of_row = |parts: Vec<Part>| {
            let costly = parts.into_iter().filter(|part| part.lost > 0);
            costly.take(self.params.reasons).map(text).collect()
        };
        Ok(self.parts(frame, scored)?.into_iter().map(of_row).collect())
    }

    /// Attributes, second model and factors of every row, most points lost first, then in their order.
    fn parts(&self, frame: &DataFrame, scored: &Scored) -> Result<Vec<Vec<Part>>> {
        let attributes = self.card.bins().attributes();
        let places = self.card.places(frame)?;
        let references: Vec<i64> = (0..attributes.len()).map(|i| self.card.reference(i, self.params.against)).collect();
        let held = self.params.factors.iter().map(|factor| holds(&factor.name, &factor.condition, frame));
        let held = held.collect::<Result<Vec<_>>>()?;
        let of_row = |row: usize| {
            let mut parts = Vec::with_capacity(attributes.len() + 1);
            for (i, attribute) in attributes.iter().enumerate() {
                let bin = places[i][row].and_then(|place| attribute.bins().get(place));
                let words = bin.map_or("a value that was not seen", |bin| bin.label.as_str()).to_owned();
                let points = at(self.card.points_of(i), places[i][row]);
                parts.push(Part { name: attribute.name().to_owned(), words, points, lost: points - references[i] });
            }
            if self.weights().1 > 0.0 {
                let points = scored.second[row];
                parts.push(Part { name: SECOND.to_owned(), words: String::new(), points, lost: points });
            }
            for (factor, held) in self.params.factors.iter().zip(&held) {
                if held[row] {
                    let words =
                        if factor.owner.is_empty() { String::new() } else { format!("set by {}", factor.owner) };
                    parts.push(Part { name: factor.name.clone(), words, points: factor.points, lost: factor.points });
                }
            }
            parts.sort_by_key(|part| std::cmp::Reverse(part.lost));
            parts
        };
        Ok((0..frame.height()).map(of_row).collect())
    }

    /// What it does with values that no training row had.
    pub fn unseen(&self) -> Unseen {
        self.params.unseen
    }
}

const SECOND: &str = "second model";
