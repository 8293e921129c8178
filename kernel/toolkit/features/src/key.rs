//! Columns of a frame -> one small number a row for each distinct combination of values.

use crate::{Error, Result, column};
use polars::frame::DataFrame;
use polars::prelude::DataType;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Code of a value that was not there when the dictionary was fitted.
pub(crate) const UNSEEN: u32 = u32::MAX;
/// Code of a null. In a combination it stands for itself: "no seller" is a seller's behaviour too.
pub(crate) const NULL: u32 = u32::MAX - 1;

/// A code as a categorical feature: NaN for nulls and for values never seen.
pub(crate) fn code_value(code: u32) -> f64 {
    if code >= NULL { f64::NAN } else { f64::from(code) }
}

/// Hashes whole integers by multiplication; keys here are dense codes, not hostile input.
#[derive(Default)]
pub(crate) struct IntegerHasher(u64);

impl Hasher for IntegerHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

type IntegerMap = HashMap<u64, u32, BuildHasherDefault<IntegerHasher>>;

/// Distinct values of one column (or of the first characters of one), each with a code.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    pub(crate) column: String,
    /// First characters that count, where not all do (HS chapter of an HS code).
    pub(crate) prefix: Option<usize>,
    pub(crate) values: Values,
}

#[derive(Debug, Clone)]
pub(crate) enum Values {
    Text(HashMap<String, u32>),
    /// By the bits of the number, so that equal numbers and no others are one value.
    Number(IntegerMap),
}

fn shorten(text: &str, prefix: Option<usize>) -> &str {
    match prefix.and_then(|chars| text.char_indices().nth(chars)) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// -0 and 0 are one value.
fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

impl Dictionary {
    pub(crate) fn fit(frame: &DataFrame, name: &str, purpose: &str) -> Result<Self> {
        Self::fit_prefix(frame, name, None, purpose)
    }

    pub(crate) fn fit_prefix(frame: &DataFrame, name: &str, prefix: Option<usize>, purpose: &str) -> Result<Self> {
        let found = column::find(frame, name, purpose)?;
        let mut dictionary = Self {
            column: name.to_owned(),
            prefix,
            values: if found.dtype() == &DataType::String {
                Values::Text(HashMap::new())
            } else {
                Values::Number(IntegerMap::default())
            },
        };
        match &mut dictionary.values {
            Values::Text(values) => {
                for text in found.str()?.iter().flatten() {
                    let text = shorten(text, prefix);
                    if !values.contains_key(text) {
                        let code = next_code(values.len());
                        values.insert(text.to_owned(), code);
                    }
                }
            }
            Values::Number(values) => {
                if prefix.is_some() {
                    return Err(dictionary.wrong_type(frame, purpose));
                }
                for value in column::key_numbers(frame, name, purpose)? {
                    if !value.is_nan() {
                        let code = next_code(values.len());
                        values.entry(bits(value)).or_insert(code);
                    }
                }
            }
        }
        Ok(dictionary)
    }

    /// Gives codes anew in the order of the values, so that they do not depend on the rows' order.
    pub(crate) fn sort(&mut self) {
        match &mut self.values {
            Values::Text(values) => {
                let mut sorted: Vec<(&String, &mut u32)> = values.iter_mut().collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                for (i, (_, code)) in sorted.into_iter().enumerate() {
                    *code = next_code(i);
                }
            }
            Values::Number(values) => {
                let mut sorted: Vec<(f64, &mut u32)> =
                    values.iter_mut().map(|(&bits, code)| (f64::from_bits(bits), code)).collect();
                sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
                for (i, (_, code)) in sorted.into_iter().enumerate() {
                    *code = next_code(i);
                }
            }
        }
    }

    /// The column of the frame that it reads.
    pub(crate) fn column(&self) -> &str {
        &self.column
    }

    /// The same codes for the values of another column.
    pub(crate) fn of(&self, column: &str) -> Self {
        Self { column: column.to_owned(), ..self.clone() }
    }

    fn wrong_type(&self, frame: &DataFrame, purpose: &str) -> Error {
        Error::ColumnType {
            column: self.column.clone(),
            purpose: purpose.to_owned(),
            expected: match self.values {
                Values::Text(_) => "text, as in the frame that was fitted",
                Values::Number(_) if self.prefix.is_some() => "text",
                Values::Number(_) => "numbers, as in the frame that was fitted",
            },
            found: column::find(frame, &self.column, purpose)
                .map_or_else(|_| "nothing".to_owned(), |column| column.dtype().to_string()),
        }
    }

    /// One code a row; [`NULL`] for nulls, [`UNSEEN`] for values that were not fitted.
    pub(crate) fn codes(&self, frame: &DataFrame) -> Result<Vec<u32>> {
        const PURPOSE: &str = "a category";
        let found = column::find(frame, &self.column, PURPOSE)?;
        let is_text = found.dtype() == &DataType::String;
        match &self.values {
            Values::Text(values) if is_text => Ok(found
                .str()?
                .iter()
                .map(|text| match text {
                    None => NULL,
                    Some(text) => values.get(shorten(text, self.prefix)).copied().unwrap_or(UNSEEN),
                })
                .collect()),
            Values::Number(values) if !is_text => Ok(column::key_numbers(frame, &self.column, PURPOSE)?
                .into_iter()
                .map(|value| match value.is_nan() {
                    true => NULL,
                    false => values.get(&bits(value)).copied().unwrap_or(UNSEEN),
                })
                .collect()),
            // A column that holds nothing but nulls has whatever type it came with.
            _ if found.null_count() == found.len() => Ok(vec![NULL; found.len()]),
            _ => Err(self.wrong_type(frame, PURPOSE)),
        }
    }
}

/// Codes stay below [`NULL`]: a frame cannot have so many rows.
fn next_code(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NULL).min(NULL - 1)
}

