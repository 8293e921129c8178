//! What a cell sees without importing anything: the verbs of the toolkit and the frame library.
//!
//! Names are listed one by one where a crate also has an `Error` and a `Result` of its own: a cell
//! must see those of the standard library.

pub use crate::client::ConnectOptions;
pub use crate::columns::ColumnValues;
pub use crate::features::{
    DECLARATION_KEY, FeatureBuilder, FeatureMatrix, FittedFeatures, KeySet, Split, group_folds, rows, split_at, target,
};
pub use crate::models::{
    Clearance, ClearanceModel, ClearanceRun, Evaluation, ImporterHistory, LightGbm, LightGbmModel, Logistic,
    LogisticModel, Lookup, Protocol, metrics,
};
pub use crate::plots::Chart;
pub use crate::session::{Connection, connect, sql};
pub use crate::show::{CellDisplay as _, Show};
pub use polars;
pub use polars::prelude::*;
