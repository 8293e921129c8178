//! Errors of every kind -> one Jupyter error. The only place where they are worded for a notebook.

use crate::crates::CrateError;
use crate::evaluator::{CellError, Crash, Rejected};
use crate::magics::MagicError;
use crate::plot::PlotError;
use crate::warnings;
use evcxr::CompilationError;
use haetae_display::channel::Failure;
use serde_json::{Value, json};

/// Errors that a cell's author can read; more are rarely of use.
const SHOWN_ERRORS: usize = 5;

/// A failed cell as a Jupyter error. `code` is what the author wrote.
pub fn failure(error: CellError, code: &str) -> Failure {
    match error {
        CellError::Compile(rejected) => compile(&rejected, code),
        CellError::Crashed(crash) => plain(
            "Crashed",
            &format!("the worker process has ended; {}", variables_after(&crash)),
            crash.text.lines().map(str::to_owned).collect(),
        ),
        CellError::VariablesLost(names) => plain(
            "VariablesLost",
            &format!(
                "the type of {} has been redefined; the old value is gone, run the cell that makes it again",
                names.join(", ")
            ),
            Vec::new(),
        ),
        CellError::Refused(text) => plain("EvaluatorError", text.trim(), Vec::new()),
    }
}

/// A cell that ended because the analyst wished it.
pub fn stopped() -> Failure {
    plain("Interrupted", "the cell was stopped; the variables of earlier cells are still there", Vec::new())
}

/// A cell that did not listen, and was ended on a second wish.
pub fn ended(crash: &Crash) -> Failure {
    let message = format!("the cell did not stop and was ended with its worker; {}", variables_after(crash));
    plain("Interrupted", &message, Vec::new())
}

/// What has become of the variables.
fn variables_after(crash: &Crash) -> String {
    let lost = || format!("run the cells again that make {}", crash.lost.join(", "));
    match (crash.back.is_empty(), crash.lost.is_empty()) {
        (true, true) => "there were no variables".to_owned(),
        (true, false) => format!("all variables are gone: {}", lost()),
        (false, true) => "all variables are back as they were before this cell".to_owned(),
        (false, false) => {
            format!("back as they were before this cell: {}; the others are gone: {}", crash.back.join(", "), lost())
        }
    }
}

/// A query that was stopped on request.
pub fn interrupted_query() -> Failure {
    plain("Interrupted", "the query was stopped", Vec::new())
}

/// An SQL cell's failure, in the client's words.
pub fn sql(error: &haetae_client::Error) -> Failure {
    plain("SqlError", &error.to_string(), Vec::new())
}

/// Rows that could not be left for a cell.
pub fn rows(error: &crate::rows::SpillError) -> Failure {
    plain("SqlError", &error.to_string(), Vec::new())
}

/// A failure between a result and its table.
pub fn arrow(error: &arrow::error::ArrowError) -> Failure {
    plain("ArrowError", &error.to_string(), Vec::new())
}

/// A line about a variable that no later cell will see.
pub fn not_kept(name: &str, of: &str) -> String {
    let kind = if of.contains("{closure") {
        "a closure; write it as `fn` to use it in other cells".to_owned()
    } else {
        format!("{of}, which refers to something of this cell; clone it to keep it")
    };
    format!("note: `{name}` ends with this cell, because it is {kind}\n")
}

/// A cell that no parser should be given.
pub fn too_deep(most: usize) -> Failure {
    let message = format!("expected at most {most} brackets within each other, found more; split the expression");
    plain("CompileError", &message, Vec::new())
}

/// A file that a command could not read.
pub fn file(path: &str, error: &std::io::Error) -> Failure {
    plain("FileError", &format!("cannot read {path}: {error}"), Vec::new())
}

/// A name that nothing is known of.
pub fn unknown_name(name: &str) -> Failure {
    let message = format!("nothing is known of `{name}`; `%vars` lists variables, `%help` commands");
    plain("UnknownName", &message, Vec::new())
}

/// A table that the server does not show.
pub fn unknown_table(name: &str) -> Failure {
    let message = format!("there is no table `{name}` that you may see; `%tables` lists those that you may");
    plain("UnknownTable", &message, Vec::new())
}

