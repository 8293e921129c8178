//! One cell through evcxr: types written out, tried, and tried again where that does not compile.

use super::{CellError, Crash, Rejected};
use crate::inference::{Code, Inference, moved_variable};
use crate::keep::Keep;

/// Moved variables after which a cell is no longer tried again.
const MOST_MOVED: usize = 64;

/// Runs `code` with the variables that are there `before`; those of its own that could not be kept.
pub(super) fn run(
    context: &mut evcxr::EvalContext,
    inference: &Inference,
    before: &[(String, String)],
    code: &str,
) -> Result<Vec<(String, String)>, CellError> {
    let mut moved = Vec::new();
    loop {
        let typed = inference.with_types(code, before, &moved);
        return match context.eval(typed.code.text()) {
            Ok(_) => {
                inference.keep_items(code);
                Ok(typed.not_kept)
            }
            Err(evcxr::Error::CompilationErrors(errors)) => {
                // Writing a variable's type at the end of the cell uses it once more, which a value that has
                // been given away does not allow: then it is left where it went.
                let found = errors.iter().filter(|error| error.code() == Some("E0382"));
                let found: Vec<String> =
                    found.filter_map(|error| moved_variable(&error.message()).map(str::to_owned)).collect();
                if found.iter().any(|name| !moved.contains(name)) && moved.len() < MOST_MOVED {
                    moved.extend(found);
                    continue;
                }
                match typed.plain {
                    // Reported, or run, as the author has written it.
                    Some(plain) => match context.eval(plain.text()) {
                        Ok(_) => {
                            inference.keep_items(code);
                            Ok(typed.not_kept)
                        }
                        Err(error) => Err(refused(error, plain)),
                    },
                    None => Err(refused(evcxr::Error::CompilationErrors(errors), typed.code)),
                }
            }
            Err(error) => Err(refused(error, typed.code)),
        };
    }
}

/// Why `code` was not run to its end.
pub(super) fn refused(error: evcxr::Error, code: Code) -> CellError {
    match error {
        evcxr::Error::CompilationErrors(errors) => CellError::Compile(Rejected { errors, code, ..Rejected::default() }),
        evcxr::Error::SubprocessTerminated(text) => CellError::Crashed(Crash { text, ..Crash::default() }),
        evcxr::Error::TypeRedefinedVariablesLost(names) => CellError::VariablesLost(names),
        evcxr::Error::Message(text) => CellError::Refused(text),
    }
}

/// How the worker has ended, if it has; then there is another one.
pub(super) fn probe(context: &mut evcxr::EvalContext) -> Option<CellError> {
    match context.eval("();") {
        Err(error @ evcxr::Error::SubprocessTerminated(_)) => Some(refused(error, Code::default())),
        _ => None,
    }
}

pub(super) fn variables(context: &evcxr::EvalContext) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        context.variables_and_types().map(|(name, of)| (name.to_owned(), of.to_owned())).collect();
    all.sort();
    all
}

/// Starts another worker with what can be had of the variables.
pub(super) fn bring_back(
    context: &mut evcxr::EvalContext,
    keep: &Keep,
    before: &[(String, String)],
    crash: &mut Crash,
) {
    let restoring = keep.restoring(before);
    (crash.back, crash.lost) = (restoring.back, restoring.lost);
    if crash.back.is_empty() {
        return;
    }
    keep.begin(&restoring.code);
    if context.eval(&restoring.code).is_err() || crash.back.iter().any(|name| !is_variable(context, name)) {
        crash.lost.append(&mut crash.back);
    }
}

fn is_variable(context: &evcxr::EvalContext, name: &str) -> bool {
    context.variables_and_types().any(|(known, _)| known == name)
}
