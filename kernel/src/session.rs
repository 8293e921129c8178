//! One notebook's session: requests in, broadcasts and replies out. For each request `busy`, its
//! outputs, its reply, `idle`, in this order.

use crate::complete;
use crate::evaluator::{CellError, Evaluator, WorkerPipes};
use crate::magics::{self, Cell, SqlCell};
use crate::outcome;
use crate::output::{Output, Stream};
use crate::protocol::about;
use crate::protocol::envelope::{Message, new_message};
use crate::protocol::sockets::{self, Publisher, Requests};
use crate::sql::{self, SqlRunner};
use crate::toolkit::Toolkit;
use anyhow::{Context, Result};
use haetae_display::Bundle;
use haetae_display::channel::{Event, Failure, Frame};
use jupyter_protocol::ConnectionInfo;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, watch};

/// Serves one notebook until it asks the kernel to go.
///
/// # Errors
/// When the kernel cannot start: a port is taken, the toolkit is not staged.
pub async fn serve(connection: ConnectionInfo, folder: &Path) -> Result<()> {
    let toolkit = Toolkit::find()?;
    let sockets = sockets::bind(&connection).await.context("cannot bind the kernel's sockets")?;
    let output = Output::open().context("cannot open the cells' output")?;
    let pipes = WorkerPipes { out: output.out, err: output.err, key: output.key.clone() };
    let info = about::kernel_info(&toolkit.rustc_version);
    let evaluator = Evaluator::start(toolkit, pipes, folder);
    // Each change is a wish to stop the cell that runs; a cell sees those made after its start.
    let (interrupt, interrupts) = watch::channel(());
    let stop = Arc::new(Notify::new());
    sockets.iopub.publish("status", &json!({}), json!({"execution_state": "starting"}));

    let control = Control {
        requests: sockets.control,
        iopub: sockets.iopub.clone(),
        evaluator: evaluator.clone(),
        interrupt,
        info: info.clone(),
        stop: stop.clone(),
    };
    tokio::spawn(control.serve());
    let session = Session {
        iopub: sockets.iopub,
        replies: sockets.shell.replies,
        evaluator,
        output,
        sql: SqlRunner::default(),
        interrupts,
        warm: false,
        folder: folder.to_owned(),
        info,
        history: Vec::new(),
        count: 0,
    };
    tokio::select! {
        () = session.serve(sockets.shell.incoming) => {}
        () = stop.notified() => {}
    }
    // The shutdown reply is on its way through the control socket's task.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    Ok(())
}

/// The control channel: answered at once, whatever the shell does.
struct Control {
    requests: Requests,
    iopub: Publisher,
    evaluator: Evaluator,
    interrupt: watch::Sender<()>,
    info: Value,
    stop: Arc<Notify>,
}

impl Control {
    async fn serve(mut self) {
        while let Some(request) = self.requests.incoming.recv().await {
            let busy = json!({"execution_state": "busy"});
            self.iopub.publish("status", &request.header, busy);
            let mut last = false;
            match request.kind() {
                "interrupt_request" => {
                    self.interrupt.send_replace(());
                    self.answer(&request, "interrupt_reply", json!({"status": "ok"}));
                }
                "shutdown_request" => {
                    let restart = request.content["restart"].as_bool().unwrap_or(false);
                    let content = json!({"status": "ok", "restart": restart});
                    self.iopub.publish("shutdown_reply", &request.header, content.clone());
                    self.answer(&request, "shutdown_reply", content);
                    self.evaluator.kill();
                    last = true;
                }
                "kernel_info_request" => {
                    self.answer(&request, "kernel_info_reply", self.info.clone());
                }
                _ => {}
            }
            self.iopub.publish("status", &request.header, json!({"execution_state": "idle"}));
            if last {
                self.stop.notify_one();
                return;
            }
        }
    }

    fn answer(&self, request: &Message, kind: &str, content: Value) {
        reply(&self.requests.replies, self.iopub.session(), request, kind, content);
    }
}

fn reply(replies: &UnboundedSender<Message>, session: &str, request: &Message, kind: &str, content: Value) {
    let mut message = new_message(kind, session, &request.header, content);
    message.identities = request.identities.clone();
    // A closed channel means that the kernel is going down.
    let _ = replies.send(message);
}

struct Session {
    iopub: Publisher,
    replies: UnboundedSender<Message>,
    evaluator: Evaluator,
    output: Output,
    sql: SqlRunner,
    interrupts: watch::Receiver<()>,
    /// False until the evaluator has started and what it said then has been thrown away.
    warm: bool,
    folder: PathBuf,
    info: Value,
    history: Vec<(usize, String)>,
    count: usize,
}

