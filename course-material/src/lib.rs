//! The sources of the course, to notebooks that trainees work in; and what they hand in, to points and advice.
//!
//! One folder a module holds the lesson, the exercise with solution and checks, and the instructor's page, all
//! in Markdown. [`build`] makes the notebooks, the same bytes each time; [`grade`] runs a submission.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod build;
pub mod check;
pub mod cohort;
pub mod error;
pub mod grade;
pub mod notebook;
pub mod progress;
pub mod project;
pub mod source;
pub mod words;

pub use error::{Error, Mistake, Result};
pub use source::Course;
