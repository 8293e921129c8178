//! What goes in: a definition of what is scored, and a warehouse. What comes out: registered models, and scores, lanes and
//! a log of decisions as tables of the schema `risk`.
//!
//! * [`definition`]: a TOML file -> SQL of the features, training, rules, quotas.
//! * [`train`](fn@train): a definition and matured labels -> a registered model with its file.
//! * [`score`](fn@score): a day's items and a model -> one commit; the same day and version once.
//! * [`Served`]: registered models -> functions of SQL.
//! * [`retrain`](fn@retrain): a period -> a challenger where one is due.
//! * [`similar`](fn@similar): an item -> past cases that are like it.
//! * [`comments`](fn@comments): what officers say of scores -> rows that are kept.
//! * [`verify`](fn@verify): the log of decisions -> whether it is whole.
//! * [`compare`](fn@compare): versions over the same days -> what each would have found.
//!
//! The crate reads by SQL and writes by transactions of the store. What decides is `haetae-risk`, as in a cell.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod clearance;
mod comments;
mod compare;
pub mod definition;
mod digest;
mod encode;
mod error;
mod lanes;
mod log;
mod model_file;
mod read;
mod registry;
mod retrain;
mod rows;
mod rules;
mod score;
mod served;
mod similar;
mod sql;
mod taxpayer;
mod train;
mod verify;
mod ways;

pub use comments::{MOST_COMMENTS, comment, comments};
pub use compare::{Compared, compare};
pub use definition::Definition;
pub use error::{Error, Result};
pub use haetae_risk::Head;
pub use registry::{Registered, models, promote};
pub use retrain::{Retrained, retrain};
pub use score::{Day, Outcome, score};
pub use served::Served;
pub use similar::{Case, Similar, Which, keep_similar, similar};
pub use train::{Trained, train};
pub use verify::{Checked, verify};

/// A warehouse that is read and written.
#[derive(Debug, Clone, Copy)]
pub struct Warehouse<'a> {
    /// Where commits go.
    pub store: &'a haetae_warehouse::store::Store,
    /// What reads it. With one partition sums come in one order: the same data gives the same bytes.
    pub engine: &'a haetae_warehouse::query::Engine,
}

/// Who acts, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// A user, or a scheduled command.
    pub who: String,
    /// The reason, for the register; may be empty.
    pub why: String,
}
