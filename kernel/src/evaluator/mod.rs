//! Rust code -> a running cell. The only module that knows evcxr: a thread owns its evaluation
//! context, and jobs reach it over a channel, so that the kernel answers while a cell compiles.

mod compiler;

use crate::inference::{Inference, moved_variable};
use crate::keep::{self, Keep};
use crate::processes;
use crate::toolkit::Toolkit;
use crate::warnings::{self, Warning};
use crate::worker;
use anyhow::Context as _;
use haetae_display::channel;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

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

/// The prologue's items as a type check sees them.
pub const PROLOGUE_ITEMS: &str = "#[allow(unused_imports)] use haetae::prelude::*;";

/// Moved variables after which a cell is no longer tried again.
const MOST_MOVED: usize = 64;

/// Why a cell did not run to its end, as far as the evaluator knows. A panic and a failed `?` are
/// not here: the cell reports them itself on its channel.
#[derive(Debug)]
pub enum CellError {
    /// The code does not compile.
    Compile(Vec<evcxr::CompilationError>),
    /// The worker is gone (a crash, `exit`, or a kill). Another one has been started, with what could be brought
    /// back.
    Crashed(Crash),
    /// Variables whose type was redefined; they are gone, the cell did not run.
    VariablesLost(Vec<String>),
    /// Anything else, in the evaluator's words.
    Refused(String),
}

/// What a cell leaves that has run to its end.
#[derive(Debug, Default)]
pub struct Ran {
    /// The variables that could not be kept, and their types.
    pub not_kept: Vec<(String, String)>,
    /// What the compiler advises.
    pub warnings: Vec<Warning>,
}

/// What is known of a worker that has ended, and of its variables.
#[derive(Debug, Default)]
pub struct Crash {
    /// How it ended, in the evaluator's words.
    pub text: String,
    /// Variables that are as they were before the cell.
    pub back: Vec<String>,
    /// Variables that are gone.
    pub lost: Vec<String>,
}

/// What the evaluator can be asked.
pub enum Job {
    /// Compile and run code.
    Run {
        /// The cell's text.
        code: String,
        /// Told when the cell has ended.
        done: oneshot::Sender<Result<Ran, CellError>>,
    },
    /// Names and types of the variables.
    Variables(oneshot::Sender<Vec<(String, String)>>),
    /// Compile later cells at another optimisation level, and against the crates that the toolkit now names.
    Configure {
        /// 0 to 3.
        level: u8,
        /// Told when it is done, or why not.
        done: oneshot::Sender<Result<(), CellError>>,
    },
}

/// A handle on the evaluator's thread.
#[derive(Clone)]
pub struct Evaluator {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

/// What can be asked while a cell runs.
#[derive(Default)]
struct Shared {
    worker: Mutex<Option<Arc<Mutex<Child>>>>,
    /// Names and types of the variables after the last cell.
    variables: Mutex<Vec<(String, String)>>,
}

/// How to start a worker.
pub struct WorkerPipes {
    /// Descriptor for the cells' stdout.
    pub out: i32,
    /// Descriptor for the cells' stderr.
    pub err: i32,
    /// Descriptor from which cells read answers.
    pub input: i32,
    /// Key of the display channel.
    pub key: String,
}

/// Where a kernel's files are.
pub struct Folders {
    /// Where cells are compiled.
    pub cells: PathBuf,
    /// Where variables are kept.
    pub keep: Keep,
}

impl Evaluator {
    /// Starts the thread. It warms up by itself; jobs wait until it is ready.
    ///
    /// `inference` is shared with whoever else asks about code; it learns the items of each cell.
    pub fn start(toolkit: Toolkit, pipes: WorkerPipes, inference: Inference, folders: Folders) -> Self {
        let (jobs, queue) = channel();
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        std::thread::spawn(move || serve(&toolkit, &pipes, &inference, &folders, &queue, &of_thread));
        Self { jobs, shared }
    }

    /// Runs one cell.
    pub async fn run(&self, code: String) -> Result<Ran, CellError> {
        let (done, answer) = oneshot::channel();
        let _ = self.jobs.send(Job::Run { code, done });
        answer.await.unwrap_or_else(|_| Err(CellError::Refused("the evaluator has stopped".into())))
    }

    /// The variables that cells have left.
    pub async fn variables(&self) -> Vec<(String, String)> {
        let (done, answer) = oneshot::channel();
        let _ = self.jobs.send(Job::Variables(done));
        answer.await.unwrap_or_default()
    }

    /// Compiles later cells at an optimisation level of 0 to 3, and against the crates that the toolkit names.
    pub async fn configure(&self, level: u8) -> Result<(), CellError> {
        let (done, answer) = oneshot::channel();
        let _ = self.jobs.send(Job::Configure { level, done });
        answer.await.unwrap_or_else(|_| Err(CellError::Refused("the evaluator has stopped".into())))
    }

