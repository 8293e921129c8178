//! A toolkit -> an evaluation context with a worker of ours.

use super::{Folders, WorkerPipes, compiler};
use crate::compiler::{PATH_VARIABLE, outer_path};
use crate::toolkit::Toolkit;
use crate::worker;
use anyhow::Context as _;
use haetae_client::SAVED_VARIABLE;
use haetae_display::{channel, kept};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Evaluated once at the start. The macros shadow those of the standard library, so that the
/// toolkit can take the evaluator's marks out of the cell's output; the last line switches on
/// evcxr's handling of `?`, which otherwise costs the first cell that uses it a second compile.
const PROLOGUE: &str = r#"
#[allow(unused_imports)] use haetae::prelude::*;
macro_rules! println { ($($text:tt)*) => { ::haetae::cell::print_line(::std::format_args!($($text)*)) } }
macro_rules! print { ($($text:tt)*) => { ::haetae::cell::print(::std::format_args!($($text)*)) } }
macro_rules! eprint { ($($text:tt)*) => { ::haetae::cell::eprint(::std::format_args!($($text)*)) } }
macro_rules! eprintln {
    ("{}", $value:ident) => { ::haetae::cell::eprint_value(&$value) };
    ($($text:tt)*) => { ::haetae::cell::eprint_line(::std::format_args!($($text)*)) };
}
Ok::<(), std::fmt::Error>(())?;
"#;

pub(super) fn open(toolkit: &Toolkit, pipes: &WorkerPipes, folders: &Folders) -> anyhow::Result<evcxr::EvalContext> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env("LD_LIBRARY_PATH", toolkit.library_path()?)
        .env(worker::OUTPUT_VARIABLE, format!("{},{}", pipes.out, pipes.err))
        .env(worker::TOOLKIT_VARIABLE, toolkit.library())
        .env(channel::KEY_VARIABLE, &pipes.key)
        .env(channel::INPUT_VARIABLE, pipes.input.to_string())
        .env(kept::FOLDER_VARIABLE, folders.keep.folder())
        .env(SAVED_VARIABLE, &folders.saved)
        // A cell that starts cargo means the real one.
        .env("PATH", outer_path())
        .env_remove(PATH_VARIABLE)
        // What `make lab` was called with must not reach a cell's compiler.
        .env_remove("CARGO_MAKEFLAGS")
        .env_remove("MAKEFLAGS");
    // A wish to stop that comes before the worker has its handler must not end it.
    // A cell that runs on must not outlive a kernel that was ended from outside.
    // SAFETY: `signal` and `prctl` are async-signal-safe, and nothing else happens between fork and exec. The thread
    // that starts the worker, after which the second looks, is the evaluator's and ends with the kernel.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_IGN);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    let (mut context, _outputs) =
        evcxr::EvalContext::with_subprocess_command(command).map_err(|error| anyhow::anyhow!("{error}"))?;
    compiler::prepare(&mut context, toolkit).map_err(|error| anyhow::anyhow!("{error}"))?;
    context.eval(PROLOGUE).map_err(|error| anyhow::anyhow!("{}", describe(&error))).context("the prologue")?;
    Ok(context)
}

fn describe(error: &evcxr::Error) -> String {
    match error {
        evcxr::Error::CompilationErrors(errors) => {
            errors.iter().map(evcxr::CompilationError::rendered).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}
