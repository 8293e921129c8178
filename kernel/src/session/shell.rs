//! Shell requests: questions are answered at once, everything else waits for its turn in the shell
//! or subshell (JEP 91) that its header names.

use super::{Kernel, text_of};
use crate::magics::{self, Cell, Command};
use crate::outcome;
use crate::protocol::envelope::Message;
use haetae_display::Bundle;
use haetae_display::channel::{Comm, Failure};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// Sends each request where it belongs, until the front end is gone.
pub(super) async fn dispatch(kernel: Arc<Kernel>, subshells: Subshells, mut requests: UnboundedReceiver<Message>) {
    let main = start(&kernel);
    while let Some(request) = requests.recv().await {
        // VS Code sends it on this channel. It must not wait for the cell that it is to stop, nor stop a later one.
        if request.kind() == "interrupt_request" {
            kernel.interrupt();
        }
        if super::questions::is_question(&request) {
            let kernel = kernel.clone();
            tokio::spawn(async move { kernel.question(&request).await });
            continue;
        }
        let queue = match request.header["subshell_id"].as_str() {
            None => Some(main.clone()),
            Some(id) => subshells.queue(id),
        };
        match queue {
            // The queue of a subshell that is being deleted takes nothing more, like one that is gone.
            Some(queue) => drop(queue.send(request)),
            None => kernel.refuse(&request),
        }
    }
}

fn start(kernel: &Arc<Kernel>) -> UnboundedSender<Message> {
    let (queue, requests) = unbounded_channel();
    tokio::spawn(Shell { kernel: kernel.clone() }.serve(requests));
    queue
}

/// The subshells that are open. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Subshells(Arc<Mutex<BTreeMap<String, UnboundedSender<Message>>>>);

impl Subshells {
    /// Opens one; its id.
    pub(super) fn create(&self, kernel: &Arc<Kernel>) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        self.open().insert(id.clone(), start(kernel));
        id
    }

    /// Closes one when its queue is done; false where there is none of that id.
    pub(super) fn delete(&self, id: &str) -> bool {
        self.open().remove(id).is_some()
    }

    /// The ids of those that are open.
    pub(super) fn ids(&self) -> Vec<String> {
        self.open().keys().cloned().collect()
    }

    fn queue(&self, id: &str) -> Option<UnboundedSender<Message>> {
        self.open().get(id).cloned()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, UnboundedSender<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One queue of requests.
struct Shell {
    kernel: Arc<Kernel>,
}

/// How one `execute_request` wants to be treated.
pub(super) struct Request<'a> {
    pub(super) message: &'a Message,
    pub(super) code: &'a str,
    pub(super) silent: bool,
    /// The number of the cell.
    pub(super) count: usize,
    /// Changes with each press of the stop button since the request came.
    pub(super) interrupts: watch::Receiver<usize>,
}

impl<'a> Request<'a> {
    pub(super) fn new(kernel: &Kernel, message: &'a Message, code: &'a str, silent: bool, count: usize) -> Self {
        Self { message, code, silent, count, interrupts: kernel.interrupts.subscribe() }
    }
}

/// What a cell leaves for its reply.
#[derive(Default)]
pub(super) struct Done {
    pub(super) failure: Option<Failure>,
    pub(super) payload: Vec<Value>,
    /// Text of the result, for the history.
    pub(super) text: Option<String>,
}

impl Done {
    pub(super) fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }

    pub(super) fn shown(bundle: &Bundle) -> Self {
        Self { text: Some(bundle.plain().to_owned()), ..Self::default() }
    }
}

impl Shell {
    async fn serve(self, mut requests: UnboundedReceiver<Message>) {
        while let Some(request) = requests.recv().await {
            for _ in 0..self.handle(&request, &requests).await {
                let Ok(next) = requests.try_recv() else { break };
                if next.kind() == "execute_request" {
                    self.kernel.abort(&next);
                } else {
                    self.handle(&next, &requests).await;
                }
            }
        }
    }

    /// Answers one request; of how many that are queued behind it the cells are to be aborted.
    async fn handle(&self, request: &Message, queued: &UnboundedReceiver<Message>) -> usize {
        let kernel = &self.kernel;
        kernel.running().push(request.header.clone());
        kernel.status(request, "busy");
        let mut behind = 0;
        match request.kind() {
            "execute_request" => behind = kernel.execute(request, queued).await,
            "comm_open" | "comm_msg" | "comm_close" => kernel.comm(request).await,
            // Messages of later protocols.
            _ => {}
        }
        // In this order: nothing says `busy` for this request behind its `idle`.
        kernel.running().retain(|header| *header != request.header);
        kernel.status(request, "idle");
        kernel.still_busy();
        behind
    }
}

impl Kernel {
    fn abort(&self, request: &Message) {
        self.status(request, "busy");
        let content = json!({"status": "aborted", "execution_count": self.count()});
        self.answer(request, "execute_reply", content);
        self.status(request, "idle");
        self.still_busy();
    }

