#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! Scores, rules and what officers know -> a score with its grade and reasons for a company, a lane with its reason for a
//! declared item, a log of what was decided, and what other ways to decide would have found.
//!
//! Pure: frames in, frames out. Nothing is read, written or asked of a clock.
//!
//! ```
//! use haetae_risk::{Factor, Taxpayer, by_grade};
//! use polars::prelude::*;
//!
//! let late: Vec<i64> = (0..600).map(|i| i % 8).collect();
//! let region: Vec<&str> = (0..600).map(|i| ["north", "south", "port"][i / 8 % 3]).collect();
//! let bad: Vec<bool> = (0..600_i64).map(|i| i * 7919 % 100 < 4 + 6 * (i % 8) + 20 * i64::from(i / 8 % 3 == 2)).collect();
//! let companies = df!("late_filings" => late, "region" => region, "bad" => bad)?;
//!
//! let model = Taxpayer::params()
//!     .factor(Factor::new("many late filings", col("late_filings").gt(lit(6)), 25).owner("audit"))
//!     .fit(&companies, "bad")?;
//! let scored = model.score(&companies)?;
//! println!("{scored}\n{}", by_grade(&scored, "bad")?);
//! println!("{}", model.explain(&companies, 7)?);
//! println!("{}", model.counterfactual(&companies, 7, 5, &["late_filings"])?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binning;
mod condition;
mod error;
mod frame;
mod lanes;
mod log;
mod monitoring;
mod scorecard;
mod simulator;
mod taxpayer;

pub use binning::{Attribute, Bin, Binning, Bins, Direction, Unseen};
pub use error::{Error, Result};
pub use lanes::{DecisionTable, Decisions, Lane, Quota, Rule, Why};
pub use log::{DecisionLog, Fault, Head, Origin, Verified, verify, verify_after};
pub use monitoring::{Ranking, by_grade, by_period, csi, fairness, hit_rates, ranking, score_psi};
pub use scorecard::{Against, Scale, Scorecard, ScorecardModel, ScorecardParams};
pub use simulator::{Difference, Drift, DriftingItems, Policy, Replay, Replayed, TradeItems, paired_difference};
pub use taxpayer::{
    Change, Counterfactual, Explanation, Factor, MasterScale, Part, Taxpayer, TaxpayerModel, TaxpayerParams,
};
