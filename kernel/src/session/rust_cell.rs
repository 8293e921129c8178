//! A Rust cell: code -> its output, live, and how it ended. One cell of all shells runs at a time.

use super::shell::{Done, Request};
use super::{Kernel, RustSide};
use crate::evaluator::CellError;
use crate::outcome;
use crate::output::Stream;
use crate::panics;
use crate::protocol::envelope::{Message, new_message};
use crate::syntax::{MOST_DEPTH, depth};
use crate::warnings;
use haetae_display::Bundle;
use haetae_display::channel::{Comm, Event, Failure, Frame, ToCell};
use haetae_display::progress::NAMES;
use serde_json::{Value, json};
use std::time::Duration;

/// Text of one cell that reaches the notebook; a page cannot hold more, and every client would choke.
const MOST_TEXT: usize = 64 << 20;
/// Text that is sent in one message, where that much is there already.
const TEXT_OF_A_MESSAGE: usize = 1 << 18;

/// Until a cell that should stop is asked once more.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Where a cell's output goes, and what of it is kept.
pub(super) struct Sink<'a> {
    kernel: &'a Kernel,
    request: &'a Request<'a>,
    /// Nothing is published: only the value counts.
    quiet: bool,
    pending: Option<(Stream, String)>,
    text: usize,
    failure: Option<Failure>,
    value: Option<Bundle>,
}

impl Kernel {
    /// Runs the code of a cell.
    pub(super) async fn rust(&self, request: &Request<'_>, code: String) -> Done {
        let mut rust = self.rust.lock().await;
        let mut sink = Sink::new(self, request, request.silent);
        let failure = self.evaluate(&mut rust, &mut sink, code).await;
        Done { failure, text: sink.value.map(|value| value.plain().to_owned()), ..Done::default() }
    }

    /// The value of an expression, as a `user_expressions` entry.
    pub(super) async fn value_of(&self, request: &Request<'_>, expression: &str) -> Value {
        let mut rust = self.rust.lock().await;
        let mut sink = Sink::new(self, request, true);
        match self.evaluate(&mut rust, &mut sink, expression.to_owned()).await {
            Some(failure) => {
                let mut error = outcome::content(&failure);
                error["status"] = json!("error");
                error
            }
            None => {
                let data = sink.value.map_or(json!({}), Bundle::into_json);
                json!({"status": "ok", "data": data, "metadata": {}})
            }
        }
    }

    async fn evaluate(&self, rust: &mut RustSide, sink: &mut Sink<'_>, code: String) -> Option<Failure> {
        if depth(&code) > MOST_DEPTH {
            return Some(outcome::too_deep(MOST_DEPTH));
        }
        self.warm_up(rust).await;
        let mut interrupts = sink.request.interrupts.clone();
        let mut presses = 0;
        let mut stdin = None;
        let shown = code.clone();
        let cell = self.evaluator.run(code);
        tokio::pin!(cell);
        let ended = loop {
            tokio::select! {
                biased;
                // First, so that a cell which prints without a pause can be stopped.
                Ok(()) = interrupts.changed() => {
                    presses += 1;
                    if stdin.take().is_some() {
                        rust.output.tell(&ToCell::Refused("the cell was stopped".to_owned()));
                    }
                    self.stop(presses);
                }
                ended = &mut cell => break ended,
                Some((stream, event)) = rust.output.events.recv() => match event {
                    Event::Frame(Frame::Ask { prompt, password }) => {
                        // What was printed before may be what the question is about.
                        sink.flush();
                        match self.ask(sink, &prompt, password).await {
                            Ok(channel) => stdin = Some(channel),
                            Err(refused) => rust.output.tell(&refused),
                        }
                    }
                    event => {
                        sink.take(stream, event);
                        // What is there already goes into the same message.
                        if rust.output.events.is_empty() {
                            sink.flush();
                        }
                    }
                },
                Some(answer) = typed(&mut stdin) => {
                    stdin = None;
                    rust.output.tell(&answer);
                }
                // The first wish may have come before there was a compiler to end or a cell to ask.
                () = tokio::time::sleep(ASK_AGAIN), if presses > 0 => self.stop(presses),
            }
        };
        for (stream, event) in rust.output.rest().await {
            sink.take(stream, event);
        }
        if let (Ok(ran), None) = (&ended, &sink.failure) {
            ran.not_kept.iter().for_each(|(name, of)| sink.take_text(Stream::Out, outcome::not_kept(name, of)));
        }
        sink.flush();
        if let (Ok(ran), None) = (&ended, &sink.failure)
            && !ran.warnings.is_empty()
        {
            sink.show(Frame::Display { bundle: warnings::bundle(&ran.warnings), id: None, update: false });
        }
        if matches!(ended, Err(CellError::Crashed(_))) {
            self.comms().forget();
            rust.output.forget_words();
        }
        if let Some(failure) = &mut sink.failure {
            panics::locate(failure, self.evaluator.cells(), &shown);
        }
        match (ended, presses) {
            (Ok(_), 0) => sink.failure.take(),
            (Ok(_), _) => sink.failure.take().map(|_| outcome::stopped()),
            (Err(CellError::Crashed(crash)), 2..) => Some(outcome::ended(&crash)),
            // The compiler was ended, and the cell never ran.
            (Err(CellError::Compile(_) | CellError::Refused(_)), 1..) => Some(outcome::stopped()),
            (Err(error), _) => Some(outcome::failure(error, &shown)),
        }
    }

