//! Comms: messages between cells and code in the front end, such as a widget, in both directions.
//!
//! Data are JSON. Handlers run between cells, on a thread of their own; what they print and show belongs
//! to the message that they answer.

use crate::cell;
use crate::display::channel::{self, Frame};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One end of a comm. Dropping it does not close it: the other end may outlive the variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comm {
    id: String,
}

type OnOpen = Box<dyn FnMut(&Comm, Value) + Send>;
type OnMessage = Box<dyn FnMut(&Comm, Value) + Send>;

#[derive(Default)]
struct Handlers {
    targets: BTreeMap<String, OnOpen>,
    comms: BTreeMap<String, OnMessage>,
}

static HANDLERS: Mutex<Handlers> = Mutex::new(Handlers { targets: BTreeMap::new(), comms: BTreeMap::new() });

fn handlers() -> MutexGuard<'static, Handlers> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Comm {
    /// Opens a comm with the code that the front end has registered as `target`.
    pub fn open(target: &str, data: Value) -> Self {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        // Unique among the front ends of this worker, whose process number differs from all others.
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let comm = Self { id: format!("haetae-{}-{number}", std::process::id()) };
        comm.say(channel::Comm::Open { id: comm.id.clone(), target: target.to_owned(), data });
        comm
    }

    /// The id that both ends know.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sends a message.
    pub fn send(&self, data: Value) {
        self.say(channel::Comm::Message { id: self.id.clone(), data });
    }

    /// Sends a last message and closes the comm.
    pub fn close(self, data: Value) {
        handlers().comms.remove(&self.id);
        self.say(channel::Comm::Close { id: self.id.clone(), data });
    }

    /// Calls `handler` for each message of the other end.
    pub fn on_message(&self, handler: impl FnMut(&Comm, Value) + Send + 'static) {
        handlers().comms.insert(self.id.clone(), Box::new(handler));
    }

    fn say(&self, word: channel::Comm) {
        cell::display(Frame::Comm(word));
    }
}

/// Lets front ends open comms with `target`; `handler` gets each new comm and what came with it.
pub fn on_comm(target: &str, handler: impl FnMut(&Comm, Value) + Send + 'static) {
    handlers().targets.insert(target.to_owned(), Box::new(handler));
    cell::display(Frame::Target(target.to_owned()));
}

/// Calls the handler that a message of a front end is for.
pub(crate) fn handle(message: channel::Comm) {
    let comm = Comm { id: message.id().to_owned() };
    // Out of the map while it runs: a handler may register others.
    match message {
        channel::Comm::Open { target, data, .. } => {
            let handler = handlers().targets.remove(&target);
            if let Some(handler) = call(handler, &comm, data) {
                handlers().targets.entry(target).or_insert(handler);
            }
        }
        channel::Comm::Message { id, data } => {
            let handler = handlers().comms.remove(&id);
            if let Some(handler) = call(handler, &comm, data) {
                handlers().comms.entry(id).or_insert(handler);
            }
        }
        channel::Comm::Close { id, .. } => drop(handlers().comms.remove(&id)),
    }
}

fn call(handler: Option<OnMessage>, comm: &Comm, data: Value) -> Option<OnMessage> {
    let mut handler = handler?;
    if catch_unwind(AssertUnwindSafe(|| handler(comm, data))).is_err() {
        cell::eprint_line(format_args!("the handler of a comm panicked: {}", cell::last_panic()));
    }
    Some(handler)
}
