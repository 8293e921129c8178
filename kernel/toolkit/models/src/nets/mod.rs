//! Nets, and what trains them: cases and a target -> fitted weights -> probabilities.
//!
//! | module | what |
//! |---|---|
//! | `real`, `matrix`, `product` | numbers, matrices, their product |
//! | `layer`, `dense`, `front`, `table`, `attention`, `focus`, `steps` (`lstm`, `gru`), `picture` | layers: forward, and backward by hand |
//! | `goal`, `optimiser`, `training` | what is learnt; steps of the weights; epochs, batches, an early end |
//! | `device` | where all this happens: here, or in a library that works on a GPU |
//! | `fcnn`, `recurrent` with `sequences`, `cnn` with `pictures`, `date` | the estimators and what they learn from |
//!
//! Why layers of our own: `docs/decisions/0010-nets-of-our-own.md`; candle for GPUs: `0018-nets-on-a-device.md`.

mod attention;
mod cnn;
mod date;
mod dense;
mod device;
mod fcnn;
mod focus;
mod front;
mod goal;
mod gru;
mod layer;
mod lstm;
mod matrix;
mod methods;
mod optimiser;
mod picture;
mod pictures;
mod product;
mod real;
mod recurrent;
mod sequences;
mod steps;
mod table;
mod training;
mod weights;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole;

pub use cnn::{CheckedCnn, Cnn, CnnModel, CnnParams};
pub use date::{CheckedDateNet, DateNet, DateNetModel, DateNetParams};
pub use device::Device;
pub use fcnn::{CheckedFcnn, Fcnn, FcnnModel, FcnnParams};
pub use optimiser::{Optimiser, Schedule};
pub use pictures::Pictures;
pub use recurrent::{CheckedRecurrent, Gates, Recurrent, RecurrentModel, RecurrentParams};
pub use sequences::Sequences;
pub use training::Epoch;
