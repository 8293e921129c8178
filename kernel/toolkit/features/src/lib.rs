#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! `DataFrame` of declared items -> [`FeatureMatrix`] for a model, fitted on the past only.
//!
//! A [`FeatureBuilder`] is a list of features by column name. [`FeatureBuilder::fit`] learns
//! categories and past fraud rates from training rows; [`FittedFeatures::transform`] turns any
//! frame with the same columns into numbers.
//!
//! One rule keeps labels out: what a feature says about a row comes from training rows with a
//! *strictly earlier date* than that row's. It holds for training rows and for later rows alike,
//! so there is one `transform` for both, and no row ever sees its own label, a label of the same
//! day, or a label of a later day.
//!
//! ```
//! use haetae_features::{FeatureBuilder, target};
//! use polars::prelude::*;
//!
//! let frame = df!(
//!     "declaration_date" => [18262, 18263, 18263, 18264],
//!     "importer_id" => ["A", "A", "B", "A"],
//!     "net_mass_kg" => [10.0, 20.0, 5.0, 40.0],
//!     "fraud" => [true, false, false, false],
//! )?;
//! let builder = FeatureBuilder::new().numeric("net_mass_kg").history(&["importer_id"], 1.0);
//! let fitted = builder.fit(&frame, "fraud", "declaration_date")?;
//! let features = fitted.transform(&frame)?;
//! // Row 3: importer A was seen twice before that day, once with fraud; overall rate then: 1 of 3.
//! assert_eq!(features.value(3, 1), (1.0 + 1.0 / 3.0) / (2.0 + 1.0));
//! assert_eq!(target(&frame, "fraud")?, [1.0, 0.0, 0.0, 0.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
#[doc(hidden)]
pub mod codec;
mod column;
mod deviation;
mod error;
mod feature;
mod fitted;
mod history;
mod key;
mod matrix;
mod split;
mod stored;

pub use builder::{DECLARATION_KEY, FeatureBuilder};
pub use column::{day_range, labelled_rows, parse_day, target};
pub use error::{Error, Result};
pub use fitted::FittedFeatures;
pub use history::History;
pub use key::KeySet;
pub use matrix::FeatureMatrix;
pub use split::{Fold, Split, group_folds, rows, split_at, time_folds};
