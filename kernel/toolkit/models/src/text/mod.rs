//! Texts -> sparse rows that linear models learn from.

mod model;
mod params;
mod words;

pub use model::TfidfModel;
pub use params::{CheckedTfidf, Tfidf, TfidfParams};
