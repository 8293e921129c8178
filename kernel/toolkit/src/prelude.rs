//! What a cell sees without importing anything: the verbs of the toolkit and the frame library.
//!
//! Names are listed one by one where a crate also has an `Error` and a `Result` of its own: a cell
//! must see those of the standard library.

pub use crate::cell::stop_if_asked;
pub use crate::client::ConnectOptions;
pub use crate::columns::ColumnValues;
pub use crate::comm::{Comm, on_comm};
pub use crate::course;
pub use crate::explained::Explained as _;
pub use crate::features::{
    DECLARATION_KEY, FeatureBuilder, FeatureMatrix, FittedFeatures, Fold, KeySet, Split, group_folds, rows, split_at,
    target, time_folds,
};
pub use crate::input::{input, password};
pub use crate::judged::{Judged as _, chart_of_clusters};
pub use crate::model_file::{SaveModel as _, model_card};
pub use crate::models::{
    Audit, Choice, ClassWeight, Clearance, ClearanceModel, ClearanceRun, ClusterProfile, Cnn, CnnModel, CnnParams,
    Contributions, Covariance, DateNet, DateNetModel, DateNetParams, Dbscan, DbscanModel, DbscanParams, Device,
    Evaluation, Fcnn, FcnnModel, FcnnParams, Gates, GaussianMixture, GaussianMixtureModel, GaussianMixtureParams,
    Hdbscan, HdbscanModel, HdbscanParams, ImporterHistory, Interval, IsolationForest, IsolationForestModel,
    IsolationForestParams, Isotonic, KMeans, KMeansModel, KMeansParams, Kernel, LeafLogistic, LeafLogisticModel,
    LeafLogisticParams, LeakageAudit, LightGbm, LightGbmModel, LightGbmParams, LinearSvm, LinearSvmModel,
    LinearSvmParams, Logistic, LogisticModel, LogisticParams, Lookup, MarginLoss, ModelCard, MultinomialLogistic,
    MultinomialLogisticModel, MultinomialLogisticParams, Nystroem, NystroemModel, NystroemParams, Objective, Optimiser,
    OutOfBag, Pca, PcaModel, PcaParams, Penalty, Pictures, Platt, PointMap, Profiles, Protocol, RandomForest,
    RandomForestModel, RandomForestParams, Recurrent, RecurrentModel, RecurrentParams, Reliability, Schedule, Score,
    Sequences, SparseMatrix, Svm, SvmModel, SvmParams, Tfidf, TfidfModel, TfidfParams, TruncatedSvd, TruncatedSvdModel,
    TruncatedSvdParams, Tsne, TsneParams, Umap, UmapParams, adjusted_rand_index, bootstrap, choose_in_time,
    choose_on_folds, drift, learning_curve, metrics, permutation_importance, psi, reliability, silhouette,
    silhouette_sampled,
};
pub use crate::plots::Chart;
pub use crate::progress::Progress;
pub use crate::risk::{
    Against, Binning, Bins, Counterfactual, DecisionLog, DecisionTable, Decisions, Difference, Drift, DriftingItems,
    Explanation, Factor, Head, Lane, MasterScale, Origin, Policy, Quota, Ranking, Replay, Replayed, Rule, Scale,
    Scorecard, ScorecardModel, ScorecardParams, Taxpayer, TaxpayerModel, TaxpayerParams, TradeItems, Unseen, Verified,
};
pub use crate::session::{Connection, append_to, connect, replace_table, sql};
pub use crate::show::{CellDisplay as _, Show, clear_output};
pub use polars;
pub use polars::prelude::*;
pub use serde_json::json;
pub use tokio;
