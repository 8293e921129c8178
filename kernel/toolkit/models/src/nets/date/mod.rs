//! Features, fraud and revenue -> a net over the leaves of boosted trees -> probability and revenue of each row.

mod cases;
mod fit;
mod found;
mod model;
mod net;
mod params;

#[cfg(test)]
pub(super) use cases::{Cases, Said};
pub use model::DateNetModel;
#[cfg(test)]
pub(super) use net::{Form, Leafy};
pub use params::{CheckedDateNet, DateNet, DateNetParams};
