//! What goes in: a CSV file. What comes out: chunks of typed rows.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use super::chunk::{Broken, Chunk, Failure, ROWS, Raw};
use super::fields::{fields, well_formed};
use super::layout::Layout;
use super::records::{LONGEST_RECORD, Record, Records};
use super::values::Values;
use crate::names::{hint, near};
use crate::{Error, Result};

/// A chunk with so much text is handed on before it has all its rows.
const CHUNK_BYTES: usize = 64 << 20;

/// A CSV file that is being read.
pub(super) struct TextFile<'a> {
    path: PathBuf,
    layout: &'a Layout,
    records: Records<BufReader<File>>,
    /// Position in the file -> position in the layout.
    order: Vec<usize>,
    bytes: u64,
}

impl<'a> TextFile<'a> {
    /// Opens a file and reads its header, whose names must be those of the layout in any order.
    pub(super) fn open(path: &Path, layout: &'a Layout) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let bytes = file.metadata().map_err(Error::io("read the size of", path))?.len();
        let mut start = [0; 3];
        let mark = file.read(&mut start).map_err(Error::io("read", path))?;
        if start[..mark] != *b"\xEF\xBB\xBF" {
            file = File::open(path).map_err(Error::io("open", path))?;
        }
        let mut records = Records::new(BufReader::with_capacity(1 << 18, file));
        let header = records.next().map_err(Error::io("read", path))?;
        let order = read_header(path, layout, header)?;
        Ok(Self { path: path.to_path_buf(), layout, records, order, bytes })
    }

    /// Bytes read and bytes in the file.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.records.bytes_read().min(self.bytes), self.bytes)
    }

    /// The next rows, or `None` at the end of the file.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let width = self.layout.sources.len();
        let mut columns: Vec<Values> = self.layout.sources.iter().map(Values::new).collect();
        let mut lines = Vec::new();
        let mut text = String::new();
        let mut ends = Vec::new();
        let mut failures: BTreeMap<usize, Failure> = BTreeMap::new();
        let mut broken = Vec::new();
        let mut scratch = String::new();
        let mut taken = 0;
        while lines.len() + broken.len() < ROWS && taken < CHUNK_BYTES {
            let Some(record) = self.records.next().map_err(Error::io("read", &self.path))? else { break };
            taken += record.bytes.len();
            let row = match whole_record(&record, width) {
                Ok(row) => row,
                Err(reason) => {
                    let raw = String::from_utf8_lossy(&record.bytes).into_owned();
                    broken.push(Broken { line: record.line, reason, raw });
                    continue;
                }
            };
            let index = lines.len();
            fields(row, &mut scratch, |position, field| {
                let source = self.order[position];
                if let Err(reason) = columns[source].push(field, &self.layout.sources[source]) {
                    let failure = Failure { source: Some(source), reason };
                    // The columns of the file may be in any order; the layout's first one is kept.
                    match failures.get(&index) {
                        Some(earlier) if earlier.source < failure.source => {}
                        _ => drop(failures.insert(index, failure)),
                    }
                }
            });
            lines.push(record.line);
            text.push_str(row);
            ends.push(text.len());
        }
        if lines.is_empty() && broken.is_empty() {
            return Ok(None);
        }
        let arrays = columns.iter_mut().map(Values::finish).collect();
        let rows = RecordBatch::try_new(self.layout.wide_schema(), arrays)
            .map_err(Error::data(format!("build rows of {}", self.path.display())))?;
        Ok(Some(Chunk { rows, lines, raw: Raw::Text { text, ends }, failures, broken }))
    }
}

/// The text of a record that has the right number of fields, or what is wrong with it.
fn whole_record(record: &Record, width: usize) -> Result<&str, String> {
    let text = std::str::from_utf8(&record.bytes).or_else(|error| match error.error_len() {
        // The cut fell into the middle of a letter.
        None if record.too_long => Ok(""),
        _ => Err(error),
    });
    let text = text.map_err(|error| {
        format!(
            "is not UTF-8: byte {} of the row is {:#04x}",
            error.valid_up_to() + 1,
            record.bytes[error.valid_up_to()]
        )
    })?;
    if record.too_long {
        return Err(format!("is longer than {LONGEST_RECORD} bytes; only its beginning is kept"));
    }
    if record.open_quote {
        return Err("a quote is opened and never closed".to_owned());
    }
    let found = well_formed(text)?;
    if found != width { Err(format!("expected {width} fields, found {found}")) } else { Ok(text) }
}

fn read_header(path: &Path, layout: &Layout, header: Option<Record>) -> Result<Vec<usize>> {
    let names: Vec<&str> = layout.sources.iter().map(|source| source.header).collect();
    let expected = || format!("a CSV file with the {} columns {}", names.len(), names.join(", "));
    let Some(header) = header else {
        return Err(Error::unreadable(path, expected(), "an empty file"));
    };
    let text = match std::str::from_utf8(&header.bytes) {
        Ok(text) if !text.contains('\0') => text,
        _ => return Err(Error::unreadable(path, format!("{} in UTF-8", expected()), describe(&header.bytes))),
    };
    if header.too_long {
        return Err(Error::unreadable(path, expected(), format!("a first line of more than {LONGEST_RECORD} bytes")));
    }
    let mut found: Vec<String> = Vec::new();
    fields(text, &mut String::new(), |_, field| found.push(field.trim().to_owned()));

    let unknown: Vec<&String> = found.iter().filter(|name| !names.contains(&name.as_str())).collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !found.iter().any(|f| f == name)).collect();
    let mut problems = Vec::new();
    if found.len() != names.len() {
        problems.push(format!("{} columns", found.len()));
    }
    if let Some(twice) = found.iter().enumerate().find(|(i, name)| found[..*i].contains(name)).map(|(_, name)| name) {
        problems.push(format!("the column \"{twice}\" twice"));
    }
    if !missing.is_empty() {
        problems.push(format!("no column {}", quoted(&missing)));
    }
    if let Some(first) = unknown.first() {
        let hint = hint(&near(first, names.iter().copied()));
        let unknown: Vec<&str> = unknown.iter().map(|name| name.as_str()).collect();
        problems.push(format!("the unknown column {}.{hint}", quoted(&unknown)));
    }
    if !problems.is_empty() {
        return Err(Error::unreadable(path, expected(), problems.join(", ")));
    }
    if header.open_quote {
        return Err(Error::unreadable(path, expected(), "a header in which a quote is opened and never closed"));
    }
    Ok(found.iter().filter_map(|name| names.iter().position(|known| known == name)).collect())
}

/// At most six names in quotes: a binary file can have thousands of "columns".
fn quoted(names: &[&str]) -> String {
    let shown = names.iter().take(6).map(|name| format!("\"{}\"", name.chars().take(40).collect::<String>()));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if names.len() > 6 { format!("{shown} and {} more", names.len() - 6) } else { shown }
}

/// What bytes that are no UTF-8 text may be.
fn describe(bytes: &[u8]) -> String {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16 (save the file as \"CSV UTF-8\")".to_owned(),
        [0x50, 0x4B, 0x03, 0x04, ..] => {
            "a ZIP archive or an Excel workbook (save the sheet as \"CSV UTF-8\")".to_owned()
        }
        [0x1F, 0x8B, ..] => "a gzip archive (unpack it first)".to_owned(),
        _ if bytes.contains(&0) => "binary data".to_owned(),
        _ => {
            "text in another encoding, perhaps CP949 (convert it, for example with iconv -f CP949 -t UTF-8)".to_owned()
        }
    }
}
