//! Support vector machines with a kernel, within bounded memory.

mod cache;
mod function;
mod model;
mod params;
mod pick;
mod smo;

pub(super) use function::Function;
pub use function::Kernel;
pub use model::SvmModel;
pub use params::{CheckedSvm, Svm, SvmParams};
pub(super) use params::{check_gamma, gamma_of};
