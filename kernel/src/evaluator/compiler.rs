//! How the evaluator calls the compiler.

use crate::toolkit::Toolkit;
use evcxr::{Error, EvalContext};

/// Settings of every kernel.
pub(super) fn prepare(context: &mut EvalContext, toolkit: &Toolkit) -> Result<(), Error> {
    let mut state = context.state();
    state.set_offline_mode(true);
    state.set_error_format("{}")?;
    context.eval_with_state("", state)?;
    configure(context, toolkit, 0)
}

/// Compiles later cells at an optimisation level, and against the crates that the toolkit names. No cell
/// runs for this: the evaluator takes a state over as it is where there is no code.
pub(super) fn configure(context: &mut EvalContext, toolkit: &Toolkit, level: u8) -> Result<(), Error> {
    let mut state = context.state();
    // Unit separators instead of blanks: a path may hold a blank.
    state.set_build_env("CARGO_ENCODED_RUSTFLAGS", &toolkit.rustc_arguments().join("\x1f"));
    state.set_opt_level(&level.to_string())?;
    context.eval_with_state("", state).map(drop)
}
