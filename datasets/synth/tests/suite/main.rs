//! Holds what `datasets/README.md` says about the generated administration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod dataset;
mod defects;
mod determinism;
mod integrity;
mod lookup;
mod marginals;
mod output;
mod star;
mod tariff;
mod truth;