/// Where the values of a key come from: a column, or its first characters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) column: String,
    pub(crate) prefix: Option<usize>,
}

impl Source {
    pub(crate) fn whole(column: &str) -> Self {
        Self { column: column.to_owned(), prefix: None }
    }
}

/// The distinct combinations of values that a frame holds in some columns.
///
/// Null is a value of its own. Numbers are equal when all their bits are.
#[derive(Debug, Clone)]
pub struct KeySet {
    pub(crate) dictionaries: Vec<Dictionary>,
    /// For each column after the first: (key so far, code) -> longer key.
    pub(crate) steps: Vec<IntegerMap>,
    pub(crate) len: usize,
}

fn pair(key: u32, code: u32) -> u64 {
    (u64::from(key) << 32) | u64::from(code)
}

impl KeySet {
    /// Learns the combinations of `columns` in `frame`.
    ///
    /// # Errors
    /// When a column is missing or of a type that cannot be compared, or no column is named.
    pub fn fit(frame: &DataFrame, columns: &[&str]) -> Result<Self> {
        let sources: Vec<Source> = columns.iter().map(|column| Source::whole(column)).collect();
        Ok(Self::fit_sources(frame, &sources, "a key")?.0)
    }

    /// The keys, and the key of every row; keys count from 0 in the order of their first row.
    pub(crate) fn fit_sources(frame: &DataFrame, sources: &[Source], purpose: &str) -> Result<(Self, Vec<u32>)> {
        if sources.is_empty() {
            return Err(Error::Setting {
                name: purpose.to_owned(),
                expected: "at least one column",
                found: "none".to_owned(),
            });
        }
        let mut dictionaries = Vec::with_capacity(sources.len());
        for source in sources {
            dictionaries.push(Dictionary::fit_prefix(frame, &source.column, source.prefix, purpose)?);
        }
        let mut set = Self { dictionaries, steps: Vec::new(), len: 0 };
        let mut keys: Vec<u32> = Vec::new();
        for (i, dictionary) in set.dictionaries.iter().enumerate() {
            let codes = dictionary.codes(frame)?;
            // The first column too goes through a step: it makes null a key like any other.
            let mut step = IntegerMap::default();
            if i == 0 {
                keys = vec![0; codes.len()];
            }
            for (key, code) in keys.iter_mut().zip(codes) {
                let next = next_code(step.len());
                *key = *step.entry(pair(*key, code)).or_insert(next);
            }
            set.len = step.len();
            set.steps.push(step);
        }
        Ok((set, keys))
    }

    /// The columns of the frame that it reads.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.dictionaries.iter().map(Dictionary::column)
    }

    /// Number of distinct combinations.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where the fitted frame had no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For every row: was its combination in the frame that was fitted?
    ///
    /// # Errors
    /// When a column is missing or changed its type.
    pub fn contains(&self, frame: &DataFrame) -> Result<Vec<bool>> {
        Ok(self.keys(frame)?.into_iter().map(|key| key != UNSEEN).collect())
    }

    /// For every row the position of its combination, counted from 0 in the order in which the
    /// fitted frame first held them; `None` where it was not there.
    ///
    /// # Errors
    /// As [`KeySet::contains`].
    pub fn positions(&self, frame: &DataFrame) -> Result<Vec<Option<usize>>> {
        Ok(self.keys(frame)?.into_iter().map(|key| (key != UNSEEN).then_some(key as usize)).collect())
    }

    /// The key of every row; [`UNSEEN`] where the combination was not fitted.
    pub(crate) fn keys(&self, frame: &DataFrame) -> Result<Vec<u32>> {
        let mut keys = vec![0; frame.height()];
        for (dictionary, step) in self.dictionaries.iter().zip(&self.steps) {
            for (key, code) in keys.iter_mut().zip(dictionary.codes(frame)?) {
                if *key != UNSEEN {
                    *key = step.get(&pair(*key, code)).copied().unwrap_or(UNSEEN);
                }
            }
        }
        Ok(keys)
    }
}
