//! What goes in: SQL, values for its parameters, rows to add. What comes out: record batches, fetched over Arrow
//! Flight SQL.
//!
//! [`Client`] blocks and may be used from any thread; [`AsyncClient`] is the same for those who run
//! tokio themselves. Both log in once, and again where the server was restarted.
//!
//! ```no_run
//! use haetae_client::{Client, ConnectOptions};
//!
//! let client = Client::connect(&ConnectOptions::from_env()?)?;
//! let items = client.query_with(
//!     "select count(*) from fact_item where hs6 = ? and quantity > ?",
//!     &["010121".into(), 5.into()],
//! )?;
//! println!("{} rows", items.rows());
//! # Ok::<(), haetae_client::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod additions;
mod async_client;
mod blocking;
mod error;
mod layout;
mod options;
mod params;
mod result;
mod saved;
mod session;
pub mod sql;
mod stream;

pub use additions::Addition;
pub use async_client::AsyncClient;
pub use blocking::Client;
pub use error::{Error, Result};
pub use layout::frame_type;
pub use options::{ConnectOptions, SECRET_FILE_VARIABLE, URL_VARIABLE, USER, USER_VARIABLE};
pub use params::Param;
pub use result::{QueryResult, TableName};
pub use saved::{SAVED_VARIABLE, SavedQueries};
pub use stream::QueryStream;
