//! What can go wrong between a frame and a decision.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A score, a lane or a log that cannot be made, with the place where it fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model could not be fitted or judged.
    #[error(transparent)]
    Model(#[from] haetae_models::Error),
    /// A target or a date could not be read.
    #[error(transparent)]
    Features(#[from] haetae_features::Error),
    /// The frame library refused.
    #[error("frame: {0}")]
    Frame(#[from] polars::error::PolarsError),
    /// A column that is needed is absent.
    #[error("column `{column}`, needed for {purpose}, is not in the frame; found: {found}")]
    ColumnMissing {
        /// The column.
        column: String,
        /// What needs it.
        purpose: String,
        /// Names of the frame's columns.
        found: String,
    },
    /// A column has a type that does not do.
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
        /// Row, counted from 0.
        row: usize,
        /// What may stand there.
        expected: String,
        /// What stands there.
        found: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A setting is out of its range.
    #[error("{what}: expected {expected}, found {found}")]
    Setting {
        /// Which setting.
        what: String,
        /// Its range.
        expected: String,
        /// The value given.
        found: String,
    },
    /// Nothing to work on.
    #[error("{what}: expected at least 1 row, found none")]
    NoRows {
        /// Which frame.
        what: &'static str,
    },
    /// All rows have the same target.
    #[error("target `{column}`: expected both 0 and 1, found only {found} in {rows} rows; take a longer period")]
    OneClass {
        /// The column.
        column: String,
        /// The only value.
        found: f64,
        /// How many rows.
        rows: usize,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} rows, as the frame has, found {found}")]
    Length {
        /// Which list.
        what: &'static str,
        /// Rows of the frame.
        expected: usize,
        /// Values of the list.
        found: usize,
    },
    /// No attribute tells good from bad.
    #[error("scorecard: no attribute is left to score by: {why}; take other columns, or lower `min_iv`")]
    NoAttribute {
        /// What became of each.
        why: String,
    },
    /// A score that was fitted with a second model was asked without it, or the other way round.
    #[error("second model: expected {expected}, found {found}; a score is used the way it was fitted")]
    SecondModel {
        /// What the fit had.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// The blended score does not rise with the risk.
    #[error(
        "calibration: the score does not rise with the share of bad rows (slope {slope:.4}); look at the factors' points"
    )]
    Calibration {
        /// Log-odds of being bad per unit of score.
        slope: f64,
    },
    /// A rule cannot be computed on one row.
    #[error("rule `{rule}`, row {row}: {reason}")]
    RuleFails {
        /// Name of the rule.
        rule: String,
        /// Row, counted from 0.
        row: usize,
        /// What the frame library says.
        reason: String,
    },
    /// A rule cannot be computed at all.
    #[error("rule `{rule}`: {reason}")]
    Rule {
        /// Name of the rule.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two rules that hold on one row ask for lanes that exclude one another.
    #[error(
        "row {row}: the rules `{first}` ({first_lane}) and `{second}` ({second_lane}) contradict one another; limit one of them, or give one of them precedence with `over`"
    )]
    Contradiction {
        /// Row, counted from 0.
        row: usize,
        /// One rule.
        first: String,
        /// Its lane.
        first_lane: &'static str,
        /// The other.
        second: String,
        /// Its lane.
        second_lane: &'static str,
    },
    /// An office is to do more in a day than there is.
    #[error(
        "office `{office}`, {day}: the quotas (yellow {yellow}, red {red}, blue {blue}) ask for {asked} items, found {items}; lower a quota"
    )]
    Quota {
        /// The office.
        office: String,
        /// The day.
        day: String,
        /// Items for the document check.
        yellow: usize,
        /// Items for the inspection.
        red: usize,
        /// Items for the audit after clearance.
        blue: usize,
        /// All of them.
        asked: usize,
        /// Items of the day.
        items: usize,
    },
    /// Rules put more items into a lane than its quota.
    #[error(
        "office `{office}`, {day}: rules ask for {asked} items in the lane {lane}, the quota is {quota}; raise it, or make a rule `advisory`"
    )]
    RulesOverQuota {
        /// The office.
        office: String,
        /// The day.
        day: String,
        /// The lane.
        lane: &'static str,
        /// Items that rules put there.
        asked: usize,
        /// Items that may be there.
        quota: usize,
    },
    /// No quota was set for an office.
    #[error("office `{office}`: it has items on {day} and no quota; set one with `quota` or `quota_for_all`")]
    NoQuota {
        /// The office.
        office: String,
        /// A day.
        day: String,
    },
    /// A day that stands in the log already.
    #[error(
        "{day}, office `{office}`, version `{version}`: was decided already (record {record}); nothing is decided twice under one version"
    )]
    DayTwice {
        /// The day.
        day: String,
        /// The office.
        office: String,
        /// Version of model and rules.
        version: String,
        /// Number of the record that says so.
        record: u64,
    },
    /// A decision log is not whole.
    #[error("decision log, line {line}: {reason}")]
    Log {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A step of a simulation has nothing to go on.
    #[error("simulation: {reason}")]
    Simulation {
        /// What is missing.
        reason: String,
    },
}

/// Refuses a setting.
pub(crate) fn refuse<T>(
    what: impl Into<String>,
    expected: impl Into<String>,
    found: impl std::fmt::Display,
) -> Result<T> {
    Err(Error::Setting { what: what.into(), expected: expected.into(), found: found.to_string() })
}
