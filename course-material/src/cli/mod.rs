//! Parts of the command line.

pub mod cohort;
pub mod runs;
