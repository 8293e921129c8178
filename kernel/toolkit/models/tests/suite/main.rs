//! Models from the outside: figures by their definitions, trees and weights by their formulas, and the clearance recipe
//! on data whose truth is known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod bad_scores;
mod baselines;
mod choosing;
mod clearance;
mod clearance_input;
mod clusters;
mod copies;
mod data;
mod date;
mod device;
mod evaluation;
mod files;
mod forest;
mod forest_classes;
mod forest_refusals;
mod forged;
mod hdbscan;
mod judging;
mod leakage;
mod lightgbm;
mod lightgbm_fit;
mod lightgbm_refusals;
mod lightgbm_text;
mod logistic;
mod maps;
mod metrics;
mod mixtures;
mod multinomial;
mod named_class;
mod nets;
mod sizes;
mod stopping;
mod strange;
mod svm;
mod texts;
mod truncated;
mod values;
