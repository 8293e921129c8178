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
mod bootstrap;
mod calibration;
mod check;
mod choice;
mod class_weight;
mod clearance;
mod clustering;
mod components;
mod contributions;
mod drift;
mod error;
mod evaluation;
mod file;
mod forest;
mod importance;
mod isolation;
mod lanes;
mod leaf_logistic;
mod learning;
mod lightgbm;
mod linear;
mod logistic;
mod maps;
pub mod metrics;
mod nets;
mod progress;
mod random;
mod range;
mod svm;
mod text;
mod threads;
mod unit;

pub use baseline::{ImporterHistory, Lookup};
pub use bootstrap::{Figure, Interval, bootstrap};
pub use calibration::{Isotonic, Platt, Reliability, ReliabilityBin, reliability};
pub use choice::{Candidate, Choice, choose_in_time, choose_on_folds};
pub use class_weight::ClassWeight;
pub use clearance::{Clearance, ClearanceModel, ClearanceRun, Stage};
pub use clustering::{
    CheckedDbscan, CheckedGaussianMixture, CheckedHdbscan, CheckedKMeans, ClusterProfile, Covariance, Dbscan,
    DbscanModel, DbscanParams, GaussianMixture, GaussianMixtureModel, GaussianMixtureParams, Hdbscan, HdbscanModel,
    HdbscanParams, KMeans, KMeansModel, KMeansParams, Profiles, adjusted_rand_index, silhouette, silhouette_sampled,
};
pub use components::{
    CheckedPca, CheckedTruncatedSvd, Pca, PcaModel, PcaParams, TruncatedSvd, TruncatedSvdModel, TruncatedSvdParams,
};
pub use contributions::Contributions;
pub use drift::{drift, psi};
pub use error::{Error, Result};
pub use evaluation::{Audit, Evaluation, FitFrames, LeakageAudit, Protocol, RATES, Score};
pub use file::{ModelCard, ModelFile};
pub use forest::{CheckedRandomForest, OutOfBag, RandomForest, RandomForestModel, RandomForestParams};
pub use importance::permutation_importance;
pub use isolation::{CheckedIsolationForest, IsolationForest, IsolationForestModel, IsolationForestParams};
pub use leaf_logistic::{CheckedLeafLogistic, LeafLogistic, LeafLogisticModel, LeafLogisticParams};
pub use learning::{FitAndScore, learning_curve};
pub use lightgbm::{
    CheckedLightGbm, LightGbm, LightGbmModel, LightGbmParams, Metric, Objective, OwnLoss, Progress, Step,
};
pub use linear::SparseMatrix;
pub use logistic::{
    CheckedLogistic, CheckedMultinomialLogistic, Logistic, LogisticModel, LogisticParams, MultinomialLogistic,
    MultinomialLogisticModel, MultinomialLogisticParams, Penalty,
};
pub use maps::{CheckedTsne, CheckedUmap, PointMap, Tsne, TsneParams, Umap, UmapParams};
pub use nets::{
    CheckedCnn, CheckedDateNet, CheckedFcnn, CheckedRecurrent, Cnn, CnnModel, CnnParams, DateNet, DateNetModel,
    DateNetParams, Device, Epoch, Fcnn, FcnnModel, FcnnParams, Gates, Optimiser, Pictures, Recurrent, RecurrentModel,
    RecurrentParams, Schedule, Sequences,
};
pub use random::Random;
pub use svm::{
    CheckedLinearSvm, CheckedNystroem, CheckedSvm, Kernel, LinearSvm, LinearSvmModel, LinearSvmParams, MarginLoss,
    Nystroem, NystroemModel, NystroemParams, Svm, SvmModel, SvmParams,
};
pub use text::{CheckedTfidf, Tfidf, TfidfModel, TfidfParams};
