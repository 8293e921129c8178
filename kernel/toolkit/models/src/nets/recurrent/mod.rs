//! Sequences and targets -> a net that goes along them -> the probability of each row, from its past and itself.

mod chain;
mod model;
mod params;

#[cfg(test)]
pub(super) use chain::Chain;
pub use model::RecurrentModel;
pub use params::{CheckedRecurrent, Gates, Recurrent, RecurrentParams};
