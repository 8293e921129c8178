//! Why a chart cannot be drawn, as one type.

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Data that make no chart.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to draw.
    #[error("there is nothing to draw: expected at least one value, found none; did a filter or a join lose all rows?")]
    Empty,
    /// No value is a finite number.
    #[error("there is nothing to draw: none of the {count} values is a finite number (null becomes NaN)")]
    NoNumber {
        /// How many values there are.
        count: usize,
    },
    /// Two lists that belong together differ in length.
    #[error("{first} and {second} belong together one by one, but their numbers are {first_count} and {second_count}")]
    Lengths {
        /// What the first list holds.
        first: &'static str,
        /// Its length.
        first_count: usize,
        /// What the second list holds.
        second: &'static str,
        /// Its length.
        second_count: usize,
    },
    /// A label stands twice in one series.
    #[error("the label {label:?} stands more than once in one series; group the data by it first")]
    Repeated {
        /// The label.
        label: String,
    },
    /// The numbers of a box are not in order.
    #[error("the box of {label:?} needs lower end, lower quartile, median, upper quartile, upper end in this order")]
    Unsorted {
        /// Its label.
        label: String,
    },
    /// A histogram needs bins.
    #[error("a histogram has 1 to 10000 bins, found {bins}")]
    Bins {
        /// How many were asked for.
        bins: usize,
    },
    /// A series of one kind was added to a chart of another kind.
    #[error("{added} cannot be added to a {chart}; start with a chart of the same kind, or draw two charts")]
    Mixed {
        /// What was added.
        added: &'static str,
        /// The chart it was added to.
        chart: &'static str,
    },
}