    /// What a press of the stop button does: the first asks, the next one does not.
    fn stop(&self, presses: usize) {
        if presses == 1 { self.evaluator.ask_to_stop() } else { self.evaluator.kill_cell() }
    }

    /// Hands a front end's message to the cells' end of its comm, and publishes what that says.
    pub(super) async fn deliver(&self, message: &Message, comm: Comm) {
        let request = Request::new(self, message, "", false, self.count());
        let mut rust = self.rust.lock().await;
        self.warm_up(&mut rust).await;
        let mut interrupts = request.interrupts.clone();
        let mut sink = Sink::new(self, &request, false);
        rust.output.tell(&ToCell::Comm(comm));
        loop {
            tokio::select! {
                Some((stream, event)) = rust.output.events.recv() => match event {
                    Event::Frame(Frame::Handled) => break,
                    Event::Frame(Frame::Ask { .. }) => {
                        rust.output.tell(&ToCell::Refused("a comm cannot ask the analyst".to_owned()));
                    }
                    event => sink.take(stream, event),
                },
                // Code that does not come back is ended like a cell that does not listen.
                Ok(()) = interrupts.changed() => {
                    self.evaluator.kill();
                    self.comms().forget();
                    break;
                }
            }
        }
        // What the handler has written to the other stream may still be on its way.
        for (stream, event) in rust.output.rest().await {
            sink.take(stream, event);
        }
        sink.flush();
    }

    /// Waits for the evaluator; what it prints while it starts is nobody's output.
    async fn warm_up(&self, rust: &mut RustSide) {
        if !rust.warm {
            self.evaluator.variables().await;
            rust.output.rest().await;
            rust.warm = true;
        }
    }

    /// Asks the analyst; where that can be done, the channel on which the answer will come.
    async fn ask(
        &self,
        sink: &Sink<'_>,
        prompt: &str,
        password: bool,
    ) -> Result<tokio::sync::MutexGuard<'_, super::Requests>, ToCell> {
        let message = sink.request.message;
        if !message.content["allow_stdin"].as_bool().unwrap_or(true) {
            let reason = "whoever runs this notebook takes no input (allow_stdin is false)";
            return Err(ToCell::Refused(reason.to_owned()));
        }
        let mut channel = self.stdin.lock().await;
        // An answer to a question that was given up must not answer this one.
        while channel.incoming.try_recv().is_ok() {}
        let content = json!({"prompt": prompt, "password": password});
        let mut question: Message = new_message("input_request", self.iopub.session(), &message.header, content);
        question.identities = message.identities.clone();
        // A closed channel means that the kernel is going down.
        let _ = channel.replies.send(question);
        Ok(channel)
    }
}

