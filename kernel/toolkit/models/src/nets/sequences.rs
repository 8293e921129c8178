//! Features of rows, and a frame that says whose they are and when -> one sequence for each key.

use crate::check::check_categories;
use crate::{Error, Result};
use haetae_features::{FeatureMatrix, KeySet};
use polars::frame::DataFrame;

/// Rows in the order of time, key after key: the history of each importer, for example.
#[derive(Debug, Clone)]
pub struct Sequences {
    pub(super) features: FeatureMatrix,
    /// Rows, key after key in the order in which the frame first has them, each key's by `order`.
    pub(super) rows: Vec<usize>,
    /// First of each key among `rows`, and their number.
    pub(super) starts: Vec<usize>,
}

impl Sequences {
    /// Rows of `features`, to which those of `frame` belong one by one. Rows with the same values in `keys` are one
    /// sequence; `order` (a date, a number, a text such as `2024-03-31`) puts them in order, and rows of the same
    /// `order` keep that of the frame. Null is a key too.
    ///
    /// # Errors
    /// [`Error::Rows`] when the frame has another number of rows, [`Error::Missing`] for a row without `order`, and when
    /// a column is not there or of a type that has no order.
    pub fn new(features: &FeatureMatrix, frame: &DataFrame, keys: &[&str], order: &str) -> Result<Self> {
        if frame.height() != features.rows() {
            return Err(Error::Rows { what: "frame of keys", expected: features.rows(), found: frame.height() });
        }
        check_categories(features)?;
        let time = FeatureMatrix::from_frame(&frame.select([order])?)?;
        // Plus 0: there is one 0 only.
        let time: Vec<f64> = time.column(0).iter().map(|time| time + 0.0).collect();
        if let Some(row) = time.iter().position(|value| value.is_nan()) {
            return Err(Error::Missing { feature: order.to_owned(), row });
        }
        let known = KeySet::fit(frame, keys)?;
        let places = known.positions(frame)?;
        let mut rows: Vec<usize> = (0..features.rows()).collect();
        let place = |row: usize| places[row].unwrap_or(usize::MAX);
        rows.sort_by(|&a, &b| place(a).cmp(&place(b)).then(time[a].total_cmp(&time[b])).then(a.cmp(&b)));
        let mut starts: Vec<usize> =
            (0..rows.len()).filter(|&i| i == 0 || place(rows[i]) != place(rows[i - 1])).collect();
        starts.push(rows.len());
        Ok(Self { features: features.clone(), rows, starts })
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// True where there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows of the longest sequence.
    pub fn longest(&self) -> usize {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    /// The features of the rows, in the order of the frame.
    pub fn features(&self) -> &FeatureMatrix {
        &self.features
    }

    /// Rows of one sequence, in the order of time; empty for one that is not there.
    pub fn rows(&self, sequence: usize) -> &[usize] {
        let (from, to) = (self.starts.get(sequence), self.starts.get(sequence + 1));
        from.zip(to).and_then(|(&from, &to)| self.rows.get(from..to)).unwrap_or(&[])
    }
}