/// A schema without a table that the server shows.
pub fn unknown_schema(name: &str) -> Failure {
    let message = format!("there is no table that you may see in a schema `{name}`; `%tables` lists all");
    plain("UnknownSchema", &message, Vec::new())
}

/// A command that was not understood.
pub fn magic(error: &MagicError) -> Failure {
    plain("MagicError", &error.to_string(), Vec::new())
}

/// A crate that was not added.
pub fn dependency(error: &CrateError) -> Failure {
    plain("DependencyError", &error.to_string(), error.details().to_vec())
}

/// The build of a crate that was stopped on request.
pub fn stopped_build() -> Failure {
    plain("Interrupted", "the build of the crate was stopped; nothing was added", Vec::new())
}

/// A chart that there is not.
pub fn plot(error: &PlotError) -> Failure {
    plain("PlotError", &error.to_string(), Vec::new())
}

/// A script that may not run here.
pub fn no_bash(variable: &str) -> Failure {
    let message = format!(
        "%%bash is switched off; whoever starts the kernel can allow it: set {variable}=1 in its environment, \
         for instance `{variable}=1 make lab`"
    );
    plain("NotAllowed", &message, Vec::new())
}

/// A script that could not be started or read.
pub fn bash(error: &std::io::Error) -> Failure {
    plain("BashError", &format!("cannot run bash: {error}"), Vec::new())
}

/// A script that did not end well.
pub fn bash_status(status: std::process::ExitStatus) -> Failure {
    plain("BashError", &format!("bash ended with {status}"), Vec::new())
}

/// A script that was stopped on request.
pub fn stopped_bash() -> Failure {
    plain("Interrupted", "the script was stopped, and all processes that it has started", Vec::new())
}

fn plain(name: &str, message: &str, traceback: Vec<String>) -> Failure {
    Failure { name: name.to_owned(), message: message.to_owned(), traceback }
}

fn compile(rejected: &Rejected, code: &str) -> Failure {
    let errors: Vec<&CompilationError> = rejected.errors.iter().filter(|e| e.level() == "error").collect();
    if let (true, Some(first)) = (errors.is_empty(), rejected.checked.first()) {
        let shown = rejected.checked.iter().take(SHOWN_ERRORS);
        let message = first["message"].as_str().unwrap_or_default();
        return plain("CompileError", message, shown.flat_map(|error| checked(error, code)).collect());
    }
    if errors.is_empty() {
        // The evaluator keeps this reason to itself where the compiler has warnings.
        let message = "the type of a variable of this cell cannot be told; write it out, as in `let x: DataFrame = …`";
        return plain("CompileError", message, Vec::new());
    }
    let message = errors.first().map_or("the cell does not compile".to_owned(), |e| e.message());
    let mut traceback: Vec<String> = Vec::new();
    for error in errors.iter().take(SHOWN_ERRORS) {
        traceback.extend(described(error, rejected, code));
    }
    if errors.len() > SHOWN_ERRORS {
        traceback.push(format!("… and {} more errors", errors.len() - SHOWN_ERRORS));
    }
    if begins_like_sql(code) {
        traceback.push(remedy("a query goes to the warehouse in a cell whose first line is `%%sql`"));
    }
    plain("CompileError", &message, traceback)
}

/// One error of a check: what, where in the cell, and what the compiler advises.
fn checked(error: &serde_json::Value, code: &str) -> Vec<String> {
    let code_of = error["code"]["code"].as_str().map(|code| format!("[{code}]")).unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let mut lines = vec![format!("{} {message}", ansi::strong(&format!("error{code_of}:")))];
    let spans = error["spans"].as_array().into_iter().flatten();
    lines.extend(
        spans.filter(|span| span["is_primary"] == true).filter_map(|span| warnings::place(span, code)).flatten(),
    );
    lines.extend(warnings::helps(error));
    lines
}