    /// A request for a subshell that does not exist.
    fn refuse(&self, request: &Message) {
        self.status(request, "busy");
        let kind = request.kind().replace("_request", "_reply");
        let id = &request.header["subshell_id"];
        let content = json!({
            "status": "error", "ename": "NoSubshell", "traceback": [], "execution_count": self.count(),
            "evalue": format!("there is no subshell {id}; create_subshell_request opens one"),
        });
        if kind.ends_with("_reply") {
            self.answer(request, &kind, content);
        }
        self.status(request, "idle");
        self.still_busy();
    }

    /// Front ends take the last status for the kernel's: after the `idle` of what was answered beside a
    /// cell, that cell is `busy` once more.
    pub(super) fn still_busy(&self) {
        let running = self.running();
        if let Some(header) = running.last() {
            self.iopub.publish("status", header, json!({"execution_state": "busy"}));
        }
    }

    /// A front end's message to a comm. One that nobody serves is closed, as the protocol asks.
    async fn comm(&self, request: &Message) {
        let Some(comm) = Comm::of(request.kind(), &request.content) else { return };
        let served = {
            let mut comms = self.comms();
            match &comm {
                Comm::Open { id, target, .. } => {
                    let served = comms.targets.contains(target);
                    if served {
                        comms.open.insert(id.clone(), target.clone());
                    }
                    served
                }
                Comm::Message { id, .. } => comms.open.contains_key(id),
                Comm::Close { id, .. } => comms.open.remove(id).is_some(),
            }
        };
        if served {
            self.deliver(request, comm).await;
        } else if let Comm::Open { id, .. } = comm {
            self.iopub.publish("comm_close", &request.header, json!({"comm_id": id, "data": {}}));
        }
    }

    async fn execute(&self, message: &Message, queued: &UnboundedReceiver<Message>) -> usize {
        let code = text_of(message, "code");
        let flag = |name: &str, default| message.content[name].as_bool().unwrap_or(default);
        let silent = flag("silent", false);
        let stored = !silent && flag("store_history", true);
        let count = if stored { self.count.fetch_add(1, Ordering::Relaxed) + 1 } else { self.count() };
        if stored {
            self.history.add(count, code);
        }
        let request = Request::new(self, message, code, silent, count);
        if !silent {
            let input = json!({"code": code, "execution_count": count});
            self.iopub.publish("execute_input", &message.header, input);
        }
        let done = self.run(&request).await;
        let Some(failure) = done.failure else {
            if let (true, Some(text)) = (stored, done.text) {
                self.history.add_output(count, &text);
            }
            let content = json!({
                "status": "ok", "execution_count": count, "payload": done.payload,
                "user_expressions": self.user_expressions(&request).await,
            });
            self.answer(message, "execute_reply", content);
            return 0;
        };
        let mut error = outcome::content(&failure);
        if !silent {
            self.iopub.publish("error", &message.header, error.clone());
        }
        error["status"] = json!("error");
        error["execution_count"] = json!(count);
        error["payload"] = json!([]);
        error["user_expressions"] = json!({});
        // The cell failed, and what is queued behind it does not run; but what a client sends after the answer does.
        let behind = if flag("stop_on_error", true) && !silent { queued.len() } else { 0 };
        self.answer(message, "execute_reply", error);
        behind
    }

    /// Each expression's value or error, shown nowhere else.
    async fn user_expressions(&self, request: &Request<'_>) -> Value {
        let mut values = Map::new();
        for (name, expression) in request.message.content["user_expressions"].as_object().into_iter().flatten() {
            let value = self.value_of(request, expression.as_str().unwrap_or("")).await;
            values.insert(name.clone(), value);
        }
        Value::Object(values)
    }

    /// Runs a cell of any kind.
    async fn run(&self, request: &Request<'_>) -> Done {
        match magics::understand(request.code) {
            Ok(cell) => self.run_cell(request, cell).await,
            Err(error) => Done::failed(outcome::magic(&error)),
        }
    }

    pub(super) async fn run_cell(&self, request: &Request<'_>, cell: Cell) -> Done {
        match cell {
            Cell::Rust(code) => self.rust(request, code).await,
            Cell::Sql(cell) => self.query(request, cell).await,
            Cell::Command(Command::Time(cell)) => {
                let begun = Instant::now();
                let done = Box::pin(self.run_cell(request, *cell)).await;
                self.say(request, &format!("wall time: {:.3} s\n", begun.elapsed().as_secs_f64()));
                done
            }
            Cell::Command(command) => self.command(request, command).await,
            Cell::Empty => Done::default(),
        }
    }

    /// The value of a cell, unless the request is silent.
    pub(super) fn result(&self, request: &Request<'_>, bundle: Bundle) {
        if request.silent {
            return;
        }
        let content = json!({"execution_count": request.count, "data": bundle.into_json(), "metadata": {}});
        self.iopub.publish("execute_result", &request.message.header, content);
    }
}
