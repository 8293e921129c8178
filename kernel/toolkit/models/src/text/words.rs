//! A column of texts, and what a text says -> its terms.

use crate::Result;
use polars::frame::DataFrame;
use polars::prelude::DataType;

/// What the errors of a column say that it is needed for.
const PURPOSE: &str = "TF-IDF";

/// The texts of a column, none where they are missing.
pub(super) fn texts<'a>(frame: &'a DataFrame, name: &str) -> Result<Vec<Option<&'a str>>> {
    let found = frame.columns().iter().find(|column| column.name().as_str() == name);
    let Some(column) = found else {
        let names: Vec<&str> = frame.columns().iter().map(|column| column.name().as_str()).collect();
        let (column, purpose, found) = (name.to_owned(), PURPOSE.to_owned(), names.join(", "));
        return Err(haetae_features::Error::ColumnMissing { column, purpose, found }.into());
    };
    match column.dtype() {
        DataType::String => Ok(column.str()?.iter().collect()),
        other => {
            let (column, purpose, found) = (name.to_owned(), PURPOSE.to_owned(), other.to_string());
            Err(haetae_features::Error::ColumnType { column, purpose, expected: "text", found }.into())
        }
    }
}

/// The terms of a text in rising order, each with how often it is there: words of at least two letters, digits or `_`,
/// in small letters, and runs of up to `longest` of them with a space between.
pub(super) fn terms(text: &str, longest: usize) -> Vec<(String, u32)> {
    let small = text.to_lowercase();
    let ends = |letter: char| !(letter.is_alphanumeric() || letter == '_');
    let words: Vec<&str> = small.split(ends).filter(|word| word.chars().nth(1).is_some()).collect();
    let runs = (1..=longest).flat_map(|count| words.windows(count));
    let mut all: Vec<String> = runs.map(|run| run.join(" ")).collect();
    all.sort_unstable();
    let mut found: Vec<(String, u32)> = Vec::new();
    for term in all {
        match found.last_mut() {
            Some((last, count)) if *last == term => *count += 1,
            _ => found.push((term, 1)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::terms;

    #[test]
    fn terms_are_words_and_runs_of_them() {
        let of = |text: &str, longest: usize| {
            terms(text, longest).into_iter().map(|(term, count)| format!("{term} {count}")).collect::<Vec<_>>()
        };
        assert_eq!(of("Steel, steel-pipe; a PIPE 20mm", 1), ["20mm 1", "pipe 2", "steel 2"]);
        assert_eq!(of("red wine, red wine", 2), ["red 2", "red wine 2", "wine 2", "wine red 1"]);
        assert_eq!(of("Части ДВИГАТЕЛЯ 자동차", 1), ["двигателя 1", "части 1", "자동차 1"]);
        assert!(of("", 2).is_empty() && of("a - b!", 3).is_empty() && of("one", 2) == ["one 1"]);
    }
}
