//! What goes in: the text of a TOML file. What comes out: its tables with the line of each key, and
//! complaints about what is not expected.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// Complaints about one file.
pub(super) struct Complaints<'a> {
    text: &'a str,
    problems: &'a mut Vec<Problem>,
}

/// A table and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) line: usize,
    table: &'a DeTable<'a>,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a str,
    pub(super) line: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Complaints<'a> {
    pub(super) fn new(text: &'a str, problems: &'a mut Vec<Problem>) -> Self {
        Self { text, problems }
    }

    pub(super) fn add(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem { line, what: what.into() });
    }

    /// The line, from 1, of a byte of the text.
    pub(super) fn line(&self, byte: usize) -> usize {
        1 + self.text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
    }

    /// All keys of a section, after a complaint about each that is not `known`.
    pub(super) fn entries<'t>(&mut self, section: Section<'t>, known: Option<&[&str]>) -> Vec<Entry<'t>> {
        let mut found = Vec::new();
        for (key, value) in section.table.iter() {
            let line = self.line(key.span().start);
            let key: &str = key.get_ref();
            match known {
                Some(known) if !known.contains(&key) => {
                    self.add(
                        line,
                        format!("there is no setting \"{key}\" here; the settings are {}", known.join(", ")),
                    );
                }
                _ => found.push(Entry { key, line, value: value.get_ref() }),
            }
        }
        found.sort_by_key(|entry| entry.line);
        found
    }

    fn expected(&mut self, entry: Entry<'_>, what: &str) {
        self.add(entry.line, format!("{} must be {what}, found {}", entry.key, entry.value.type_str()));
    }

    pub(super) fn text<'t>(&mut self, entry: Entry<'t>) -> Option<&'t str> {
        let text = entry.value.as_str();
        if text.is_none() {
            self.expected(entry, "a text in quotation marks");
        }
        text
    }

    pub(super) fn flag(&mut self, entry: Entry<'_>) -> bool {
        entry.value.as_bool().unwrap_or_else(|| {
            self.expected(entry, "true or false");
            false
        })
    }

    pub(super) fn number(&mut self, entry: Entry<'_>, low: u64, high: u64) -> Option<u64> {
        let number = entry.value.as_integer().filter(|n| n.radix() == 10).and_then(|n| n.as_str().parse().ok());
        let number = number.filter(|number| (low..=high).contains(number));
        if number.is_none() {
            self.expected(entry, &format!("a whole number from {low} to {high}"));
        }
        number
    }

    pub(super) fn list<'t>(&mut self, entry: Entry<'t>) -> Vec<&'t str> {
        let texts = entry.value.as_array().map(|array| array.iter().map(|item| item.get_ref().as_str()).collect());
        let texts: Option<Vec<&str>> = texts.and_then(|texts: Vec<Option<&str>>| texts.into_iter().collect());
        texts.unwrap_or_else(|| {
            self.expected(entry, "a list of texts, such as [\"a\", \"b\"]");
            Vec::new()
        })
    }

    pub(super) fn section<'t>(&mut self, entry: Entry<'t>) -> Option<Section<'t>> {
        let table = entry.value.as_table();
        if table.is_none() {
            self.expected(entry, "a table");
        }
        table.map(|table| Section { line: entry.line, table })
    }
}

impl<'a> Entry<'a> {
    pub(super) fn is_text(self) -> bool {
        self.value.is_str()
    }
}

/// The root of a file that has been parsed.
pub(super) fn root<'a>(parsed: &'a Spanned<DeTable<'a>>) -> Section<'a> {
    Section { line: 1, table: parsed.get_ref() }
}
