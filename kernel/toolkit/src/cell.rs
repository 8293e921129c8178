//! The toolkit's side of a running cell: output in order, panics and failed `?` as reports, data
//! that an SQL cell left behind. Called by the kernel's worker and by the prologue of every cell;
//! an analyst has no need of it.
//!
//! The evaluator marks three events by lines on stdout. [`print_line`] takes them out of the
//! stream again, so that a cell's own output is never mistaken for them.

use crate::display::channel::{Failure, Frame, INPUT_VARIABLE, KEY_VARIABLE, ToCell, send};
use crate::display::stop;
use crate::variables::{USER_ERROR_OCCURRED, VARIABLE_CHANGED_TYPE};
pub use crate::waiting::wait;
use crate::{Error, Result, comm, keep};
use polars::frame::DataFrame;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::FromRawFd;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// What the evaluator prints when it has caught a panic.
const PANIC_MARK: &str = "EVCXR_PANIC_NOTIFICATION";

/// What has happened in the cell that runs.
#[derive(Default)]
struct CellState {
    /// The error of a `?`, or the last line for stderr: which of the two is known one call later.
    pending: Option<Pending>,
    /// The last panic of any thread.
    panic: Option<Failure>,
    failure: Option<Failure>,
    /// Lines that the evaluator waits for on its own channel.
    marks: Vec<String>,
}

struct Pending {
    type_name: String,
    text: String,
}

static STATE: Mutex<CellState> = Mutex::new(CellState { pending: None, panic: None, failure: None, marks: Vec::new() });

fn state() -> MutexGuard<'static, CellState> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key() -> Option<&'static str> {
    static KEY: OnceLock<Option<String>> = OnceLock::new();
    KEY.get_or_init(|| std::env::var(KEY_VARIABLE).ok()).as_deref()
}

/// Ends the cell where the analyst has pressed the stop button; otherwise does nothing. Printing and
/// the toolkit's own loops look for themselves: a long loop of one's own calls this once a round.
pub fn stop_if_asked() {
    if stop::requested() {
        // Not a defect that a panic hook should describe: the evaluator catches it, variables stay.
        std::panic::resume_unwind(Box::new("the cell was stopped"));
    }
}

/// A line that the analyst types below the cell.
///
/// # Errors
/// [`Error::Input`] where nobody can be asked: outside of a notebook, or in a run without an analyst.
pub fn ask(prompt: &str, password: bool) -> Result<String> {
    let refused = |reason: &str| Error::Input { reason: reason.to_owned() };
    let Some(answers) = ANSWERS.get() else { return Err(refused("this program does not run in a notebook")) };
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    display(Frame::Ask { prompt: prompt.to_owned(), password });
    match answers.recv() {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(reason)) => Err(refused(&reason)),
        Err(_) => Err(refused("the kernel has gone")),
    }
}

/// What was typed, or why nothing was; there once the worker listens to the kernel.
static ANSWERS: OnceLock<Mutex<Receiver<Result<String, String>>>> = OnceLock::new();

/// Listens to what the kernel tells the worker: answers go to whoever has asked, comms to their handlers.
fn listen() {
    let Some(descriptor) = std::env::var(INPUT_VARIABLE).ok().and_then(|text| text.parse().ok()) else { return };
    // SAFETY: the kernel opened this descriptor for the worker, and nothing else here uses it.
    let input = BufReader::new(unsafe { File::from_raw_fd(descriptor) });
    let (typed, answers) = channel();
    if ANSWERS.set(Mutex::new(answers)).is_err() {
        return;
    }
    std::thread::spawn(move || {
        for line in input.lines().map_while(|line| line.ok()) {
            let _ = match ToCell::decode(&line) {
                Some(ToCell::Typed(text)) => typed.send(Ok(text)),
                Some(ToCell::Refused(reason)) => typed.send(Err(reason)),
                Some(ToCell::Comm(message)) => {
                    comm::handle(message);
                    display(Frame::Handled);
                    Ok(())
                }
                None => Ok(()),
            };
        }
    });
}

/// Sends a frame to the kernel; without one, prints the text of what it shows.
pub fn display(frame: Frame) {
    flush_pending();
    let mut out = io::stdout().lock();
    // A closed stdout means that the kernel is gone: there is nobody left to tell.
    let _ = match key() {
        Some(key) => send(&mut out, key, &frame),
        None => match frame {
            Frame::Result(bundle) | Frame::Display { bundle, .. } => writeln!(out, "{}", bundle.plain()),
            _ => Ok(()),
        },
    };
}

/// `println!` of a cell.
pub fn print_line(line: fmt::Arguments<'_>) {
    let line = line.to_string();
    if key().is_some() && take_mark(&line) {
        return;
    }
    flush_pending();
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    drop(out);
    stop_if_asked();
}

/// `print!` of a cell.
pub fn print(text: fmt::Arguments<'_>) {
    flush_pending();
    let _ = io::stdout().lock().write_fmt(text);
    stop_if_asked();
}

