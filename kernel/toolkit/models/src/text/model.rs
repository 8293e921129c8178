//! Terms that have been learnt: texts, old and new, as sparse rows.

use super::params::TASK;
use super::words::{terms, texts};
use crate::file::{About, Described, Origin, stored};
use crate::{Error, Result, SparseMatrix};
use haetae_display::stop;
use polars::frame::DataFrame;
use rayon::prelude::*;

/// Terms and how rare they are; see [`super::Tfidf`].
#[derive(Clone)]
pub struct TfidfModel {
    pub(super) column: String,
    pub(super) words: usize,
    pub(super) logarithmic: bool,
    /// In rising order.
    pub(super) terms: Vec<String>,
    pub(super) rarities: Vec<f64>,
    pub(super) origin: Origin,
}

impl std::fmt::Debug for TfidfModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TF-IDF, {} terms of the column `{}`", self.terms.len(), self.column)
    }
}

impl TfidfModel {
    /// The column that holds the texts.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The terms, in rising order: what each column of the rows stands for.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// How rare each term is, without a unit: 1 for one that every row has.
    pub fn rarities(&self) -> &[f64] {
        &self.rarities
    }

    /// A row for each text of the column, of length 1; without numbers where a text is missing or has no term that is known.
    ///
    /// # Errors
    /// When the column is missing or holds no texts, or the notebook's stop button was pressed.
    pub fn transform(&self, frame: &DataFrame) -> Result<SparseMatrix> {
        let texts = texts(frame, &self.column)?;
        let of_task = |texts: &[Option<&str>]| {
            (!stop::requested()).then(|| texts.iter().map(|text| self.row(text.unwrap_or(""))).collect::<Vec<_>>())
        };
        let parts: Option<Vec<_>> = texts.par_chunks(TASK).map(of_task).collect();
        let parts = parts.ok_or(Error::Cancelled { what: "texts", done: 0, of: texts.len() })?;
        let (mut starts, mut positions, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in parts.into_iter().flatten() {
            for (position, value) in row {
                positions.push(position);
                values.push(value);
            }
            starts.push(values.len());
        }
        SparseMatrix::new(self.terms.len(), starts, positions, values)
    }

    fn row(&self, text: &str) -> Vec<(u32, f64)> {
        let value = |(term, count): (String, u32)| {
            let at = self.terms.binary_search(&term).ok()?;
            let count = f64::from(count);
            let often = if self.logarithmic { 1.0 + count.ln() } else { count };
            Some((u32::try_from(at).ok()?, often * self.rarities[at]))
        };
        let mut row: Vec<(u32, f64)> = terms(text, self.words).into_iter().filter_map(value).collect();
        let length = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value /= length);
        row
    }
}

stored!(TfidfModel { column, words, logarithmic, terms, rarities, origin });

impl Described for TfidfModel {
    fn about(&self) -> About {
        About::new(std::slice::from_ref(&self.column), &|_| true, &self.origin)
    }

    fn is_sound(&self) -> bool {
        let rising = self.terms.windows(2).all(|pair| pair[0] < pair[1]);
        // 1 at least, as they are made; of a size that squares survive.
        let sizes = self.rarities.iter().all(|rarity| (1.0..1e3).contains(rarity));
        (1..=5).contains(&self.words) && rising && sizes && self.terms.len() == self.rarities.len()
    }
}
