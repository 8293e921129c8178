//! Support vector machines: a plane with the widest margin between targets, in the features themselves or in what a
//! kernel makes of them.

mod kernel;
mod linear;
mod nystroem;

pub use kernel::{CheckedSvm, Kernel, Svm, SvmModel, SvmParams};
pub use linear::{CheckedLinearSvm, LinearSvm, LinearSvmModel, LinearSvmParams, MarginLoss};
pub use nystroem::{CheckedNystroem, Nystroem, NystroemModel, NystroemParams};
