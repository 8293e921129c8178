//! What is wrong with an answer, in words that do not give the right one away.

use std::fmt;

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
        found: &'static str,
        /// What it should hold.
        expected: &'static str,
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
        match self {
            Finding::MissingColumns { missing, found } => {
                let (these, are) = if missing.len() == 1 { ("column", "is") } else { ("columns", "are") };
                write!(f, "the {these} {} {are} missing; your answer has {}. ", names(missing), names(found))?;
                write!(f, "Give a column its name with `as`")
            }
            Finding::ExtraColumns { extra } => {
                write!(f, "the task does not ask for {}; take out what is not needed", names(extra))
            }
            Finding::NoRows => write!(f, "your answer has no rows; one of your conditions keeps everything out"),
            Finding::Rows { found, too_many: true } => {
                write!(f, "your answer has {found} rows, and that is too many; is a condition missing, or a grouping?")
            }
            Finding::Rows { found, too_many: false } => {
                write!(f, "your answer has {found} rows, and that is too few; which rows do your conditions keep out?")
            }
            Finding::Repeated { key, example } => {
                write!(f, "there should be one row for each {}, but {example} stands there more than once", names(key))
            }
            Finding::Strangers { key, rows: 1, example } => {
                write!(f, "one row does not belong there: that with {} {example}", names(key))
            }
            Finding::Strangers { key, rows, example } => {
                write!(f, "{rows} rows do not belong there, for instance that with {} {example}", names(key))
            }
            Finding::Kind { column, found, expected } => {
                write!(f, "`{column}` should hold {expected}, and holds {found}")?;
                if *expected == "text" {
                    write!(f, ". Codes are text: a number loses the zeros at its front")?;
                }
                Ok(())
            }
            Finding::Values { column, rows, of, like } => {
                write!(f, "the rows are the right ones, but `{column}` is wrong in {rows} of {of}")?;
                match like {
                    Difference::Some => Ok(()),
                    Difference::Hundredfold => write!(f, ": it is 100 times too large. A fraction, or percent?"),
                    Difference::Hundredth => write!(f, ": it is 100 times too small. A fraction, or percent?"),
                    Difference::TimesPower => write!(f, ": it is off by a power of ten. Look at the units"),
                    Difference::Nulls => write!(f, ": nothing (null) stands where a value should"),
                    Difference::NotNulls => write!(f, ": a value stands where nothing (null) should"),
                    Difference::Sign => write!(f, ": it has the wrong sign. Which is taken away from which?"),
                }
            }
            Finding::SomeRows { rows, of } => write!(f, "{rows} of {of} rows are not right"),
            Finding::Order { column, descending } => {
                let first = if *descending { "largest" } else { "smallest" };
                write!(f, "the rows are right, their order is not: the {first} `{column}` comes first")
            }
        }
    }
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
