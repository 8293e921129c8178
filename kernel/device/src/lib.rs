//! A net described in JSON, its first weights and batches of numbers -> the net trained on a device -> its weights back.
//!
//! A library that the toolkit loads at run time and speaks to through a few C functions ([`abi`]); nothing else of the
//! workspace links it. Tensors are candle's. Gradients are worked out layer by layer, as on the toolkit's own layers: there is
//! no tape, so that a sequence may be as long as it is and no gradient can be missing without a word.
//!
//! | module | what |
//! |---|---|
//! | [`abi`] | the C functions, and what a caller hands over |
//! | `form`, `place` | what a net is like; where it is trained |
//! | `layers`, `nets` | layers, and the four nets that are made of them |
//! | `loss`, `optimiser`, `trainer` | what is learnt; steps of all weights at once; a net that is being trained |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod abi;
mod batch;
mod form;
mod layers;
mod loss;
mod nets;
mod optimiser;
mod place;
mod trainer;
mod weights;

#[cfg(test)]
mod tests;