/// `eprintln!` of a cell.
pub fn eprint_line(line: fmt::Arguments<'_>) {
    flush_pending();
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// `eprint!` of a cell.
pub fn eprint(text: fmt::Arguments<'_>) {
    flush_pending();
    let _ = io::stderr().lock().write_fmt(text);
}

/// `eprintln!("{}", name)` of a cell. The evaluator's own code for a failed `?` is of this form and
/// followed by its mark; the line is held back until the next call tells which of the two it was.
pub fn eprint_value<T: fmt::Display>(value: &T) {
    flush_pending();
    state().pending = Some(Pending { type_name: std::any::type_name::<T>().to_owned(), text: value.to_string() });
}

fn flush_pending() {
    let pending = state().pending.take();
    if let Some(pending) = pending {
        let _ = writeln!(io::stderr().lock(), "{}", pending.text);
    }
}

/// True where `line` was a mark of the evaluator's.
fn take_mark(line: &str) -> bool {
    let mut state = state();
    match line {
        PANIC_MARK => {
            let panic = state.panic.take();
            state.failure = Some(panic.unwrap_or_else(|| failure("panic", "the cell panicked")));
        }
        USER_ERROR_OCCURRED => {
            state.failure = Some(match state.pending.take() {
                Some(pending) => failure(short_type(&pending.type_name), &pending.text),
                None => failure("error", "`?` met an error without a text"),
            });
        }
        _ if line.starts_with(VARIABLE_CHANGED_TYPE) => {}
        _ => return false,
    }
    state.marks.push(line.to_owned());
    true
}

/// What the last panic said; forgotten with the call.
pub(crate) fn last_panic() -> String {
    state().panic.take().map_or_else(|| "without a message".to_owned(), |panic| panic.message)
}

fn failure(name: &str, message: &str) -> Failure {
    Failure { name: name.to_owned(), message: message.to_owned(), traceback: Vec::new() }
}

/// `haetae_client::error::Error` -> `haetae_client::Error`; `alloc::boxed::Box<dyn …>` -> `Error`.
fn short_type(type_name: &str) -> &str {
    match type_name.rsplit("::").next().unwrap_or(type_name) {
        // A text as an error has no name of its own.
        "String" | "&str" | "str" => "Error",
        _ if type_name.contains('<') => "Error",
        name => name,
    }
}

/// Called by the worker from its signal handler: the analyst wants the cell to stop.
#[unsafe(no_mangle)]
pub extern "C" fn haetae_cell_stop() {
    stop::request();
}

/// Called by the worker before each cell: a wish to stop the one before is forgotten.
#[unsafe(no_mangle)]
pub extern "C" fn haetae_cell_begin() {
    stop::clear();
}

/// Called once when the worker has loaded the toolkit: from here on a panic is a report.
#[unsafe(no_mangle)]
pub extern "C" fn haetae_cell_start() {
    listen();
    std::panic::set_hook(Box::new(|info| {
        let message = match (info.payload().downcast_ref::<&str>(), info.payload().downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "panic with a value that is not text".to_owned(),
        };
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let mut panic = failure("panic", &message);
        if !place.is_empty() {
            panic.traceback.push(format!("at {place}"));
        }
        state().panic = Some(panic);
    }));
}

/// Called by the worker after each cell: closes its output and gives the evaluator's marks back,
/// joined by newlines, as a C string that lives until the next call.
#[unsafe(no_mangle)]
pub extern "C" fn haetae_cell_end() -> *const std::ffi::c_char {
    static MARKS: Mutex<Option<std::ffi::CString>> = Mutex::new(None);
    flush_pending();
    let (failure, stray, marks) = {
        let mut state = state();
        (state.failure.take(), state.panic.take(), std::mem::take(&mut state.marks))
    };
    if failure.is_none()
        && let Some(panic) = stray
    {
        // A thread of the cell's own panicked; the cell itself went on.
        let _ = writeln!(io::stderr().lock(), "a thread panicked: {}", panic.message);
    }
    let _ = io::stderr().lock().flush();
    let mut out = io::stdout().lock();
    let _ = match (key(), failure) {
        (Some(key), Some(failure)) => send(&mut out, key, &Frame::Failed(failure)),
        _ => out.flush(),
    };
    let marks = std::ffi::CString::new(marks.join("\n")).unwrap_or_default();
    let mut slot = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
    slot.insert(marks).as_ptr()
}

/// The frame that `%%sql NAME <<` left in a file. Its rows stay there: the file is mapped into memory.
///
/// # Errors
/// When the file is gone or is not what the kernel writes.
pub fn received(name: &str, path: &str) -> Result<DataFrame> {
    keep::receive(name, Path::new(path))
}

/// The value of a variable before the worker ended, where it was one that is kept.
///
/// # Errors
/// When nothing was kept under this name, or something of another type.
pub fn brought_back<T: 'static>(name: &str) -> Result<T> {
    keep::bring_back(name)
}
