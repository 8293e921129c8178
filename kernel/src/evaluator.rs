//! Rust code -> a running cell. The only module that knows evcxr: a thread owns its evaluation
//! context, and jobs reach it over a channel, so that the kernel answers while a cell compiles.

use crate::inference::Inference;
use crate::toolkit::Toolkit;
use crate::worker;
use anyhow::Context as _;
use haetae_display::channel;
use std::path::Path;
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

/// Why a cell did not run to its end, as far as the evaluator knows. A panic and a failed `?` are
/// not here: the cell reports them itself on its channel.
#[derive(Debug)]
pub enum CellError {
    /// The code does not compile.
    Compile(Vec<evcxr::CompilationError>),
    /// The worker is gone (a crash, `exit`, or a kill); all variables went with it.
    Crashed(String),
    /// Variables whose type was redefined; they are gone, the cell did not run.
    VariablesLost(Vec<String>),
    /// Anything else, in the evaluator's words.
    Refused(String),
}

/// What the evaluator can be asked.
pub enum Job {
    /// Compile and run code.
    Run {
        /// The cell's text.
        code: String,
        /// Told when the cell has ended.
        done: oneshot::Sender<Result<(), CellError>>,
    },
    /// Names and types of the variables.
    Variables(oneshot::Sender<Vec<(String, String)>>),
}

/// A handle on the evaluator's thread.
#[derive(Clone)]
pub struct Evaluator {
    jobs: Sender<Job>,
    worker: Arc<Mutex<Option<Arc<Mutex<Child>>>>>,
}

/// How to start a worker.
pub struct WorkerPipes {
    /// Descriptor for the cells' stdout.
    pub out: i32,
    /// Descriptor for the cells' stderr.
    pub err: i32,
    /// Key of the display channel.
    pub key: String,
}

impl Evaluator {
    /// Starts the thread. It warms up by itself; jobs wait until it is ready.
    pub fn start(toolkit: Toolkit, pipes: WorkerPipes, folder: &Path) -> Self {
        let (jobs, queue) = channel();
        let worker = Arc::new(Mutex::new(None));
        let handle = worker.clone();
        let check = folder.join("check");
        std::thread::spawn(move || serve(&toolkit, &pipes, &check, &queue, &handle));
        Self { jobs, worker }
    }

    /// Runs one cell.
    pub async fn run(&self, code: String) -> Result<(), CellError> {
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

    /// Ends the running cell by ending the worker; variables are lost.
    pub fn kill(&self) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = worker.as_ref() {
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have ended by itself: nothing is lost then.
            let _ = process.kill();
        }
    }
}

fn serve(
    toolkit: &Toolkit,
    pipes: &WorkerPipes,
    check: &Path,
    queue: &Receiver<Job>,
    worker: &Mutex<Option<Arc<Mutex<Child>>>>,
) {
    let mut context = match open(toolkit, pipes) {
        Ok(context) => context,
        Err(error) => return refuse_all(queue, &format!("the Rust evaluator did not start: {error:#}")),
    };
    *worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.process_handle());
    let mut inference = Inference::new(toolkit.clone(), check.to_owned());
    for job in queue {
        match job {
            Job::Run { code, done } => {
                // The kernel may have given up waiting; the cell's effect stands all the same.
                let _ = done.send(run(&mut context, &mut inference, &code));
            }
            Job::Variables(done) => {
                let _ = done.send(variables(&context));
            }
        }
    }
}

fn refuse_all(queue: &Receiver<Job>, reason: &str) {
    for job in queue {
        match job {
            Job::Run { done, .. } => drop(done.send(Err(CellError::Refused(reason.to_owned())))),
            Job::Variables(done) => drop(done.send(Vec::new())),
        }
    }
}

fn open(toolkit: &Toolkit, pipes: &WorkerPipes) -> anyhow::Result<evcxr::EvalContext> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env("LD_LIBRARY_PATH", toolkit.library_path()?)
        .env(worker::OUTPUT_VARIABLE, format!("{},{}", pipes.out, pipes.err))
        .env(worker::TOOLKIT_VARIABLE, toolkit.library())
        .env(channel::KEY_VARIABLE, &pipes.key)
        // What `make lab` was called with must not reach a cell's compiler.
        .env_remove("CARGO_MAKEFLAGS")
        .env_remove("MAKEFLAGS");
    let (mut context, _outputs) =
        evcxr::EvalContext::with_subprocess_command(command).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut state = context.state();
    state.set_offline_mode(true);
    state.set_error_format("{}").map_err(|error| anyhow::anyhow!("{error}"))?;
    // Unit separators instead of blanks: a path may hold a blank.
    state.set_build_env("CARGO_ENCODED_RUSTFLAGS", &toolkit.rustc_arguments().join("\x1f"));
    state.set_opt_level("0").map_err(|error| anyhow::anyhow!("{error}"))?;
    context
        .eval_with_state(PROLOGUE, state)
        .map_err(|error| anyhow::anyhow!("{}", describe(&error)))
        .context("the prologue")?;
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

fn run(context: &mut evcxr::EvalContext, inference: &mut Inference, code: &str) -> Result<(), CellError> {
    let before = variables(context);
    let typed = inference.with_types(code, &before);
    match context.eval(&typed) {
        Ok(_) => {
            inference.keep_items(code);
            Ok(())
        }
        Err(evcxr::Error::CompilationErrors(errors)) => Err(CellError::Compile(errors)),
        Err(evcxr::Error::SubprocessTerminated(text)) => Err(CellError::Crashed(text)),
        Err(evcxr::Error::TypeRedefinedVariablesLost(names)) => Err(CellError::VariablesLost(names)),
        Err(evcxr::Error::Message(text)) => Err(CellError::Refused(text)),
    }
}

fn variables(context: &evcxr::EvalContext) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        context.variables_and_types().map(|(name, of)| (name.to_owned(), of.to_owned())).collect();
    all.sort();
    all
}
