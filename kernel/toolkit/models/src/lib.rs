#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! Feature matrix and target -> fitted model -> scores -> figures beside their baselines.
//!
//! Every model goes the same way: parameters, which are checked, then `fit`, then `predict`.
//!
//! ```
//! use haetae_features::FeatureMatrix;
//! use haetae_models::{LightGbm, metrics};
//!
//! let x: Vec<f64> = (0..200).map(f64::from).collect();
//! let target: Vec<f64> = x.iter().map(|&x| f64::from(x >= 120.0)).collect();
//! let features = FeatureMatrix::new(vec!["x".to_owned()], vec![x], vec![false])?;
//!
//! let model = LightGbm::params().trees(20).leaves(4).fit(&features, &target)?;
//! let scores = model.predict(&features)?;
//! assert!(metrics::auc(&target, &scores)? > 0.99);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Clearance`] is the ready recipe for customs declarations: frames in, fitted features, model
//! and evaluation out.

mod baseline;
mod check;
mod clearance;
mod contributions;
mod error;
mod evaluation;
mod lightgbm;
mod logistic;
pub mod metrics;

pub use baseline::{ImporterHistory, Lookup};
pub use clearance::{Clearance, ClearanceModel, ClearanceRun, Stage};
pub use contributions::Contributions;
pub use error::{Error, Result};
pub use evaluation::{Audit, Evaluation, Protocol, RATES, Score};
pub use lightgbm::{CheckedLightGbm, LightGbm, LightGbmModel, LightGbmParams, Metric, Objective, Progress, Step};
pub use logistic::{CheckedLogistic, Logistic, LogisticModel, LogisticParams};
