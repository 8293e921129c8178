//! One notebook's session: requests in, broadcasts and replies out. For each request `busy`, its
//! outputs, its reply, `idle`, in this order.
//!
//! Questions about code are answered at once, beside the cell that runs ([`questions`]). Cells queue
//! in their shell ([`shell`]): the main one, or a subshell. Rust cells of all shells share one worker.

mod bash;
mod commands;
mod control;
mod dependency;
mod plot;
mod questions;
mod rust_cell;
mod shell;
mod sql_cell;
mod tables;

use crate::catalogue::Catalogue;
use crate::complete::Oracle;
use crate::crates::Crates;
use crate::evaluator::{Evaluator, Folders, WorkerPipes};
use crate::history::History;
use crate::index::Index;
use crate::inference::Inference;
use crate::keep::Keep;
use crate::output::Output;
use crate::processes;
use crate::protocol::about;
use crate::protocol::envelope::{Message, new_message};
use crate::protocol::sockets::{self, Publisher, Requests};
use crate::settings::Settings;
use crate::sql::SqlRunner;
use crate::toolkit::Toolkit;
use anyhow::{Context, Result};
use jupyter_protocol::ConnectionInfo;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};

/// What all shells of a kernel share.
struct Kernel {
    iopub: Publisher,
    replies: UnboundedSender<Message>,
    evaluator: Evaluator,
    /// Held by the Rust cell that runs.
    rust: Arc<tokio::sync::Mutex<RustSide>>,
    sql: tokio::sync::Mutex<SqlRunner>,
    /// What SQL cells can name.
    catalogue: Catalogue,
    /// Held while a crate is built.
    crates: tokio::sync::Mutex<Crates>,
    settings: Settings,
    /// The channel on which the analyst is asked for input.
    stdin: tokio::sync::Mutex<Requests>,
    /// Counts how often the stop button was pressed; a cell looks at what comes after its start.
    interrupts: watch::Sender<usize>,
    history: History,
    oracle: Arc<Oracle>,
    comms: Mutex<Comms>,
    /// Headers of the requests that shells are working on.
    running: Mutex<Vec<Value>>,
    count: AtomicUsize,
    /// Results of SQL cells that were left for Rust cells.
    handed_over: AtomicUsize,
    folder: PathBuf,
    info: Value,
}

/// The comms between cells and front ends.
#[derive(Default)]
struct Comms {
    /// Id and target of those that are open.
    open: BTreeMap<String, String>,
    /// Targets that cells have registered, so that a front end may open a comm.
    targets: BTreeSet<String>,
}

impl Comms {
    /// The worker is gone, and with it the cells' ends of all comms.
    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The worker's output, and whether what it said at its start has been thrown away.
struct RustSide {
    output: Output,
    warm: bool,
}

/// Serves one notebook until it asks the kernel to go.
///
/// # Errors
/// When the kernel cannot start: a port is taken, the toolkit is not staged.
pub async fn serve(connection: ConnectionInfo, folder: &Path) -> Result<()> {
    let toolkit = Toolkit::find()?;
    let sockets = sockets::bind(&connection).await.context("cannot bind the kernel's sockets")?;
    let output = Output::open().context("cannot open the cells' output")?;
    let pipes = WorkerPipes { out: output.out, err: output.err, input: output.input, key: output.key.clone() };
    let info = about::kernel_info(&toolkit.rustc_version);
    let inference = Inference::new(toolkit.clone(), folder.join("check"));
    let oracle = Oracle::new(Index::load(toolkit.folder()), inference.beside(folder.join("ask")));
    let keep = Keep::new(folder.join("keep")).context("cannot make the folder for variables")?;
    let folders = Folders { cells: folder.join("cells"), saved: sql_cell::saved_queries(folder), keep };
    let crates = Crates::new(toolkit.clone(), folder.join("crates"));
    let evaluator = Evaluator::start(toolkit, pipes, inference, folders);
    let stop = Arc::new(Notify::new());
    sockets.iopub.publish("status", &json!({}), json!({"execution_state": "starting"}));

    let kernel = Arc::new(Kernel {
        iopub: sockets.iopub,
        replies: sockets.shell.replies,
        evaluator,
        rust: Arc::new(tokio::sync::Mutex::new(RustSide { output, warm: false })),
        sql: tokio::sync::Mutex::default(),
        catalogue: Catalogue::default(),
        crates: tokio::sync::Mutex::new(crates),
        settings: Settings::of_environment(),
        stdin: tokio::sync::Mutex::new(sockets.stdin),
        interrupts: watch::Sender::new(0),
        history: History::open(),
        oracle: Arc::new(oracle),
        comms: Mutex::default(),
        running: Mutex::default(),
        count: AtomicUsize::new(0),
        handed_over: AtomicUsize::new(0),
        folder: folder.to_owned(),
        info,
    });
    let subshells = shell::Subshells::default();
    let control = control::Control {
        kernel: kernel.clone(),
        requests: sockets.control,
        subshells: subshells.clone(),
        stop: stop.clone(),
    };
    tokio::spawn(control.serve());
    tokio::select! {
        () = shell::dispatch(kernel.clone(), subshells, sockets.shell.incoming) => {}
        () = stop.notified() => {}
        () = processes::abandoned() => kernel.evaluator.kill(),
    }
    // The shutdown reply is on its way through the control socket's task.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    Ok(())
}

impl Kernel {
    fn status(&self, request: &Message, state: &str) {
        self.iopub.publish("status", &request.header, json!({"execution_state": state}));
    }

    fn answer(&self, request: &Message, kind: &str, content: Value) {
        reply(&self.replies, self.iopub.session(), request, kind, content);
    }

    /// The stop button was pressed.
    fn interrupt(&self) {
        self.interrupts.send_modify(|presses| *presses += 1);
    }

    /// A line on standard output, for the kernel's own remarks.
    fn say(&self, request: &shell::Request<'_>, text: &str) {
        if !request.silent {
            self.iopub.publish("stream", &request.message.header, json!({"name": "stdout", "text": text}));
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn comms(&self) -> MutexGuard<'_, Comms> {
        self.comms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, Vec<Value>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reply(replies: &UnboundedSender<Message>, session: &str, request: &Message, kind: &str, content: Value) {
    let mut message = new_message(kind, session, &request.header, content);
    message.identities = request.identities.clone();
    // A closed channel means that the kernel is going down.
    let _ = replies.send(message);
}

fn text_of<'a>(message: &'a Message, field: &str) -> &'a str {
    message.content[field].as_str().unwrap_or("")
}