/// The answer to the question that is open; waits for ever where there is none.
async fn typed(stdin: &mut Option<tokio::sync::MutexGuard<'_, super::Requests>>) -> Option<ToCell> {
    let Some(channel) = stdin else { return std::future::pending().await };
    loop {
        let message = channel.incoming.recv().await?;
        if message.kind() == "input_reply" {
            return Some(match message.content["value"].as_str() {
                Some(text) => ToCell::Typed(text.to_owned()),
                None => ToCell::Refused("the front end sent no text".to_owned()),
            });
        }
    }
}

impl<'a> Sink<'a> {
    pub(super) fn new(kernel: &'a Kernel, request: &'a Request<'a>, quiet: bool) -> Self {
        Self { kernel, request, quiet, pending: None, text: 0, failure: None, value: None }
    }

    /// One piece of a cell's output, to where it belongs.
    pub(super) fn take(&mut self, stream: Stream, event: Event) {
        match event {
            Event::Text(text) => self.take_text(stream, text),
            Event::Frame(Frame::Failed(reason)) => self.failure = Some(reason),
            Event::Frame(frame) => {
                self.flush();
                self.show(frame);
            }
        }
    }

    fn show(&mut self, frame: Frame) {
        if let Frame::Result(bundle) = &frame {
            self.value = Some(bundle.clone());
        }
        if self.quiet {
            return;
        }
        match frame {
            Frame::Result(bundle) => self.kernel.result(self.request, bundle),
            Frame::Display { id: Some(id), .. } if id.starts_with(NAMES) && !self.kernel.settings.progress() => {}
            Frame::Display { bundle, id, update } => {
                let kind = if update { "update_display_data" } else { "display_data" };
                let transient = id.map_or(json!({}), |id| json!({"display_id": id}));
                let content = json!({"data": bundle.into_json(), "metadata": {}, "transient": transient});
                self.publish(kind, content);
            }
            Frame::Clear { wait } => self.publish("clear_output", json!({"wait": wait})),
            Frame::Comm(comm) => self.comm(&comm),
            Frame::Target(target) => drop(self.kernel.comms().targets.insert(target)),
            Frame::Ask { .. } | Frame::Handled | Frame::Failed(_) | Frame::Mark => {}
        }
    }

    /// What a cell says to the front end's end of a comm.
    fn comm(&self, comm: &Comm) {
        let mut comms = self.kernel.comms();
        match comm {
            Comm::Open { id, target, .. } => drop(comms.open.insert(id.clone(), target.clone())),
            Comm::Close { id, .. } => drop(comms.open.remove(id)),
            Comm::Message { .. } => {}
        }
        let (kind, content) = comm.message();
        self.publish(kind, content);
    }

    fn take_text(&mut self, stream: Stream, text: String) {
        let before = self.text;
        self.text += text.len();
        if self.quiet || before > MOST_TEXT {
            return;
        }
        match &mut self.pending {
            Some((of, pending)) if *of == stream => pending.push_str(&text),
            _ => {
                self.flush();
                self.pending = Some((stream, text));
            }
        }
        if self.text > MOST_TEXT {
            self.flush();
            let note = format!(
                "\nThe cell has printed more than {} MB; what follows is left out. Write it to a file instead.\n",
                MOST_TEXT >> 20
            );
            self.publish("stream", json!({"name": "stderr", "text": note}));
        } else if self.pending.as_ref().is_some_and(|(_, text)| text.len() >= TEXT_OF_A_MESSAGE) {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        if let Some((stream, text)) = self.pending.take() {
            let name = if stream == Stream::Out { "stdout" } else { "stderr" };
            self.publish("stream", json!({"name": name, "text": text}));
        }
    }

    fn publish(&self, kind: &str, content: Value) {
        self.kernel.iopub.publish(kind, &self.request.message.header, content);
    }
}
