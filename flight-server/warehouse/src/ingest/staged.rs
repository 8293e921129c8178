//! What goes in: rows that a pipeline has made of a file, with the places they came from. What comes out: the same
//! rows in a load, refused ones with the line and the text of the file that was read.

use std::path::Path;

use arrow::array::RecordBatch;

use super::chunk::{ROWS, Raw};
use super::columnar;
use super::load::Load;
use crate::{Error, Result};

/// Where in a file a row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

/// A row that was refused before it had the columns of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it came from.
    pub origin: Origin,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What was expected and found.
    pub reason: String,
}

/// What a pipeline has made of one file.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The file, as refused rows are to name it.
    pub file: String,
    /// SHA-256 in lower-case hexadecimal of what stands for the content: of the file together with what made rows of
    /// it, because another pipeline makes other rows of the same file.
    pub sha256: String,
    /// Rows with the columns of the table, as text or in their types.
    pub rows: RecordBatch,
    /// Where each of the rows came from.
    pub origins: Vec<Origin>,
    /// Rows that are refused in any case.
    pub refused: Vec<Refused>,
}

impl Load<'_> {
    /// Takes the refused rows out of `staged`: their texts may be large.
    pub(super) fn read_staged(&mut self, staged: &mut Staged) -> Result<()> {
        let refused = std::mem::take(&mut staged.refused);
        let Staged { file, rows, origins, .. } = &*staged;
        let layout = self.layout().clone();
        columnar::check_schema(Path::new(file), &layout, &rows.schema())?;
        if origins.len() != rows.num_rows() {
            let found = format!("{} places for {} rows", origins.len(), rows.num_rows());
            return Err(Error::unreadable(file, "a place for each row", found));
        }
        let refused = refused.into_iter().map(|one| {
            let Refused { origin: Origin { line, text }, column, reason } = one;
            self.reject(file, line, column.as_deref(), reason, text)
        });
        let refused = refused.collect();
        self.refuse(refused)?;
        for start in (0..rows.num_rows()).step_by(ROWS) {
            let count = ROWS.min(rows.num_rows() - start);
            let mut chunk = columnar::chunk(&layout, &rows.slice(start, count), 1)?;
            let of = &origins[start..start + count];
            let (mut text, mut ends) = (String::new(), Vec::with_capacity(count));
            for origin in of {
                text.push_str(&origin.text);
                ends.push(text.len());
            }
            chunk.lines = of.iter().map(|origin| origin.line).collect();
            chunk.raw = Raw::Text { text, ends };
            self.take(file, chunk)?;
        }
        Ok(())
    }
}
