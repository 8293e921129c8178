//! What goes in: some tens of thousands of rows of one file. What comes out: the same rows, typed,
//! with what is needed to tell where a bad one came from.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

/// How many rows are read and checked at a time.
pub(super) const ROWS: usize = 65_536;

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Position of the column in the layout; `None` where the row as a whole is wrong.
    pub(super) source: Option<usize>,
    /// What was expected and found.
    pub(super) reason: String,
}

/// Rows that could be taken apart. Rows that could not are in `broken`.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The rows in the layout's wide schema; a value that could not be read is null.
    pub(super) rows: RecordBatch,
    /// Physical line (CSV) or row number (Parquet, batches) of each row, from 1.
    pub(super) lines: Vec<u64>,
    /// The text of each row as it stood in the file.
    pub(super) raw: Raw,
    /// The first value of a row that could not be read.
    pub(super) failures: BTreeMap<usize, Failure>,
    /// Rows that have no columns: wrong count of fields, not UTF-8, a quote without end.
    pub(super) broken: Vec<Broken>,
}

/// A row that could not be taken apart.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) reason: String,
    pub(super) raw: String,
}

/// The text of the rows.
#[derive(Debug)]
pub(super) enum Raw {
    /// All rows one after another, and where each ends.
    Text { text: String, ends: Vec<usize> },
    /// The columns as they came, written out on demand: the source was not text.
    Columns(RecordBatch),
}

impl Raw {
    /// The text of row `index`.
    pub(super) fn row(&self, index: usize) -> String {
        match self {
            Self::Text { text, ends } => {
                let start = index.checked_sub(1).map_or(0, |before| ends[before]);
                text[start..ends[index]].to_owned()
            }
            Self::Columns(batch) => {
                let field = |column: &arrow::array::ArrayRef| {
                    arrow::util::display::array_value_to_string(column, index).unwrap_or_default()
                };
                batch.columns().iter().map(field).collect::<Vec<_>>().join(",")
            }
        }
    }
}
