//! Which terms count, checked before any text is read; and the terms of training rows.

use super::model::TfidfModel;
use super::words::{terms, texts};
use crate::file::Origin;
use crate::range::Ranges;
use crate::{Error, Result};
use haetae_display::{stop, work};
use polars::frame::DataFrame;
use rayon::prelude::*;
use std::collections::BTreeMap;

const MODEL: &str = "TF-IDF";
/// Rows of a task.
pub(super) const TASK: usize = 1024;

/// Texts as sparse rows: a column for each term, with how often it is there times how rare it is among the rows of the fit,
/// brought to length 1. How rare a term is, is kept: a text has the same row alone as among others.
///
/// A term is a word of two letters, digits or `_` at least, in small letters, or a run of [`TfidfParams::words`] of them. Of
/// `n` rows of which `m` have it, its rarity is `ln((1 + n) / (1 + m)) + 1`, as in scikit-learn's `TfidfVectorizer`.
///
/// Source: Spärck Jones, *A statistical interpretation of term specificity and its application in retrieval*, 1972.
///
/// ```
/// use haetae_models::{Logistic, Tfidf};
/// use polars::prelude::*;
///
/// let goods = df!("goods" => ["steel pipe", "steel bolt", "red wine", "white wine"])?;
/// let model = Tfidf::params().min_rows(1).fit(&goods, "goods")?;
/// let drinks = Logistic::params().c(10.0).fit_sparse(&model.transform(&goods)?, &[0.0, 0.0, 1.0, 1.0])?;
/// let later = df!("goods" => ["wine, sparkling", "a pipe of steel"])?;
/// let scores = drinks.predict_sparse(&model.transform(&later)?)?;
/// assert!(scores[0] > 0.5 && scores[1] < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Tfidf;

impl Tfidf {
    /// The parameters to start from.
    pub fn params() -> TfidfParams {
        TfidfParams::default()
    }
}

/// Parameters of [`Tfidf`]; each method sets one.
#[derive(Debug, Clone, PartialEq)]
pub struct TfidfParams {
    words: usize,
    min_rows: usize,
    terms: usize,
    logarithmic: bool,
}

impl Default for TfidfParams {
    fn default() -> Self {
        Self { words: 1, min_rows: 2, terms: 1 << 18, logarithmic: false }
    }
}

impl TfidfParams {
    /// Words in a row that may be one term, 1 to 5; 1 unless said. With 2, `red wine` is a term beside `red` and `wine`.
    #[must_use]
    pub fn words(mut self, words: usize) -> Self {
        self.words = words;
        self
    }

    /// Fewest rows of the fit that have a term which counts; 2 unless said.
    #[must_use]
    pub fn min_rows(mut self, rows: usize) -> Self {
        self.min_rows = rows;
        self
    }

    /// Most terms: of more, those that most rows have, of equal ones the first in the alphabet. 262144 unless said.
    #[must_use]
    pub fn terms(mut self, terms: usize) -> Self {
        self.terms = terms;
        self
    }

    /// Whether a term that is there `k` times counts `1 + ln(k)` instead of `k`; false unless said.
    #[must_use]
    pub fn logarithmic(mut self, yes: bool) -> Self {
        self.logarithmic = yes;
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is out of its range.
    pub fn check(&self) -> Result<CheckedTfidf> {
        let ranges = Ranges(MODEL);
        ranges.whole("words", self.words, 1..=5)?;
        ranges.whole("min_rows", self.min_rows, 1..=usize::MAX)?;
        ranges.whole("terms", self.terms, 1..=1 << 31)?;
        Ok(CheckedTfidf { params: self.clone() })
    }

    /// Checks the parameters and fits; see [`CheckedTfidf::fit`].
    ///
    /// # Errors
    /// As [`TfidfParams::check`] and [`CheckedTfidf::fit`].
    pub fn fit(&self, frame: &DataFrame, column: &str) -> Result<TfidfModel> {
        self.check()?.fit(frame, column)
    }
}

/// Parameters that are known to be in their ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedTfidf {
    params: TfidfParams,
}

impl CheckedTfidf {
    /// Learns from a column of texts which terms there are and how rare each is. A missing text has no terms.
    ///
    /// # Errors
    /// When the column is missing or holds no texts, there are no rows, no term is in as many rows as `min_rows`, or the
    /// notebook's stop button was pressed.
    pub fn fit(&self, frame: &DataFrame, column: &str) -> Result<TfidfModel> {
        let p = &self.params;
        let texts = texts(frame, column)?;
        if texts.is_empty() {
            return Err(Error::Empty { what: "training rows", rows: 0, columns: 1 });
        }
        let mut known: Vec<(String, u64)> = self.counts(&texts)?.into_iter().collect();
        known.retain(|(_, count)| usize::try_from(*count).is_ok_and(|count| count >= p.min_rows));
        if known.is_empty() {
            let what = "terms that as many rows as `min_rows` have";
            return Err(Error::TooFewRows { model: MODEL, what, expected: 1, found: 0 });
        }
        if known.len() > p.terms {
            // Stable: of equal ones the first stay.
            known.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            known.truncate(p.terms);
            known.sort();
        }
        #[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
        let rarity = |count: u64| ((1.0 + texts.len() as f64) / (1.0 + count as f64)).ln() + 1.0;
        let (terms, rarities) = known.into_iter().map(|(term, count)| (term, rarity(count))).unzip();
        let (column, origin) = (column.to_owned(), Origin::of(p));
        Ok(TfidfModel { column, words: p.words, logarithmic: p.logarithmic, terms, rarities, origin })
    }

    /// How many rows have each term.
    fn counts(&self, texts: &[Option<&str>]) -> Result<BTreeMap<String, u64>> {
        work::say("texts", 0, texts.len());
        let of_task = |texts: &[Option<&str>]| {
            if stop::requested() {
                return None;
            }
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for (term, _) in texts.iter().flatten().flat_map(|text| terms(text, self.params.words)) {
                *counts.entry(term).or_default() += 1;
            }
            Some(counts)
        };
        let joined = |a: BTreeMap<String, u64>, b: BTreeMap<String, u64>| {
            let (mut large, small) = if a.len() >= b.len() { (a, b) } else { (b, a) };
            small.into_iter().for_each(|(term, count)| *large.entry(term).or_default() += count);
            Some(large)
        };
        let counts = texts.par_chunks(TASK).map(of_task).try_reduce(BTreeMap::new, joined);
        counts.ok_or(Error::Cancelled { what: "texts", done: 0, of: texts.len() })
    }
}
