//! Risk from the outside: scores that add up, grades in order, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod binning;
mod data;
mod lanes;
mod log;
mod monitoring;
mod scorecard;
mod simulator;
mod strange;
mod taxpayer;
