//! What can go wrong between a frame and its features.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A frame that cannot be turned into features, with the place where it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A column that a feature needs is absent.
    #[error("column `{column}`, needed for {purpose}, is not in the frame; found: {found}")]
    ColumnMissing {
        /// The column asked for.
        column: String,
        /// What needs it.
        purpose: String,
        /// Names of the frame's columns.
        found: String,
    },
    /// A column has a type that the feature cannot use.
    #[error("column `{column}`, needed for {purpose}: expected {expected}, found {found}")]
    ColumnType {
        /// The column.
        column: String,
        /// What needs it.
        purpose: String,
        /// Types that would do.
        expected: &'static str,
        /// Type of the column.
        found: String,
    },
    /// A cell holds what it may not hold.
    #[error("column `{column}`, row {row}: expected {expected}, found {found}; {hint}")]
    Value {
        /// The column.
        column: String,
        /// Row of the frame, counted from 0.
        row: usize,
        /// What the column may hold.
        expected: &'static str,
        /// What it holds.
        found: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A frame without rows was given for fitting.
    #[error("features cannot be fitted on a frame without rows; expected at least 1, found 0")]
    NoRows,
    /// The builder has no features.
    #[error("the feature builder is empty; add a feature, such as `.numeric(\"net_mass_kg\")`")]
    NoFeatures,
    /// Two features have one name.
    #[error("feature `{name}` stands twice in the builder; remove one of them with `.without(\"{name}\")`")]
    FeatureTwice {
        /// The name.
        name: String,
    },
    /// A number given to the builder is out of its range.
    #[error("{name}: expected {expected}, found {found}")]
    Setting {
        /// Which setting.
        name: String,
        /// Its range.
        expected: &'static str,
        /// The value given.
        found: String,
    },
    /// Columns of a matrix do not fit each other.
    #[error("matrix: column `{column}` has {found} rows; expected {expected}")]
    Shape {
        /// The column that differs.
        column: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this one.
        found: usize,
    },
    /// Text that is not a date.
    #[error("`{found}` is not a date; expected YYYY-MM-DD, such as 2021-01-01")]
    Date {
        /// The text.
        found: String,
    },
    /// The frame library refused.
    #[error("frame: {0}")]
    Frame(#[from] polars::error::PolarsError),
}
