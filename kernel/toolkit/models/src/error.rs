//! What can go wrong between features and figures.

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A model that cannot be fitted, applied or judged, with the facts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Features could not be made.
    #[error(transparent)]
    Features(#[from] haetae_features::Error),
    /// The frame library refused.
    #[error("frame: {0}")]
    Frame(#[from] polars::error::PolarsError),
    /// A parameter is out of its range.
    #[error("{model}: parameter `{name}`: expected {expected}, found {found}")]
    Parameter {
        /// Which model.
        model: &'static str,
        /// Which parameter.
        name: &'static str,
        /// Its range.
        expected: String,
        /// The value given.
        found: String,
    },
    /// Two things that belong together have different lengths.
    #[error("{what}: expected {expected} rows, as many as in what belongs to it, found {found}")]
    Rows {
        /// What was given.
        what: &'static str,
        /// Rows of what it belongs to.
        expected: usize,
        /// Rows of the other.
        found: usize,
    },
    /// Nothing to learn from or to score.
    #[error("{what} is empty: expected at least 1 row and 1 feature, found {rows} rows and {columns} features")]
    Empty {
        /// Which matrix.
        what: &'static str,
        /// Its rows.
        rows: usize,
        /// Its features.
        columns: usize,
    },
    /// No rows to judge, or none with a label.
    #[error("{what}: expected at least 1 row with a label, found none among {rows}")]
    NoLabels {
        /// Which rows.
        what: &'static str,
        /// Rows with and without a label.
        rows: usize,
    },
    /// A target value that the model cannot learn.
    #[error("target, row {row}: expected {expected}, found {found}")]
    Target {
        /// Row, counted from 0.
        row: usize,
        /// What the objective needs.
        expected: String,
        /// What stands there.
        found: f64,
    },
    /// An amount that no row can have brought.
    #[error(
        "revenue, row {row}: expected a finite amount of at least 0, found {found}; a row that brought nothing has 0"
    )]
    Revenue {
        /// Row, counted from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// No amounts to learn from.
    #[error(
        "revenue: expected an amount above 0 in one of the {what} at least, found none in {rows}; take a longer period"
    )]
    NoRevenue {
        /// `rows` or `frauds`.
        what: &'static str,
        /// How many rows.
        rows: usize,
    },
    /// A feature that was to have embeddings of its own is not there, or one of numbers.
    #[error("`{name}` was named as an entity, but is none of the categorical features: {found}")]
    Entity {
        /// The name.
        name: String,
        /// Names of the categorical features.
        found: String,
    },
    /// All rows have the same target.
    #[error("target: expected both 0 and 1, found only {found} in {rows} rows; take a longer period")]
    OneClass {
        /// The only value.
        found: f64,
        /// How many rows.
        rows: usize,
    },
    /// All rows have the same class of several.
    #[error("target: expected at least two classes, found only {found} in {rows} rows; take a longer period")]
    OneValue {
        /// The only class.
        found: f64,
        /// How many rows.
        rows: usize,
    },
    /// No row has one of the classes.
    #[error(
        "target: expected rows of each of {classes} classes, found none of class {class} in {rows} rows; take a longer period, or leave that number out"
    )]
    NoClass {
        /// The class.
        class: usize,
        /// How many classes there are.
        classes: usize,
        /// How many rows.
        rows: usize,
    },
    /// A number is missing where every row must have one.
    #[error("{what}, row {row}: expected a number, found NaN")]
    NotANumber {
        /// Which list.
        what: &'static str,
        /// Row, counted from 0.
        row: usize,
    },
    /// A feature's name cannot stand in a model's text.
    #[error(
        "feature `{name}`: its name may not be empty nor hold spaces, quotes or any of , : [ ] {{ }}; rename the column"
    )]
    FeatureName {
        /// The name.
        name: String,
    },
    /// The features are not those that the model was fitted on.
    #[error("feature {position}: the model was fitted on `{expected}`, found `{found}`")]
    FeatureMismatch {
        /// Position, counted from 0.
        position: usize,
        /// Name at the fit; `nothing` past the end.
        expected: String,
        /// Name now; `nothing` past the end.
        found: String,
    },
    /// A number that no sum survives.
    #[error(
        "feature `{feature}`, row {row}: expected a finite number or NaN, found an infinite one; set it to null where it is not known"
    )]
    Infinite {
        /// The feature.
        feature: String,
        /// Row, counted from 0.
        row: usize,
    },
    /// A number whose square is none.
    #[error(
        "feature `{feature}`, row {row}: {found:e} is too large for distances, also in deviations where features are scaled: expected less than 1e150; correct it, or give the column in a greater unit"
    )]
    TooLarge {
        /// The feature.
        feature: String,
        /// Row, counted from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// A row that is scored, beyond all numbers.
    #[error(
        "row {row}: what its features add up to is no finite number; one of them lies too far from those that the model was fitted on: correct it, or leave the row out"
    )]
    TooFar {
        /// Row, counted from 0.
        row: usize,
    },
    /// Nothing that a model could tell rows apart by.
    #[error(
        "features: each of the {columns} has one value only in all {rows} rows (or none at all); expected one that varies"
    )]
    NothingVaries {
        /// Rows.
        rows: usize,
        /// Features.
        columns: usize,
    },
    /// A row cannot weigh that much.
    #[error("weights, row {row}: expected a finite number of at least 0, found {found}")]
    Weight {
        /// Row, counted from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// Rows that weigh nothing beside a penalty.
    #[error(
        "{model}: the weights of all rows together, times `c`, are {found:e}, next to nothing beside the penalty; expected at least {least:e}: give greater weights, or raise `c`"
    )]
    TooLight {
        /// Which model.
        model: &'static str,
        /// What they are.
        found: f64,
        /// What they have to be.
        least: f64,
    },
    /// More rows than a model can count.
    #[error("{model}: expected at most {most} rows, found {rows}; draw a sample of them")]
    TooManyRows {
        /// Which model.
        model: &'static str,
        /// Rows given.
        rows: usize,
        /// Most rows.
        most: usize,
    },
    /// A model needs more of something.
    #[error("{model}: expected at least {expected} {what}, found {found}")]
    TooFewRows {
        /// Which model.
        model: &'static str,
        /// What there is too little of.
        what: &'static str,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A model of distances meets a missing value.
    #[error("feature `{feature}`, row {row}: expected a number, found a missing value; fill it or leave the row out")]
    Missing {
        /// The feature.
        feature: String,
        /// Row, counted from 0.
        row: usize,
    },
    /// A model of distances meets a categorical feature.
    #[error("feature `{feature}` is categorical: there is no distance between its codes; leave it out")]
    NoDistance {
        /// The feature.
        feature: String,
    },
    /// A normal distribution without width.
    #[error(
        "bell {bell} has no width in some direction: features depend on each other, or too few rows are left for it; raise `regularisation` or ask for fewer bells"
    )]
    Flat {
        /// Its number, from 0.
        bell: usize,
    },
    /// A number that is no probability.
    #[error("probabilities, row {row}: expected a number from 0 to 1, found {found}; calibrate the scores first")]
    Probability {
        /// Row, counted from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// The system gave no threads.
    #[error("expected {threads} threads of work, found: {reason}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// A categorical feature holds what is no code.
    #[error(
        "feature `{name}`, row {row}: a category must be a whole number from 0 to 2147483647 or NaN, found {found}"
    )]
    Category {
        /// The feature.
        name: String,
        /// Row, counted from 0.
        row: usize,
        /// What stands there.
        found: f64,
    },
    /// A parameter names a feature that is not there.
    #[error(
        "`{name}` was named as a feature that only raises or lowers the score, but is not among the features: {found}"
    )]
    UnknownFeature {
        /// The name.
        name: String,
        /// Names of the features.
        found: String,
    },
    /// The caller asked to end a fit, or the scoring of rows.
    #[error("cancelled after {done} of {of} {what}; nothing of it was kept")]
    Cancelled {
        /// What was counted.
        what: &'static str,
        /// How many were done.
        done: usize,
        /// How many were asked for.
        of: usize,
    },
    /// A solver ended short of its tolerance.
    #[error(
        "{model}: after {iterations} iterations the gradient is {gradient:e}, expected at most {tolerance:e}; raise `iterations` or `tolerance`"
    )]
    NotConverged {
        /// Which model.
        model: &'static str,
        /// Iterations made.
        iterations: usize,
        /// Largest absolute component of the gradient of the mean loss.
        gradient: f64,
        /// What it was to be.
        tolerance: f64,
    },
    /// A solver of a margin ended short of its tolerance.
    #[error(
        "{model}: after {iterations} {what} a row still lies {violation:e} beyond what the best margin allows, expected at most {tolerance:e}; raise `iterations` or `tolerance`, or lower `c`"
    )]
    NotSettled {
        /// Which model.
        model: &'static str,
        /// What was counted.
        what: &'static str,
        /// How many were made.
        iterations: usize,
        /// By how much the conditions of the best margin are violated.
        violation: f64,
        /// What it was to be.
        tolerance: f64,
    },
    /// Singular values that still changed at the end.
    #[error(
        "{model}: after {iterations} rounds singular values still change by {change:e} of the greatest, expected at most {tolerance:e}; raise `iterations` or `tolerance`"
    )]
    NotSteady {
        /// Which model.
        model: &'static str,
        /// Rounds made.
        iterations: usize,
        /// Greatest change in the last round.
        change: f64,
        /// What it was to be.
        tolerance: f64,
    },
    /// A net whose loss has left the numbers.
    #[error("{model}: in epoch {epoch} the loss is no longer a number; lower `learning_rate` or `clip`")]
    Diverged {
        /// Which model.
        model: &'static str,
        /// Which epoch, from 1.
        epoch: usize,
    },
    /// A device that nets cannot work on.
    #[error("device {device}: {reason}")]
    Device {
        /// Which device.
        device: String,
        /// Why not.
        reason: String,
    },
    /// A device that has too little memory.
    #[error(
        "device {device}: too little memory; lower `batch` or the widths of the net, or take the processor ({reason})"
    )]
    DeviceMemory {
        /// Which device.
        device: String,
        /// What it said.
        reason: String,
    },
    /// Points of a map that have left the numbers.
    #[error("{model}: after {steps} steps points lie beyond all numbers; lower `learning_rate`")]
    Scattered {
        /// Which map.
        model: &'static str,
        /// Steps made.
        steps: usize,
    },
    /// A row of a column of pictures that holds none of the size.
    #[error("pictures `{column}`, row {row}: expected {expected}, found {found}")]
    Picture {
        /// The column.
        column: String,
        /// Row, counted from 0.
        row: usize,
        /// How many numbers.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Pictures of another size than those of the fit.
    #[error("pictures: the model was fitted on {expected} (height x width x channels), found {found}")]
    PictureSize {
        /// Size at the fit.
        expected: String,
        /// Size now.
        found: String,
    },
    /// Probabilities are asked of a model that gives margins.
    #[error("{model}: a margin is no probability; call `calibrated` with rows that it was not fitted on")]
    NotCalibrated {
        /// Which model.
        model: &'static str,
    },
    /// Rows with another number of columns than those of the fit.
    #[error("sparse rows: the model was fitted on {expected} columns, found {found}")]
    Columns {
        /// Columns at the fit; 0 where it was fitted on named features.
        expected: usize,
        /// Columns now.
        found: usize,
    },
    /// Lists that are no matrix of sparse rows.
    #[error("sparse rows, row {row}: {reason}")]
    Sparse {
        /// Row, counted from 0; 0 where it is about all.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// Bytes that do not hold the model that was asked for.
    #[error("the file does not hold this model: {reason}")]
    ModelFile {
        /// Why not.
        reason: String,
    },
    /// A feature is of another type than the model was fitted on.
    #[error(
        "feature `{feature}`: the model was fitted on {expected}, found {found}; make the column as it was for the fit"
    )]
    FeatureType {
        /// The feature.
        feature: String,
        /// Type at the fit.
        expected: &'static str,
        /// Type now.
        found: &'static str,
    },
    /// Text that is no saved model.
    #[error("not a saved LightGBM model: {reason}")]
    ModelText {
        /// What is wrong with it.
        reason: String,
    },
    /// LightGBM itself refused.
    #[error("LightGBM, {call}: {message}")]
    Library {
        /// What it was asked.
        call: &'static str,
        /// What it said.
        message: String,
    },
}