/// Whether a cell's first word is one with which queries begin, and nothing of Rust does.
fn begins_like_sql(code: &str) -> bool {
    let mut words = code.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    // `show = 1` is Rust.
    let next = words.next().unwrap_or_default().starts_with(|c: char| c.is_alphanumeric() || "*_\"(".contains(c));
    ["select", "with", "show", "describe", "explain"].contains(&first.as_str()) && next
}

fn remedy(text: &str) -> String {
    format!("{} {text}", ansi::remedy("help:"))
}

/// A variable that an error misses, and that an earlier cell had.
fn missed<'a>(error: &CompilationError, rejected: &'a Rejected) -> Option<&'a String> {
    let message = error.message();
    let name = match error.code()? {
        "E0425" => message.strip_prefix("cannot find value `")?,
        "E0423" => message.strip_prefix("expected value, found macro `")?,
        _ => return None,
    };
    rejected.gone.get(name.split('`').next()?)
}

/// The compiler's advice, which sets what it would write behind an empty line.
fn advice(help: &str) -> String {
    match help.split_once("\n\n") {
        Some((text, code)) if text.contains(&format!("`{}`", code.trim())) => text.to_owned(),
        Some((text, code)) => format!("{text}: `{}`", code.trim()),
        None => help.to_owned(),
    }
}

/// One compiler error: what, where in the cell, and what the compiler advises.
fn described(error: &CompilationError, rejected: &Rejected, code: &str) -> Vec<String> {
    let code_of = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let mut lines = vec![format!("{} {}", ansi::strong(&format!("error{code_of}:")), error.message())];
    for message in error.spanned_messages() {
        let Some(span) = &message.span else { continue };
        let place = |line, column| rejected.code.place(code, line, column);
        let Some((line, column)) = place(span.start_line, span.start_column) else { continue };
        let Some(text) = code.lines().nth(line - 1) else { continue };
        let number = line.to_string();
        let indent = " ".repeat(number.len());
        let from = column - 1;
        let to = match place(span.end_line, span.end_column) {
            Some((end, column)) if end == line => column - 1,
            _ => text.chars().count(),
        };
        let (mark, color): (&str, fn(&str) -> String) =
            if message.is_primary { ("^", ansi::strong) } else { ("-", ansi::aside) };
        lines.push(format!("{} {text}", ansi::aside(&format!("{number} |"))));
        // What follows the cell is the evaluator's.
        let label = if message.label.contains("evcxr") { "" } else { message.label.as_str() };
        let label = label.strip_prefix("error: ").filter(|label| *label == error.message()).map_or(label, |_| "");
        let marked = format!("{} {label}", mark.repeat(to.saturating_sub(from).max(1)));
        lines.push(format!("{} {}{}", ansi::aside(&format!("{indent} |")), " ".repeat(from), color(marked.trim_end())));
    }
    match missed(error, rejected) {
        // The compiler advises names that look alike.
        Some(name) => lines.push(remedy(&format!(
            "`{name}` is there no longer: an earlier cell gave its value away or lost it; run the cell again that \
             makes it, and give `{name}.clone()` away"
        ))),
        None => {
            // Lists of all that implements a trait say nothing of the mistake.
            let helps =
                error.help().into_iter().filter(|help| !help.starts_with("the following other types implement"));
            lines.extend(helps.map(|help| remedy(&advice(&help))));
        }
    }
    lines
}

/// The terminal's own colors, which every front end shows in tones of its theme.
mod ansi {
    /// What is wrong.
    pub fn strong(text: &str) -> String {
        format!("\x1b[1;31m{text}\x1b[0m")
    }

    /// Where it is, and what belongs to it.
    pub fn aside(text: &str) -> String {
        format!("\x1b[34m{text}\x1b[0m")
    }

    /// What to do about it.
    pub fn remedy(text: &str) -> String {
        format!("\x1b[32m{text}\x1b[0m")
    }
}

/// The content of a Jupyter `error`. Its `traceback` has the first line in red, then the details.
pub fn content(failure: &Failure) -> Value {
    let mut lines = vec![format!("{}: {}", ansi::strong(&failure.name), failure.message)];
    lines.extend(failure.traceback.iter().cloned());
    json!({"ename": failure.name, "evalue": failure.message, "traceback": lines})
}
