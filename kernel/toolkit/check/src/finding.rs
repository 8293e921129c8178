//! What is wrong with an answer, in words that do not give the right one away.

use std::fmt;

use crate::says::{Language, Says};

/// The first thing that is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Columns that the task asks for and the answer does not have.
    MissingColumns {
        /// Their names.
        missing: Vec<String>,
        /// The names of the answer's columns.
        found: Vec<String>,
    },
    /// Columns that the task does not ask for.
    ExtraColumns {
        /// Their names.
        extra: Vec<String>,
    },
    /// The answer has no rows.
    NoRows,
    /// Too many rows, or too few.
    Rows {
        /// Rows of the answer.
        found: usize,
        /// Whether there are too many.
        too_many: bool,
    },
    /// What should be told apart by the key stands there twice.
    Repeated {
        /// The columns of the key.
        key: Vec<String>,
        /// One that stands there more than once.
        example: String,
    },
    /// Rows that do not belong into the answer.
    Strangers {
        /// The columns of the key.
        key: Vec<String>,
        /// How many rows.
        rows: usize,
        /// One of them.
        example: String,
    },
    /// A column of another kind.
    Kind {
        /// Its name.
        column: String,
        /// What it holds.
        found: Says,
        /// What it should hold.
        expected: Says,
    },
    /// Values that are not right.
    Values {
        /// The column.
        column: String,
        /// How many rows are wrong.
        rows: usize,
        /// Of how many.
        of: usize,
        /// What they have in common.
        like: Difference,
    },
    /// Rows that are right but cannot be matched by a key: some row is not right.
    SomeRows {
        /// How many.
        rows: usize,
        /// Of how many.
        of: usize,
    },
    /// The right rows in another order.
    Order {
        /// The column.
        column: String,
        /// Whether the largest should come first.
        descending: bool,
    },
}

/// What wrong values have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Nothing that we know of.
    Some,
    /// All of them are a hundred times too large.
    Hundredfold,
    /// All of them are a hundred times too small.
    Hundredth,
    /// All of them are too large by the same power of ten.
    TimesPower,
    /// Nulls stand where numbers should.
    Nulls,
    /// Values stand where nulls should.
    NotNulls,
    /// All have the wrong sign.
    Sign,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Finding {
    /// The finding in a language.
    pub fn text(&self, language: Language) -> String {
        let say = |says: Says, parts: &[(&str, &str)]| says.with(language, parts);
        let names = |names: &[String]| names_in(names, language);
        match self {
            Finding::MissingColumns { missing, found } => {
                let says = if missing.len() == 1 { Says::MissingColumn } else { Says::MissingColumns };
                say(says, &[("missing", &names(missing)), ("found", &names(found))])
            }
            Finding::ExtraColumns { extra } => say(Says::ExtraColumns, &[("extra", &names(extra))]),
            Finding::NoRows => say(Says::NoRows, &[]),
            Finding::Rows { found, too_many } => {
                say(if *too_many { Says::TooMany } else { Says::TooFew }, &[("rows", &found.to_string())])
            }
            Finding::Repeated { key, example } => say(Says::Repeated, &[("key", &names(key)), ("example", example)]),
            Finding::Strangers { key, rows, example } => {
                let says = if *rows == 1 { Says::Stranger } else { Says::Strangers };
                say(says, &[("key", &names(key)), ("rows", &rows.to_string()), ("example", example)])
            }
            Finding::Kind { column, found, expected } => {
                let (found, kind) = (found.text(language), expected.text(language));
                let text = say(Says::Kind, &[("column", column), ("expected", kind), ("found", found)]);
                if *expected == Says::Text { text + Says::CodesAreText.text(language) } else { text }
            }
            Finding::Values { column, rows, of, like } => {
                let (rows, of) = (rows.to_string(), of.to_string());
                say(Says::Values, &[("column", column), ("rows", &rows), ("of", &of)]) + like.text(language)
            }
            Finding::SomeRows { rows, of } => {
                say(Says::SomeRows, &[("rows", &rows.to_string()), ("of", &of.to_string())])
            }
            Finding::Order { column, descending } => {
                let says = if *descending { Says::LargestFirst } else { Says::SmallestFirst };
                say(says, &[("column", column)])
            }
        }
    }
}

impl Difference {
    fn text(self, language: Language) -> &'static str {
        let says = match self {
            Difference::Some => return "",
            Difference::Hundredfold => Says::Hundredfold,
            Difference::Hundredth => Says::Hundredth,
            Difference::TimesPower => Says::TimesPower,
            Difference::Nulls => Says::Nulls,
            Difference::NotNulls => Says::NotNulls,
            Difference::Sign => Says::Sign,
        };
        says.text(language)
    }
}

fn names_in(names: &[String], language: Language) -> String {
    if names.is_empty() {
        return Says::NoColumns.text(language).to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
