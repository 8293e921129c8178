//! A trainee's answer and the right one, both as plain values, to a verdict in words; and a check as the
//! text that stands in a cell. No I/O: who calls brings the values.
//!
//! The program that builds the course seals checks, the toolkit opens them in a cell: neither may use the
//! other, so what both mean by a check stands here.
//!
//! ```
//! use haetae_check::{Check, Table, Value, compare};
//!
//! let check = Check { exercise: "q1".into(), query: "select 1 as lines".into(), ..Check::default() };
//! let right = Table::new([("lines", vec![Value::Number(1.0)])]);
//! let wrong = Table::new([("lines", vec![Value::Number(2.0)])]);
//! assert_eq!(compare(&check, &right, &right), None);
//! assert!(compare(&check, &wrong, &right).is_some_and(|finding| finding.to_string().contains("`lines`")));
//! assert_eq!(Check::open(&check.seal()?)?, check);
//! # Ok::<(), haetae_check::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod compare;
mod finding;
mod says;
mod sealed;
mod table;

pub use compare::compare;
pub use finding::{Difference, Finding};
pub use says::{Language, Says};
pub use sealed::{Check, Error, Order, TRAINEE, Trap};
pub use table::{Table, Value};