    /// The variables as they were before the cell that runs.
    pub fn variables_at_once(&self) -> Vec<(String, String)> {
        self.shared.variables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the running cell to stop, and ends the compiler where it is still being compiled;
    /// variables stay.
    pub fn ask_to_stop(&self) {
        let worker = self.with_worker(|process| process.id());
        if let Some(pid) = worker.and_then(|id| libc::pid_t::try_from(id).ok()) {
            // SAFETY: a signal to a child of ours, which has a handler for it.
            unsafe { libc::kill(pid, libc::SIGINT) };
        }
        processes::end_children(worker);
    }

    /// Ends the running cell by ending the worker; variables are lost.
    pub fn kill(&self) {
        // Among them the worker. The list is made before the first of them ends: evcxr soon starts another.
        processes::end_children(None);
    }

    fn with_worker<T>(&self, act: impl FnOnce(&mut Child) -> T) -> Option<T> {
        let worker = self.shared.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let process = worker.as_ref()?;
        let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
        Some(act(&mut process))
    }
}

fn serve(
    toolkit: &Toolkit,
    pipes: &WorkerPipes,
    inference: &Inference,
    Folders { cells, keep }: &Folders,
    queue: &Receiver<Job>,
    shared: &Shared,
) {
    let mut context = match open(toolkit, pipes, keep) {
        Ok(context) => context,
        Err(error) => return refuse_all(queue, &format!("the Rust evaluator did not start: {error:#}")),
    };
    *shared.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.process_handle());
    for job in queue {
        match job {
            Job::Run { code, done } => {
                let before = variables(&context);
                keep.begin(&code);
                let mut ended = run(&mut context, inference, &code);
                if let Err(CellError::Crashed(crash)) = &mut ended {
                    bring_back(&mut context, keep, &before, crash);
                }
                *shared.variables.lock().unwrap_or_else(PoisonError::into_inner) = variables(&context);
                // The kernel may have given up waiting; the cell's effect stands all the same.
                let ran = |not_kept| Ran { not_kept, warnings: warnings::of_last_cell(cells, &code) };
                let _ = done.send(ended.map(ran));
            }
            Job::Variables(done) => {
                let _ = done.send(variables(&context));
            }
            Job::Configure { level, done } => {
                let _ = done.send(compiler::configure(&mut context, toolkit, level).map_err(refused));
            }
        }
    }
}

/// Starts another worker with what can be had of the variables.
fn bring_back(context: &mut evcxr::EvalContext, keep: &Keep, before: &[(String, String)], crash: &mut Crash) {
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

fn refuse_all(queue: &Receiver<Job>, reason: &str) {
    for job in queue {
        match job {
            Job::Run { done, .. } => drop(done.send(Err(CellError::Refused(reason.to_owned())))),
            Job::Variables(done) => drop(done.send(Vec::new())),
            Job::Configure { done, .. } => drop(done.send(Err(CellError::Refused(reason.to_owned())))),
        }
    }
}

fn open(toolkit: &Toolkit, pipes: &WorkerPipes, keep: &Keep) -> anyhow::Result<evcxr::EvalContext> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env("LD_LIBRARY_PATH", toolkit.library_path()?)
        .env(worker::OUTPUT_VARIABLE, format!("{},{}", pipes.out, pipes.err))
        .env(worker::TOOLKIT_VARIABLE, toolkit.library())
        .env(channel::KEY_VARIABLE, &pipes.key)
        .env(channel::INPUT_VARIABLE, pipes.input.to_string())
        .env(keep::FOLDER_VARIABLE, keep.folder())
        // What `make lab` was called with must not reach a cell's compiler.
        .env_remove("CARGO_MAKEFLAGS")
        .env_remove("MAKEFLAGS");
    // A wish to stop that comes before the worker has its handler must not end it.
    // SAFETY: `signal` is async-signal-safe, and nothing else happens between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_IGN);
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

fn run(
    context: &mut evcxr::EvalContext,
    inference: &Inference,
    code: &str,
) -> Result<Vec<(String, String)>, CellError> {
    let before = variables(context);
    let mut moved = Vec::new();
    loop {
        let typed = inference.with_types(code, &before, &moved);
        return match context.eval(&typed.code) {
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
                    Some(plain) => match context.eval(&plain) {
                        Ok(_) => {
                            inference.keep_items(code);
                            Ok(typed.not_kept)
                        }
                        Err(error) => Err(refused(error)),
                    },
                    None => Err(CellError::Compile(errors)),
                }
            }
            Err(error) => Err(refused(error)),
        };
    }
}

fn refused(error: evcxr::Error) -> CellError {
    match error {
        evcxr::Error::CompilationErrors(errors) => CellError::Compile(errors),
        evcxr::Error::SubprocessTerminated(text) => CellError::Crashed(Crash { text, ..Crash::default() }),
        evcxr::Error::TypeRedefinedVariablesLost(names) => CellError::VariablesLost(names),
        evcxr::Error::Message(text) => CellError::Refused(text),
    }
}

fn variables(context: &evcxr::EvalContext) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        context.variables_and_types().map(|(name, of)| (name.to_owned(), of.to_owned())).collect();
    all.sort();
    all
}