/// How one `execute_request` wants to be treated.
struct Request<'a> {
    header: &'a Value,
    code: &'a str,
    silent: bool,
}

impl Session {
    async fn serve(mut self, mut requests: UnboundedReceiver<Message>) {
        while let Some(request) = requests.recv().await {
            if !self.handle(&request).await {
                continue;
            }
            // The cell failed and wants what is queued behind it not to run.
            while let Ok(next) = requests.try_recv() {
                if next.kind() == "execute_request" {
                    self.abort(&next);
                } else {
                    self.handle(&next).await;
                }
            }
        }
    }

    /// Answers one request; true where queued cells are to be aborted.
    async fn handle(&mut self, request: &Message) -> bool {
        self.status(request, "busy");
        let mut abort = false;
        match request.kind() {
            "execute_request" => abort = self.execute(request).await,
            "kernel_info_request" => self.answer(request, "kernel_info_reply", self.info.clone()),
            "is_complete_request" => {
                let content = complete::is_complete(text_of(request, "code"));
                self.answer(request, "is_complete_reply", content);
            }
            "complete_request" => {
                let cursor = request.content["cursor_pos"].as_u64().unwrap_or(0);
                let cursor = usize::try_from(cursor).unwrap_or(0);
                let variables = self.evaluator.variables().await;
                let content = complete::complete(text_of(request, "code"), cursor, &variables);
                self.answer(request, "complete_reply", content);
            }
            "inspect_request" => {
                let content = json!({"status": "ok", "found": false, "data": {}, "metadata": {}});
                self.answer(request, "inspect_reply", content);
            }
            "history_request" => {
                let entries: Vec<Value> = self.history.iter().map(|(line, code)| json!([0, line, code])).collect();
                let content = json!({"status": "ok", "history": entries});
                self.answer(request, "history_reply", content);
            }
            "comm_info_request" => {
                self.answer(request, "comm_info_reply", json!({"status": "ok", "comms": {}}));
            }
            // Messages without a reply, and those of later protocols.
            _ => {}
        }
        self.status(request, "idle");
        abort
    }

    fn status(&self, request: &Message, state: &str) {
        self.iopub.publish("status", &request.header, json!({"execution_state": state}));
    }

    fn answer(&self, request: &Message, kind: &str, content: Value) {
        reply(&self.replies, self.iopub.session(), request, kind, content);
    }

    fn abort(&self, request: &Message) {
        self.status(request, "busy");
        let content = json!({"status": "aborted", "execution_count": self.count});
        self.answer(request, "execute_reply", content);
        self.status(request, "idle");
    }

    async fn execute(&mut self, message: &Message) -> bool {
        let code = text_of(message, "code");
        let flag = |name: &str, default| message.content[name].as_bool().unwrap_or(default);
        let silent = flag("silent", false);
        let request = Request { header: &message.header, code, silent };
        if !silent {
            if flag("store_history", true) {
                self.count += 1;
                self.history.push((self.count, code.to_owned()));
            }
            let input = json!({"code": code, "execution_count": self.count});
            self.iopub.publish("execute_input", &message.header, input);
        }
        self.interrupts.mark_unchanged();
        let failure = self.run(&request).await;
        let count = self.count;
        let Some(failure) = failure else {
            let content = json!({
                "status": "ok", "execution_count": count, "payload": [], "user_expressions": {},
            });
            self.answer(message, "execute_reply", content);
            return false;
        };
        let mut error = json!({
            "ename": failure.name,
            "evalue": failure.message,
            "traceback": outcome::traceback(&failure),
        });
        if !silent {
            self.iopub.publish("error", &message.header, error.clone());
        }
        error["status"] = json!("error");
        error["execution_count"] = json!(count);
        error["payload"] = json!([]);
        error["user_expressions"] = json!({});
        self.answer(message, "execute_reply", error);
        flag("stop_on_error", true) && !silent
    }

    /// Runs a cell of any kind; what went wrong.
    async fn run(&mut self, request: &Request<'_>) -> Option<Failure> {
        match magics::understand(request.code) {
            Ok(Cell::Rust(code)) => self.rust(request, code).await,
            Ok(Cell::Sql(cell)) => self.query(request, cell).await,
            Ok(Cell::Variables) => {
                let variables = self.evaluator.variables().await;
                let lines: Vec<String> = variables.iter().map(|(name, of)| format!("{name}: {of}")).collect();
                let text = if lines.is_empty() { "no variables".to_owned() } else { lines.join("\n") };
                self.result(request, Bundle::text(text));
                None
            }
            Ok(Cell::Empty) => None,
            Err(error) => Some(outcome::magic(&error)),
        }
    }

