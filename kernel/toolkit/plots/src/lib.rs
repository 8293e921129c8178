//! What goes in: labels and numbers. What comes out: a chart, as a plotly figure for the notebook
//! and as an SVG for everything that runs no scripts. No files are read or written here.
//!
//! ```
//! use haetae_plots::Chart;
//!
//! let offices = ["Incheon".to_string(), "Busan".to_string()];
//! let chart = Chart::bar(&offices, &[0.12, 0.31]).title("Inspection rate").percent_y();
//! assert!(chart.svg().starts_with("<svg"));
//! assert!(chart.bundle().contains_key("application/vnd.plotly.v1+json"));
//! ```
//!
//! All functions take and return concrete types, so that a cell that draws compiles fast.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod chart;
mod color;
mod data;
mod describe;
mod error;
mod figure;
mod scale;
mod svg;

pub use chart::Chart;
pub use error::{Error, Result};
