//! Values in, MIME bundles out, and the channel on which a running cell hands them to the kernel.
//!
//! The kernel and the toolkit both depend on this crate and on nothing else of each other's:
//! [`channel`] is the one protocol between them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bundle;
pub mod channel;
pub mod drawing;
pub mod kept;
pub mod pages;
pub mod progress;
pub mod stop;
pub mod table;
pub mod work;

pub use bundle::Bundle;
pub use drawing::Drawing;
pub use pages::Pages;
pub use table::{Table, TableColumn};