    async fn rust(&mut self, request: &Request<'_>, code: String) -> Option<Failure> {
        self.warm_up().await;
        let evaluator = self.evaluator.clone();
        let mut interrupts = self.interrupts.clone();
        let mut interrupted = false;
        let mut failure = None;
        let cell = evaluator.run(code);
        tokio::pin!(cell);
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut cell => break ended,
                Some((stream, event)) = self.output.events.recv() => {
                    self.forward(request, stream, event, &mut failure);
                }
                Ok(()) = interrupts.changed() => {
                    interrupted = true;
                    evaluator.kill();
                }
            }
        };
        for (stream, event) in self.output.rest().await {
            self.forward(request, stream, event, &mut failure);
        }
        match ended {
            Ok(()) => failure,
            Err(CellError::Crashed(_)) if interrupted => Some(outcome::interrupted()),
            Err(error) => Some(outcome::failure(error, request.code)),
        }
    }

    /// Waits for the evaluator; what it prints while it starts is nobody's output.
    async fn warm_up(&mut self) {
        if !self.warm {
            self.evaluator.variables().await;
            self.output.rest().await;
            self.warm = true;
        }
    }

    /// One piece of a cell's output, to where it belongs.
    fn forward(&self, request: &Request<'_>, stream: Stream, event: Event, failure: &mut Option<Failure>) {
        if let Event::Frame(Frame::Failed(reason)) = event {
            *failure = Some(reason);
            return;
        }
        if request.silent {
            return;
        }
        match event {
            Event::Text(text) => {
                let name = if stream == Stream::Out { "stdout" } else { "stderr" };
                self.iopub.publish("stream", request.header, json!({"name": name, "text": text}));
            }
            Event::Frame(Frame::Result(bundle)) => self.result(request, bundle),
            Event::Frame(Frame::Display { bundle, id, update }) => {
                let kind = if update { "update_display_data" } else { "display_data" };
                let transient = id.map_or(json!({}), |id| json!({"display_id": id}));
                let content = json!({"data": bundle.into_json(), "metadata": {}, "transient": transient});
                self.iopub.publish(kind, request.header, content);
            }
            Event::Frame(Frame::Clear { wait }) => {
                self.iopub.publish("clear_output", request.header, json!({"wait": wait}));
            }
            Event::Frame(Frame::Failed(_) | Frame::Mark) => {}
        }
    }

    fn result(&self, request: &Request<'_>, bundle: Bundle) {
        if request.silent {
            return;
        }
        let content = json!({
            "execution_count": self.count, "data": bundle.into_json(), "metadata": {},
        });
        self.iopub.publish("execute_result", request.header, content);
    }

    async fn query(&mut self, request: &Request<'_>, cell: SqlCell) -> Option<Failure> {
        let mut interrupts = self.interrupts.clone();
        let result = tokio::select! {
            // Dropping the query closes its stream, which ends it on the server too.
            Ok(()) = interrupts.changed() => return Some(outcome::interrupted_query()),
            result = self.sql.query(&cell.query) => match result {
                Ok(result) => result,
                Err(error) => return Some(outcome::sql(&error)),
            },
        };
        let table = match sql::table(&result, cell.limit) {
            Ok(table) => table,
            Err(error) => return Some(outcome::arrow(&error)),
        };
        let Some(name) = cell.name else {
            self.result(request, table.bundle());
            return None;
        };
        let path = match self.sql.hand_over(&result, &self.folder) {
            Ok(path) => path,
            Err(error) => return Some(outcome::arrow(&error)),
        };
        self.result(request, Bundle::text(format!("{name}: DataFrame, {}", table.shape())));
        // Not waited for: the variable is made while the analyst reads, and the evaluator keeps
        // the order of its jobs, so that the next cell finds it.
        let evaluator = self.evaluator.clone();
        let code = format!(
            "let {name}: ::haetae::polars::frame::DataFrame = ::haetae::cell::received({:?})?;",
            path.display().to_string()
        );
        tokio::spawn(async move {
            if let Err(error) = evaluator.run(code).await {
                eprintln!("haetae-kernel: the result of an SQL cell was lost: {error:?}");
            }
        });
        None
    }
}

fn text_of<'a>(message: &'a Message, field: &str) -> &'a str {
    message.content[field].as_str().unwrap_or("")
}
