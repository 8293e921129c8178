//! The one crate that a notebook cell imports: `use haetae::prelude::*;` (the kernel does it).
//!
//! ```no_run
//! use haetae::prelude::*;
//! let items = sql("select hs6, count(*) as n from fact_item group by hs6 order by n desc")?;
//! Chart::bar(&items.texts("hs6")?, &items.numbers("n")?).title("Items by HS code").show();
//! # Ok::<(), haetae::Error>(())
//! ```
//!
//! Every public function is blocking and takes and returns concrete types: a cell that calls one
//! compiles in about a tenth of a second, because nothing has to be instantiated in the cell.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cell;
mod columns;
pub mod comm;
pub mod course;
pub mod drawing;
mod error;
mod explained;
pub mod frame;
mod input;
mod judged;
pub mod keep;
mod model_file;
pub mod prelude;
mod progress;
mod session;
mod shortened;
mod show;
mod tables;
pub mod variables;
mod waiting;
mod watch;

pub use columns::ColumnValues;
pub use error::{Error, Result};
pub use haetae_client as client;
pub use haetae_display as display;
pub use haetae_features as features;
pub use haetae_models as models;
pub use haetae_plots as plots;
pub use haetae_risk as risk;
pub use input::{input, password};
pub use model_file::{SaveModel, model_card};
pub use polars;
pub use progress::Progress;
pub use serde_json;
pub use session::{Connection, append_to, connect, replace_table, sql};
pub use show::{CellDisplay, Show, bundle_of, clear_output};
pub use tokio;
