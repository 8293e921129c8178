//! Rust code -> a running cell. The only module that knows evcxr: a thread owns its evaluation
//! context, and jobs reach it over a channel, so that the kernel answers while a cell compiles.

mod cell;
mod compiler;
mod start;

use crate::inference::{Code, Inference};
use crate::keep::Keep;
use crate::processes;
use crate::toolkit::Toolkit;
use crate::warnings::{self, Warning};
use cell::{bring_back, probe, refused, run, variables};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The prologue's items as a type check sees them.
pub const PROLOGUE_ITEMS: &str = "#[allow(unused_imports)] use haetae::prelude::*;";

/// Why a cell did not run to its end, as far as the evaluator knows. A panic and a failed `?` are
/// not here: the cell reports them itself on its channel.
#[derive(Debug)]
pub enum CellError {
    /// The code does not compile.
    Compile(Rejected),
    /// The worker is gone (a crash, `exit`, or a kill). Another one has been started, with what could be brought
    /// back.
    Crashed(Crash),
    /// Variables whose type was redefined; they are gone, the cell did not run.
    VariablesLost(Vec<String>),
    /// Anything else, in the evaluator's words.
    Refused(String),
}

/// A cell that does not compile.
#[derive(Debug, Default)]
pub struct Rejected {
    /// In the compiler's words.
    pub errors: Vec<evcxr::CompilationError>,
    /// The code that their places are in.
    pub code: Code,
    /// Variables that earlier cells had, and that are no longer there.
    pub gone: BTreeSet<String>,
    /// What a check says against the cell, where the evaluator does not say why it refuses.
    pub checked: Vec<serde_json::Value>,
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
    /// Where cells are compiled.
    cells: Arc<Path>,
}

/// What can be asked while a cell runs.
#[derive(Default)]
struct Shared {
    worker: Mutex<Option<Arc<Mutex<Child>>>>,
    /// Names and types of the variables after the last cell.
    variables: Mutex<Vec<(String, String)>>,
    stage: Mutex<Stage>,
}

/// Where the evaluator's thread is with a cell.
#[derive(Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Running,
    /// The worker was ended while a cell ran, or had just come to its end.
    Killed,
}

impl Shared {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// Where Rust cells find the queries that SQL cells have saved.
    pub saved: PathBuf,
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
        let cells = Arc::from(folders.cells.as_path());
        std::thread::spawn(move || serve(&toolkit, &pipes, &inference, &folders, &queue, &of_thread));
        Self { jobs, shared, cells }
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

    /// Where the last cell was compiled.
    pub fn cells(&self) -> &Path {
        &self.cells
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

    /// Ends the running cell by ending the worker; another one gets what can be brought back. Does nothing where
    /// the cell has just ended by itself.
    pub fn kill_cell(&self) {
        // Held meanwhile, so that the cell's end is not overlooked.
        let mut stage = self.shared.stage();
        if *stage == Stage::Running {
            self.kill();
            *stage = Stage::Killed;
        }
    }

    /// Ends the worker, whatever it does.
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
    folders: &Folders,
    queue: &Receiver<Job>,
    shared: &Shared,
) {
    let Folders { cells, keep, .. } = folders;
    let mut context = match start::open(toolkit, pipes, folders) {
        Ok(context) => context,
        Err(error) => return refuse_all(queue, &format!("the Rust evaluator did not start: {error:#}")),
    };
    *shared.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.process_handle());
    let mut gone = BTreeSet::new();
    for job in queue {
        match job {
            Job::Run { code, done } => {
                let before = variables(&context);
                keep.begin(&code);
                *shared.stage() = Stage::Running;
                let mut ended = run(&mut context, inference, &before, &code);
                if std::mem::take(&mut *shared.stage()) == Stage::Killed && !matches!(ended, Err(CellError::Crashed(_)))
                {
                    // It had come to its end, or was being compiled: the evaluator has yet to notice that its
                    // worker is gone.
                    ended = probe(&mut context).map_or(ended, Err);
                }
                if let Err(CellError::Crashed(crash)) = &mut ended {
                    bring_back(&mut context, keep, &before, crash);
                }
                let after = variables(&context);
                gone.extend(before.into_iter().map(|(name, _)| name));
                for (name, _) in &after {
                    gone.remove(name);
                }
                if let Err(CellError::Compile(rejected)) = &mut ended {
                    rejected.gone.clone_from(&gone);
                    if rejected.errors.iter().all(|error| error.level() != "error") {
                        rejected.checked = inference.errors(&code, &after);
                    }
                }
                *shared.variables.lock().unwrap_or_else(PoisonError::into_inner) = after;
                // The kernel may have given up waiting; the cell's effect stands all the same.
                let ran = |not_kept| Ran { not_kept, warnings: warnings::of_last_cell(cells, &code) };
                let _ = done.send(ended.map(ran));
            }
            Job::Variables(done) => {
                let _ = done.send(variables(&context));
            }
            Job::Configure { level, done } => {
                let _ = done.send(
                    compiler::configure(&mut context, toolkit, level).map_err(|error| refused(error, Code::default())),
                );
            }
        }
    }
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
