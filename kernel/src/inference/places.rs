//! Code that was put together out of a cell's text and text of our own, and the way back: a place in it ->
//! the place in the cell that its author knows.

use std::ops::Range;

/// Code out of pieces of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    text: String,
    /// Where pieces of the cell stand in `text`, and where in the cell each of them begins.
    pieces: Vec<(Range<usize>, usize)>,
}

impl Code {
    /// A cell as it was written.
    pub fn of_author(cell: &str) -> Self {
        Self::default().author(cell, 0)
    }

    /// The code.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds text of our own.
    #[must_use]
    pub(super) fn own(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds text of the cell, which begins at byte `at` of it.
    #[must_use]
    pub(super) fn author(mut self, text: &str, at: usize) -> Self {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push((start..self.text.len(), at));
        self
    }

    /// Adds other code.
    #[must_use]
    pub(super) fn code(mut self, other: &Self) -> Self {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|(piece, at)| (start + piece.start..start + piece.end, *at)));
        self
    }

    /// The line and column of `cell` for those of this code; all count from 1, columns in characters. `None`
    /// for text of our own.
    pub fn place(&self, cell: &str, line: usize, column: usize) -> Option<(usize, usize)> {
        let byte = byte_of(&self.text, line, column)?;
        // The end of a span may be the end of its piece.
        let (piece, at) = self.pieces.iter().find(|(piece, _)| (piece.start..=piece.end).contains(&byte))?;
        let before = cell.get(..at + byte - piece.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}

fn byte_of(text: &str, line: usize, column: usize) -> Option<usize> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let line = text.get(start..)?.split('\n').next()?;
    let within = line.char_indices().map(|(byte, _)| byte).chain([line.len()]).nth(column.checked_sub(1)?)?;
    Some(start + within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_behind_text_of_our_own_is_found_in_the_cell() {
        let cell = "let 값 = f();\n값.x()";
        let at = "let 값 = f();\n".len();
        let code =
            Code::default().author(&cell[..at], 0).own(" let 값: T = 값;").own("(").author(&cell[at..], at).own("\n)");
        let column = 1 + " let 값: T = 값;(".chars().count();
        assert_eq!(code.place(cell, 1, 9), Some((1, 9)));
        assert_eq!(code.place(cell, 2, column), Some((2, 1)));
        assert_eq!(code.place(cell, 2, column + 4), Some((2, 5)));
        assert_eq!(code.place(cell, 2, 3), None);
        assert_eq!(code.place(cell, 9, 1), None);
        assert_eq!(Code::default().own("{ ").code(&code).place(cell, 1, 3), Some((1, 1)));
        assert_eq!(Code::of_author(cell).place(cell, 2, 3), Some((2, 3)));
    }
}
