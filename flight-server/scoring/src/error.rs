//! What goes in: failures of definitions, models and days. What comes out: messages that say what is wrong, where, and
//! what to do.

use chrono::NaiveDate;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing was trained, scored or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A definition cannot be read.
    #[error("cannot read the definition {file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A definition is wrong.
    #[error("the definition {file} cannot be used: {reason}")]
    Definition {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The SQL of the features does not work.
    #[error("the sql of the definition fails on {day}: {source}")]
    Sql {
        /// The day.
        day: NaiveDate,
        /// What the warehouse said.
        source: haetae_warehouse::Error,
    },
    /// A column is not what is needed.
    #[error("the sql of the definition, column `{column}`: expected {expected}, found {found}")]
    Column {
        /// The column.
        column: String,
        /// What is needed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The rows are not the items of the day.
    #[error(
        "the sql of the definition does not give the {declared} items of {day}: {left_out} are left out and {foreign} are not \
         of the day; begin with `from today t` and join everything else by `left join`"
    )]
    OtherItems {
        /// The day.
        day: NaiveDate,
        /// Items of the day.
        declared: usize,
        /// Of these, items without a row.
        left_out: usize,
        /// Rows of other items.
        foreign: usize,
    },
    /// A rule's SQL does not fit the columns.
    #[error("rule `{rule}`: {reason}")]
    Rule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule fails on one row.
    #[error("rule `{rule}` fails on the item {item} of {day}: {reason}; nothing was decided")]
    RuleFails {
        /// The rule.
        rule: String,
        /// Declaration and line.
        item: String,
        /// The day.
        day: NaiveDate,
        /// What the warehouse said.
        reason: String,
    },
    /// Rules contradict one another on an item.
    #[error("item {item} of {day}: {source}; nothing was decided")]
    Contradiction {
        /// Declaration and line.
        item: String,
        /// The day.
        day: NaiveDate,
        /// Which rules.
        source: Box<haetae_risk::Error>,
    },
    /// No model is registered or promoted.
    #[error("there is no {what} for the definition `{definition}`: {hint}")]
    NoModel {
        /// `promoted model`, or `model` with its name.
        what: String,
        /// The definition.
        definition: String,
        /// What to do.
        hint: String,
    },
    /// A definition does not say when a model is due.
    #[error("the definition `{definition}` does not say when a new model is due; write [retrain] with every_days")]
    NoPeriod {
        /// The definition.
        definition: String,
    },
    /// Past cases are looked for items alone.
    #[error(
        "the definition `{definition}` is about companies; past cases are looked for by a definition of kind clearance"
    )]
    NotClearance {
        /// The definition.
        definition: String,
    },
    /// There is no such item.
    #[error("there is no item {item} among those declared on {day}")]
    NoItem {
        /// Declaration and line.
        item: String,
        /// The day.
        day: NaiveDate,
    },
    /// A comment cannot be taken.
    #[error("{item}: {reason}; no comment was kept")]
    Comment {
        /// Declaration and line, or `the comments`.
        item: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is not said who acts.
    #[error("expected the name of who promotes the model {model}, found nothing")]
    Nobody {
        /// The model.
        model: String,
    },
    /// The version that a commit builds on is not kept any longer.
    #[error("version {version} of the warehouse is gone; make the call again")]
    Gone {
        /// The version.
        version: u64,
    },
    /// A model does not fit the definition.
    #[error(
        "the model {model} does not fit the definition: expected {expected}, found {found}; train a model by this definition"
    )]
    OtherModel {
        /// The model.
        model: String,
        /// What the definition says.
        expected: String,
        /// What the model has.
        found: String,
    },
    /// The file of a model is gone or another.
    #[error("the file of the model {model} cannot be used ({path}): {reason}")]
    File {
        /// The model.
        model: String,
        /// Where it lies.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// There is too little to learn from.
    #[error("nothing to learn from: {reason}")]
    Training {
        /// What is missing.
        reason: String,
    },
    /// There is nothing to compare.
    #[error("nothing to compare: {reason}")]
    Compare {
        /// What is missing.
        reason: String,
    },
    /// The decision was refused.
    #[error("{day}: {source}; nothing was decided")]
    Decide {
        /// The day.
        day: NaiveDate,
        /// Why.
        source: haetae_risk::Error,
    },
    /// Scores and lanes.
    #[error(transparent)]
    Risk(#[from] haetae_risk::Error),
    /// A model.
    #[error(transparent)]
    Model(#[from] haetae_models::Error),
    /// A feature.
    #[error(transparent)]
    Features(#[from] haetae_features::Error),
    /// The frame library refused.
    #[error("frame: {0}")]
    Frame(#[from] polars::error::PolarsError),
    /// The warehouse refused.
    #[error(transparent)]
    Warehouse(#[from] haetae_warehouse::Error),
    /// Results do not fit their tables: a fault of this program.
    #[error("cannot write the results: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}
