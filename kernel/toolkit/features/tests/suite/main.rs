//! Features from the outside: what a row may know, what every column becomes, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod columns;
mod data;
mod errors;
mod keys;
mod matrix;
mod past;
mod split;
