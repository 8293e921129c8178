//! What goes in: the bytes of a CSV file. What comes out: its records, each with the physical line
//! on which it begins, in the dialect of RFC 4180 (comma, double quotes, CRLF or LF).
//!
//! The reader is our own because a refused row must keep its line number and its text, and because
//! a quote without an end must cost one row and not the rest of the file.

use std::collections::VecDeque;
use std::io::{BufRead, Result};

/// A quoted field that spans more lines than this is taken for a quote that was never closed.
const LINES_IN_A_RECORD: usize = 100;

/// One record: one line, or several when a quoted field contains line breaks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The physical line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes without the final line break.
    pub(super) bytes: Vec<u8>,
    /// Whether a quote is left open.
    pub(super) open_quote: bool,
}

/// Reads records one after another.
pub(super) struct Records<R> {
    reader: R,
    /// Lines that were read ahead in search of a closing quote and given back.
    ahead: VecDeque<Vec<u8>>,
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
            if first.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if !has_open_quote(&first) {
                return Ok(Some(Record { line, bytes: without_break(first), open_quote: false }));
            }
            return self.join_lines(line, first).map(Some);
        }
    }

    fn join_lines(&mut self, line: u64, first: Vec<u8>) -> Result<Record> {
        let mut lines = vec![first];
        while lines.len() < LINES_IN_A_RECORD {
            let Some(more) = self.take_line()? else { break };
            let closes = has_open_quote(&more);
            lines.push(more);
            if closes {
                return Ok(Record { line, bytes: without_break(lines.concat()), open_quote: false });
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let rest: Vec<Vec<u8>> = lines.collect();
        self.next_line -= rest.len() as u64;
        for given_back in rest.into_iter().rev() {
            self.ahead.push_front(given_back);
        }
        Ok(Record { line, bytes: without_break(first), open_quote: true })
    }

    fn take_line(&mut self) -> Result<Option<Vec<u8>>> {
        let line = match self.ahead.pop_front() {
            Some(line) => line,
            None => {
                let mut line = Vec::with_capacity(160);
                let read = self.reader.read_until(b'\n', &mut line)?;
                if read == 0 {
                    return Ok(None);
                }
                self.bytes_read += read as u64;
                line
            }
        };
        self.next_line += 1;
        Ok(Some(line))
    }
}

/// Whether the quotes of a line do not come in pairs. A doubled quote is a pair.
fn has_open_quote(line: &[u8]) -> bool {
    line.iter().filter(|byte| **byte == b'"').count() % 2 == 1
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

/// Takes a record apart. A field with quotes is given to `scratch` first, which is why the fields
/// are handed to `each` one by one. Returns the number of fields.
pub(super) fn fields<'a>(record: &'a str, scratch: &mut String, mut each: impl FnMut(usize, &str)) -> usize {
    let mut count = 0;
    let mut rest: &'a str = record;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                scratch.clear();
                (None, unquote(quoted, scratch))
            }
            None => match rest.find(',') {
                Some(comma) => (Some(&rest[..comma]), Some(&rest[comma + 1..])),
                None => (Some(rest), None),
            },
        };
        each(count, field.unwrap_or(scratch.as_str()));
        count += 1;
        match after {
            Some(more) => rest = more,
            None => return count,
        }
    }
}

/// Copies a quoted field (its opening quote is gone) into `field`; returns what follows the comma.
fn unquote<'a>(mut rest: &'a str, field: &mut String) -> Option<&'a str> {
    while let Some(quote) = rest.find('"') {
        field.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        if let Some(after) = rest.strip_prefix('"') {
            field.push('"');
            rest = after;
            continue;
        }
        // What stands between the closing quote and the comma belongs to the field.
        let end = rest.find(',').unwrap_or(rest.len());
        field.push_str(&rest[..end]);
        return rest.get(end + 1..);
    }
    field.push_str(rest);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(record: &str) -> Vec<String> {
        let mut found = Vec::new();
        let count = fields(record, &mut String::new(), |_, field| found.push(field.to_owned()));
        assert_eq!(count, found.len());
        found
    }

    fn read(text: &str) -> Vec<(u64, String, bool)> {
        let mut records = Records::new(text.as_bytes());
        std::iter::from_fn(|| records.next().unwrap())
            .map(|r| (r.line, String::from_utf8(r.bytes).unwrap(), r.open_quote))
            .collect()
    }

    #[test]
    fn fields_follow_rfc_4180() {
        assert_eq!(split("a,b,c"), ["a", "b", "c"]);
        assert_eq!(split("a,,"), ["a", "", ""]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("\"a,b\",c"), ["a,b", "c"]);
        assert_eq!(split("\"say \"\"no\"\"\",\"\""), ["say \"no\"", ""]);
        assert_eq!(split("x,\"last\""), ["x", "last"]);
        assert_eq!(split("\"한글, 가\",b"), ["한글, 가", "b"]);
    }

    #[test]
    fn records_keep_physical_line_numbers() {
        let text = "h\r\n\r\na,\"two\nlines\"\nb\n";
        let expected =
            [(1, "h".to_owned(), false), (3, "a,\"two\nlines\"".to_owned(), false), (5, "b".to_owned(), false)];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn an_open_quote_costs_one_row() {
        let text = "a,\"open\nb\nc\n";
        let expected = [(1, "a,\"open".to_owned(), true), (2, "b".to_owned(), false), (3, "c".to_owned(), false)];
        assert_eq!(read(text), expected);
    }
}
