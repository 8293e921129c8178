//! The process in which cells run. It loads each compiled cell and calls it; the evaluator in the
//! kernel tells it what to load, in evcxr's line protocol.
//!
//! evcxr's own worker would do, but it shares stdout between that protocol and the cell's output.
//! Here the protocol keeps the two pipes it was born with, while the cell's stdin, stdout and
//! stderr become `/dev/null` and two pipes of the kernel's: text of any form passes, and nothing a
//! cell prints can break the protocol.

use anyhow::{Context, Result, bail};
use libloading::Library;
use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Set by evcxr in the environment of the process that it starts for cells.
pub const IS_WORKER: &str = "EVCXR_IS_RUNTIME";
/// File descriptors, `OUT,ERR`, to which the cell's output goes.
pub const OUTPUT_VARIABLE: &str = "HAETAE_CELL_OUTPUT";
/// The toolkit's dylib, loaded before the first cell.
pub const TOOLKIT_VARIABLE: &str = "HAETAE_TOOLKIT_LIBRARY";

const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";

/// Runs cells until the kernel closes the control pipe.
///
/// # Errors
/// When the protocol is not kept: a broken installation, never a broken cell.
pub fn run() -> Result<()> {
    let (control_in, mut control_out) = take_over_output()?;
    let toolkit = Toolkit::load(&std::env::var(TOOLKIT_VARIABLE)?)?;
    // Libraries are never unloaded: variables of later cells point into them.
    let mut cells: Vec<std::mem::ManuallyDrop<Library>> = Vec::new();
    let mut variables: *mut c_void = std::ptr::null_mut();
    for line in BufReader::new(control_in).lines() {
        let line = line?;
        let Some((path, function)) = line.strip_prefix("LOAD_AND_RUN ").and_then(|rest| rest.rsplit_once(' ')) else {
            bail!("the evaluator sent {line:?}, expected LOAD_AND_RUN PATH FUNCTION");
        };
        // SAFETY: the library is a cell that the evaluator has just compiled; its function has
        // this signature and takes the pointer that the previous cell returned.
        toolkit.begin_cell();
        unsafe {
            let cell = Library::new(path).with_context(|| format!("cannot load the cell {path}"))?;
            let run: libloading::Symbol<'_, unsafe extern "C" fn(*mut c_void) -> *mut c_void> =
                cell.get(function.as_bytes())?;
            variables = run(variables);
            cells.push(std::mem::ManuallyDrop::new(cell));
            // SAFETY: the pointer is what the evaluator's cells hand to each other.
            (toolkit.keep)(variables);
        }
        for mark in toolkit.end_cell().lines() {
            writeln!(control_out, "{mark}")?;
        }
        writeln!(control_out, "{COMPLETE}")?;
        control_out.flush()?;
    }
    Ok(())
}

/// Moves evcxr's pipes away from the standard descriptors and the kernel's onto them.
fn take_over_output() -> Result<(File, File)> {
    let given = std::env::var(OUTPUT_VARIABLE).context("the worker is started by the kernel only")?;
    let (out, err) = given.split_once(',').context("two descriptors are needed")?;
    let (out, err): (RawFd, RawFd) = (out.parse()?, err.parse()?);
    let null = std::fs::OpenOptions::new().read(true).open("/dev/null")?;
    // SAFETY: descriptors 0 to 2 are this process's own and nothing has used them yet; `out` and
    // `err` were left open for this process by the kernel.
    unsafe {
        let control_in = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3);
        let control_out = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        let moved = [libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), 0), libc::dup2(out, 1), libc::dup2(err, 2)];
        if control_in < 0 || control_out < 0 || moved.contains(&-1) {
            bail!("cannot take over the cell's output: {}", std::io::Error::last_os_error());
        }
        Ok((File::from_raw_fd(control_in), File::from_raw_fd(control_out)))
    }
}

/// The toolkit's function that notes a wish to stop; null until the toolkit is loaded.
static STOP: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// `SIGINT`, which the kernel sends where the stop button is pressed.
extern "C" fn on_interrupt(_signal: libc::c_int) {
    let stop = STOP.load(Ordering::Relaxed);
    if !stop.is_null() {
        // SAFETY: the pointer is the toolkit's `haetae_cell_stop`, which only stores a flag.
        unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(stop)() }
    }
}

struct Toolkit {
    begin: unsafe extern "C" fn(),
    end: unsafe extern "C" fn() -> *const c_char,
    keep: unsafe extern "C" fn(*const c_void),
}

impl Toolkit {
    fn load(path: &str) -> Result<Self> {
        // SAFETY: the library is the toolkit that was built and staged with this very binary, and
        // its functions have these signatures (`haetae::cell`).
        unsafe {
            let library = Library::new(Path::new(path))
                .with_context(|| format!("cannot load the toolkit {path}; run `make build`"))?;
            let start: unsafe extern "C" fn() = *library.get(b"haetae_cell_start")?;
            let begin = *library.get(b"haetae_cell_begin")?;
            let end = *library.get(b"haetae_cell_end")?;
            let keep = *library.get(b"haetae_cell_keep")?;
            let stop: unsafe extern "C" fn() = *library.get(b"haetae_cell_stop")?;
            std::mem::forget(library);
            start();
            STOP.store(stop as *mut c_void, Ordering::Relaxed);
            libc::signal(libc::SIGINT, on_interrupt as extern "C" fn(libc::c_int) as libc::sighandler_t);
            Ok(Self { begin, end, keep })
        }
    }

    /// Forgets a wish to stop that came too late for the cell before.
    fn begin_cell(&self) {
        // SAFETY: the function takes nothing and only clears a flag.
        unsafe { (self.begin)() }
    }

    /// Closes the cell's output; what the evaluator has to know.
    fn end_cell(&self) -> String {
        // SAFETY: the returned text is valid until the next call, and it is copied here.
        unsafe { CStr::from_ptr((self.end)()).to_string_lossy().into_owned() }
    }
}
