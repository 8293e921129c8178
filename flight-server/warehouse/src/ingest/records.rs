//! What goes in: the bytes of a CSV file. What comes out: its records, each with the physical line
//! on which it begins, in the dialect of RFC 4180 (comma, double quotes, CRLF or LF).
//!
//! The reader is our own because a refused row must keep its line number and its text, and because
//! a quote without an end must cost one row and not the rest of the file.

use std::collections::VecDeque;
use std::io::{BufRead, Read, Result};

/// A quoted field that spans more lines than this is taken for a quote that was never closed.
const LINES_IN_A_RECORD: usize = 100;

/// A longer record is refused, and only its beginning is kept: a file without line breaks must not fill the memory.
pub(super) const LONGEST_RECORD: usize = 1 << 20;
/// How much of it is kept.
const KEPT: usize = 4 << 10;

/// One record: one line, or several when a quoted field contains line breaks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The physical line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes without the final line break.
    pub(super) bytes: Vec<u8>,
    /// Whether a quote is left open.
    pub(super) open_quote: bool,
    /// Whether it was longer than [`LONGEST_RECORD`]; then `bytes` is its beginning.
    pub(super) too_long: bool,
}

/// A line with its line break, or the beginning of one that is too long.
struct Line {
    bytes: Vec<u8>,
    too_long: bool,
}

/// Reads records one after another.
pub(super) struct Records<R> {
    reader: R,
    /// Lines that were read ahead in search of a closing quote and given back.
    ahead: VecDeque<Line>,
    next_line: u64,
    bytes_read: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, ahead: VecDeque::new(), next_line: 1, bytes_read: 0 }
    }

    /// How many bytes have been taken from the file.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next record that is not an empty line, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
        loop {
            let line = self.next_line;
            let Some(first) = self.take_line()? else { return Ok(None) };
            if first.too_long {
                return Ok(Some(Record { line, bytes: without_break(first.bytes), open_quote: false, too_long: true }));
            }
            if first.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if !has_odd_quotes(&first.bytes) || !leaves_open(&first.bytes, false) {
                return Ok(Some(Record {
                    line,
                    bytes: without_break(first.bytes),
                    open_quote: false,
                    too_long: false,
                }));
            }
            return self.join_lines(line, first).map(Some);
        }
    }

    fn join_lines(&mut self, line: u64, first: Line) -> Result<Record> {
        let mut size = first.bytes.len();
        let mut lines = vec![first];
        while lines.len() < LINES_IN_A_RECORD {
            let Some(more) = self.take_line()? else { break };
            let closes = !leaves_open(&more.bytes, true);
            size += more.bytes.len();
            let ends = more.too_long || size > LONGEST_RECORD;
            lines.push(more);
            if ends {
                break;
            }
            if closes {
                let bytes = lines.into_iter().flat_map(|line| line.bytes).collect();
                return Ok(Record { line, bytes: without_break(bytes), open_quote: false, too_long: false });
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().map(|line| line.bytes).unwrap_or_default();
        let rest: Vec<Line> = lines.collect();
        self.next_line -= rest.len() as u64;
        for given_back in rest.into_iter().rev() {
            self.ahead.push_front(given_back);
        }
        Ok(Record { line, bytes: without_break(first), open_quote: true, too_long: false })
    }

    fn take_line(&mut self) -> Result<Option<Line>> {
        let line = match self.ahead.pop_front() {
            Some(line) => line,
            None => {
                let mut bytes = Vec::with_capacity(160);
                let read = self.reader.by_ref().take(LONGEST_RECORD as u64 + 1).read_until(b'\n', &mut bytes)?;
                if read == 0 {
                    return Ok(None);
                }
                self.bytes_read += read as u64;
                let too_long = read > LONGEST_RECORD && bytes.last() != Some(&b'\n');
                if too_long {
                    bytes.truncate(KEPT);
                    bytes.shrink_to_fit();
                    self.skip_line()?;
                }
                Line { bytes, too_long }
            }
        };
        self.next_line += 1;
        Ok(Some(line))
    }

    /// Passes over the rest of a line.
    fn skip_line(&mut self) -> Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(used);
            self.bytes_read += used as u64;
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// Whether the quotes of a line do not come in pairs: of most lines this says that none is left open.
fn has_odd_quotes(line: &[u8]) -> bool {
    line.iter().filter(|byte| **byte == b'"').count() % 2 == 1
}

/// Whether a line ends within a quoted field, if it begins in one (`quoted`) or not. A quote opens a field at its
/// beginning only, and opens it again after the one that has closed it (a doubled quote); elsewhere it is a letter,
/// for which the row is refused and no other.
fn leaves_open(line: &[u8], mut quoted: bool) -> bool {
    let mut opens = true;
    for byte in line {
        let counts = *byte == b'"' && (quoted || opens);
        quoted ^= counts;
        opens = counts || *byte == b',';
    }
    quoted
}

fn without_break(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, String, bool)> {
        let mut records = Records::new(text.as_bytes());
        std::iter::from_fn(|| records.next().unwrap())
            .map(|r| (r.line, String::from_utf8(r.bytes).unwrap(), r.open_quote))
            .collect()
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let text = format!("h\n{}\nb\n", "x".repeat(3 * LONGEST_RECORD));
        let mut records = Records::new(text.as_bytes());
        let found: Vec<_> = std::iter::from_fn(|| records.next().unwrap()).collect();
        let seen: Vec<_> = found.iter().map(|record| (record.line, record.bytes.len(), record.too_long)).collect();
        assert_eq!(seen, [(1, 1, false), (2, KEPT, true), (3, 1, false)]);
    }

    #[test]
    fn records_keep_physical_line_numbers() {
        let text = "h\r\n\r\na,\"two\nlines\"\nb\n";
        let expected =
            [(1, "h".to_owned(), false), (3, "a,\"two\nlines\"".to_owned(), false), (5, "b".to_owned(), false)];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_quote_opens_a_field_at_its_beginning_only() {
        for (line, open) in [
            ("a,\"b", true),
            ("\"a", true),
            ("a,\"\"\"", true),
            ("a,\"b\"\"", true),
            ("a,5\" pipe", false),
            ("a,5\"\"\" pipe", false),
            ("a,\"Fa\\\"st\"", false),
            ("a, \"b", false),
        ] {
            assert_eq!(leaves_open(line.as_bytes(), false), open, "{line}");
        }
        for (line, open) in [("b", true), ("b\"", false), ("b\"\"", true), ("b\",\"c", true), ("b\",5\" pipe", false)] {
            assert_eq!(leaves_open(line.as_bytes(), true), open, "{line}");
        }
        // Two pipes, and all rows between them.
        let between: String = (0..40).map(|n| format!("c{n},good\n")).collect();
        let found = read(&format!("a,5\" pipe\n{between}b,7\" pipe\n"));
        assert_eq!(found.len(), 42);
        assert!(found.iter().all(|(_, _, open)| !open));
        assert_eq!((&found[0].1, &found[41]), (&"a,5\" pipe".to_owned(), &(42, "b,7\" pipe".to_owned(), false)));
        // The second line closes the field, and has a letter that is a quote.
        let found = read("a,\"two\nlines\",5\" pipe\nb,good\nc,\"good\"\n");
        assert_eq!(found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn an_open_quote_costs_one_row() {
        let text = "a,\"open\nb\nc\n";
        let expected = [(1, "a,\"open".to_owned(), true), (2, "b".to_owned(), false), (3, "c".to_owned(), false)];
        assert_eq!(read(text), expected);
    }
}
