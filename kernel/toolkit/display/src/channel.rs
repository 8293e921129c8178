//! What a running cell sends to the kernel: text as it is, everything else as frames between the
//! text, in one byte stream, so that order is kept without locks or clocks.
//!
//! A frame is `ESC ] haetae ; KEY ; LENGTH ; JSON BEL`. KEY is random for each kernel (the worker
//! finds it in [`KEY_VARIABLE`]), so no text that a cell prints can be taken for a frame.

use crate::Bundle;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Environment variable in which the kernel gives its worker the key.
pub const KEY_VARIABLE: &str = "HAETAE_CHANNEL_KEY";
/// Environment variable with the descriptor from which a cell reads what the analyst types.
pub const INPUT_VARIABLE: &str = "HAETAE_CELL_INPUT";

const BEL: u8 = 0x07;
/// A frame whose length says more than this is taken for text: nothing the toolkit sends is larger.
const MAX_FRAME: usize = 1 << 30;

/// What a cell can say besides text.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The value of the cell's last expression.
    Result(Bundle),
    /// A value shown on the way; with an id it can be updated later.
    Display {
        /// What to show.
        bundle: Bundle,
        /// Name under which it can be replaced.
        id: Option<String>,
        /// True where it replaces what was shown under `id`.
        update: bool,
    },
    /// Remove what the cell has shown so far (`wait`: only when the next output comes).
    Clear {
        /// Keep the old output until there is a new one.
        wait: bool,
    },
    /// Ask the analyst for a line of text; the kernel answers with [`ToCell`].
    Ask {
        /// What to show before the field.
        prompt: String,
        /// Do not show what is typed.
        password: bool,
    },
    /// Something for the other end of a comm, in the front end.
    Comm(Comm),
    /// From here on the front end may open comms with this target.
    Target(String),
    /// What the kernel delivered to a comm has been dealt with.
    Handled,
    /// The cell's code has ended in an error.
    Failed(Failure),
    /// Written by the kernel into its own pipe: everything before it has been read.
    Mark,
}

/// What one end of a comm says to the other: Jupyter's `comm_open`, `comm_msg`, `comm_close`.
#[derive(Clone, Debug, PartialEq)]
pub enum Comm {
    /// A new comm.
    Open {
        /// Its id.
        id: String,
        /// The name of the code that serves it.
        target: String,
        /// What comes with it.
        data: Value,
    },
    /// A message.
    Message {
        /// Of which comm.
        id: String,
        /// What it says.
        data: Value,
    },
    /// The last message.
    Close {
        /// Of which comm.
        id: String,
        /// What it says.
        data: Value,
    },
}

impl Comm {
    /// The comm's id.
    pub fn id(&self) -> &str {
        match self {
            Comm::Open { id, .. } | Comm::Message { id, .. } | Comm::Close { id, .. } => id,
        }
    }

    /// Jupyter's message type, and the content of the message.
    pub fn message(&self) -> (&'static str, Value) {
        match self {
            Comm::Open { id, target, data } => {
                ("comm_open", json!({"comm_id": id, "target_name": target, "data": data}))
            }
            Comm::Message { id, data } => ("comm_msg", json!({"comm_id": id, "data": data})),
            Comm::Close { id, data } => ("comm_close", json!({"comm_id": id, "data": data})),
        }
    }

    /// Reads such a message; `None` where the id is missing or the type is another one.
    pub fn of(kind: &str, content: &Value) -> Option<Comm> {
        let text = |key: &str| content.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = text("comm_id")?;
        let data = content.get("data").cloned().unwrap_or(json!({}));
        Some(match kind {
            "comm_open" => Comm::Open { id, target: text("target_name")?, data },
            "comm_msg" => Comm::Message { id, data },
            "comm_close" => Comm::Close { id, data },
            _ => return None,
        })
    }
}

/// Why a cell failed, in the words of a Jupyter error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Kind of the error, for instance `panic` or `ClientError`.
    pub name: String,
    /// What happened.
    pub message: String,
    /// Lines to show below it.
    pub traceback: Vec<String>,
}

impl Frame {
    /// The frame's bytes for the stream.
    pub fn encode(&self, key: &str) -> Vec<u8> {
        let body = self.to_json().to_string();
        let mut bytes = format!("\x1b]haetae;{key};{};", body.len()).into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        bytes.push(BEL);
        bytes
    }

    fn to_json(&self) -> Value {
        match self {
            Frame::Result(bundle) => json!({"result": bundle.clone().into_json()}),
            Frame::Display { bundle, id, update } => {
                json!({"display": bundle.clone().into_json(), "id": id, "update": update})
            }
            Frame::Clear { wait } => json!({"clear": wait}),
            Frame::Ask { prompt, password } => json!({"ask": prompt, "password": password}),
            Frame::Comm(comm) => {
                let (kind, content) = comm.message();
                json!({"comm": kind, "content": content})
            }
            Frame::Target(target) => json!({"target": target}),
            Frame::Handled => json!({"handled": true}),
            Frame::Failed(failure) => json!({"failed": {
                "name": failure.name, "message": failure.message, "traceback": failure.traceback,
            }}),
            Frame::Mark => json!({"mark": true}),
        }
    }

    fn from_json(mut value: Value) -> Option<Frame> {
        let map = value.as_object_mut()?;
        if let Some(bundle) = map.remove("result") {
            return Some(Frame::Result(bundle_of(bundle)?));
        }
        if let Some(bundle) = map.remove("display") {
            return Some(Frame::Display {
                bundle: bundle_of(bundle)?,
                id: map.get("id").and_then(Value::as_str).map(str::to_owned),
                update: map.get("update").and_then(Value::as_bool).unwrap_or(false),
            });
        }
        if let Some(wait) = map.get("clear") {
            return Some(Frame::Clear { wait: wait.as_bool()? });
        }
        if let Some(prompt) = map.get("ask") {
            return Some(Frame::Ask { prompt: prompt.as_str()?.to_owned(), password: map.get("password")?.as_bool()? });
        }
        if let Some(kind) = map.get("comm") {
            return Some(Frame::Comm(Comm::of(kind.as_str()?, map.get("content")?)?));
        }
        if let Some(target) = map.get("target") {
            return Some(Frame::Target(target.as_str()?.to_owned()));
        }
        if map.contains_key("handled") {
            return Some(Frame::Handled);
        }
        if map.contains_key("mark") {
            return Some(Frame::Mark);
        }
        Some(Frame::Failed(failure_of(map.get("failed")?.as_object()?)))
    }
}

/// What the kernel sends to the worker: one line of JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum ToCell {
    /// What the analyst typed.
    Typed(String),
    /// There will be no answer to a question, for this reason.
    Refused(String),
    /// Something from the other end of a comm.
    Comm(Comm),
}

impl ToCell {
    /// The line, with its end.
    pub fn encode(&self) -> Vec<u8> {
        let body = match self {
            ToCell::Typed(text) => json!({"typed": text}),
            ToCell::Refused(reason) => json!({"refused": reason}),
            ToCell::Comm(comm) => {
                let (kind, content) = comm.message();
                json!({"comm": kind, "content": content})
            }
        };
        format!("{body}\n").into_bytes()
    }

    /// What a line holds; `None` for anything else.
    pub fn decode(line: &str) -> Option<ToCell> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(kind) = text("comm") {
            return Comm::of(&kind, value.get("content")?).map(ToCell::Comm);
        }
        text("typed").map(ToCell::Typed).or_else(|| text("refused").map(ToCell::Refused))
    }
}

fn bundle_of(value: Value) -> Option<Bundle> {
    match value {
        Value::Object(map) => Some(Bundle::from_map(map)),
        _ => None,
    }
}

fn failure_of(map: &Map<String, Value>) -> Failure {
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let lines = map.get("traceback").and_then(Value::as_array);
    Failure {
        name: text("name"),
        message: text("message"),
        traceback: lines
            .map(|lines| lines.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
    }
}

/// Writes a frame to `out` in one call and flushes, so that it stands after all text before it.
pub fn send(out: &mut impl Write, key: &str, frame: &Frame) -> io::Result<()> {
    out.write_all(&frame.encode(key))?;
    out.flush()
}

/// What the kernel reads: text and frames in the order in which they were written.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Text for the stream, never cut inside a character.
    Text(String),
    /// A frame.
    Frame(Frame),
}

/// Splits the byte stream again, however it was cut on the way.
#[derive(Debug)]
pub struct Reader {
    start: Vec<u8>,
    pending: Vec<u8>,
}

impl Reader {
    /// A reader for streams written with `key`.
    pub fn new(key: &str) -> Self {
        Self { start: format!("\x1b]haetae;{key};").into_bytes(), pending: Vec::new() }
    }

    /// Takes the next bytes; gives what is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        loop {
            let Some(at) = find(&self.pending, &self.start) else {
                let keep = partial_start(&self.pending, &self.start);
                let text = self.pending.len() - keep;
                self.take_text(text, &mut events);
                return events;
            };
            self.take_text(at, &mut events);
            // `take_text` may leave an unfinished character in front; it belongs to broken text.
            let Some(at) = find(&self.pending, &self.start) else { return events };
            match frame_at(&self.pending[at + self.start.len()..]) {
                // JSON holds no escape character: a second start means that the first frame's writer has died.
                FrameAt::Incomplete if !self.starts_again(at, bytes.len()) => return events,
                FrameAt::Incomplete | FrameAt::Broken => {
                    let skip = at + self.start.len();
                    events.push(Event::Text(lossy(&self.pending[..skip])));
                    self.pending.drain(..skip);
                }
                FrameAt::Complete { frame, length } => {
                    if at > 0 {
                        events.push(Event::Text(lossy(&self.pending[..at])));
                    }
                    self.pending.drain(..at + self.start.len() + length);
                    events.extend(frame.map(Event::Frame));
                }
            }
        }
    }

    /// Whether another frame starts behind the one at `at`; only in what has come last, as what was
    /// there before has been looked at.
    fn starts_again(&self, at: usize, last: usize) -> bool {
        let new = self.pending.len().saturating_sub(last + self.start.len());
        find(&self.pending[new.max(at + self.start.len())..], &self.start).is_some()
    }

    fn take_text(&mut self, length: usize, events: &mut Vec<Event>) {
        let mut whole = 0;
        while whole < length {
            match std::str::from_utf8(&self.pending[whole..length]) {
                Ok(_) => whole = length,
                Err(error) => {
                    whole += error.valid_up_to();
                    // An unfinished character at the end waits for its rest; a broken one does not.
                    let Some(broken) = error.error_len() else { break };
                    whole += broken;
                }
            }
        }
        if whole > 0 {
            events.push(Event::Text(lossy(&self.pending[..whole])));
            self.pending.drain(..whole);
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

enum FrameAt {
    Incomplete,
    Broken,
    Complete { frame: Option<Frame>, length: usize },
}

/// Reads `LENGTH ; JSON BEL`.
fn frame_at(bytes: &[u8]) -> FrameAt {
    let Some(semicolon) = bytes.iter().take(12).position(|&b| b == b';') else {
        return if bytes.len() < 12 { FrameAt::Incomplete } else { FrameAt::Broken };
    };
    let length = std::str::from_utf8(&bytes[..semicolon]).ok().and_then(|t| t.parse().ok());
    let Some(length) = length.filter(|&length: &usize| length <= MAX_FRAME) else {
        return FrameAt::Broken;
    };
    let end = semicolon + 1 + length;
    match bytes.get(end) {
        None => FrameAt::Incomplete,
        Some(&BEL) => match serde_json::from_slice(&bytes[semicolon + 1..end]) {
            Ok(value) => FrameAt::Complete { frame: Frame::from_json(value), length: end + 1 },
            // An unfinished frame may have its length's end just where the next frame ends.
            Err(_) => FrameAt::Broken,
        },
        Some(_) => FrameAt::Broken,
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Bytes at the end of `text` that may be the beginning of a frame.
fn partial_start(text: &[u8], start: &[u8]) -> usize {
    (1..start.len().min(text.len() + 1)).rev().find(|&n| text.ends_with(&start[..n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> (Vec<u8>, Vec<Event>) {
        let frames = [
            Frame::Result(Bundle::text("1 < 2")),
            Frame::Display { bundle: Bundle::text("x"), id: Some("a".into()), update: true },
            Frame::Clear { wait: true },
            Frame::Ask { prompt: "name? ".into(), password: false },
            Frame::Comm(Comm::Message { id: "1".into(), data: json!({"lane": "red"}) }),
            Frame::Target("lanes".into()),
            Frame::Handled,
            Frame::Failed(Failure { name: "panic".into(), message: "no".into(), traceback: vec!["line".into()] }),
            Frame::Mark,
        ];
        let mut bytes = Vec::new();
        let mut events = Vec::new();
        for (i, frame) in frames.into_iter().enumerate() {
            let text = format!("해태 {i}\n");
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(&frame.encode("k"));
            events.extend([Event::Text(text), Event::Frame(frame)]);
        }
        (bytes, events)
    }

    fn joined(events: Vec<Event>) -> Vec<Event> {
        let mut out: Vec<Event> = Vec::new();
        for event in events {
            match (out.last_mut(), event) {
                (Some(Event::Text(last)), Event::Text(text)) => last.push_str(&text),
                (_, event) => out.push(event),
            }
        }
        out
    }

    #[test]
    fn order_survives_any_cut() {
        let (bytes, expected) = stream();
        for size in 1..bytes.len() {
            let mut reader = Reader::new("k");
            let events = bytes.chunks(size).flat_map(|chunk| reader.feed(chunk)).collect();
            assert_eq!(joined(events), expected, "chunks of {size}");
        }
    }

    #[test]
    fn what_the_worker_gets_is_one_line_each() {
        let comm = |comm: Comm| ToCell::Comm(comm);
        let id = || "1".to_owned();
        for word in [
            ToCell::Typed("a\nb \"해\"".into()),
            ToCell::Refused("no".into()),
            comm(Comm::Open { id: id(), target: "lanes".into(), data: json!({"a": "\n"}) }),
            comm(Comm::Message { id: id(), data: json!([1]) }),
            comm(Comm::Close { id: id(), data: json!({}) }),
        ] {
            let line = String::from_utf8(word.encode()).unwrap();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(ToCell::decode(&line), Some(word));
        }
        assert_eq!(ToCell::decode("{}"), None);
    }

    #[test]
    fn a_frame_with_another_key_is_text() {
        let bytes = Frame::Clear { wait: false }.encode("other");
        let events = joined(Reader::new("k").feed(&bytes));
        assert_eq!(events, [Event::Text(String::from_utf8(bytes).unwrap())]);
    }

    #[test]
    fn a_frame_that_was_never_finished_holds_nothing_up() {
        let (unfinished, next) = (Frame::Result(Bundle::text("long")).encode("k"), Frame::Mark.encode("k"));
        for cut in 1..unfinished.len() {
            let mut reader = Reader::new("k");
            let mut events = reader.feed(&unfinished[..cut]);
            events.extend(reader.feed(&next));
            assert_eq!(events.last(), Some(&Event::Frame(Frame::Mark)), "cut at {cut}");
        }
    }

    #[test]
    fn a_broken_character_does_not_break_the_next() {
        let mut reader = Reader::new("k");
        let mut events = reader.feed(b"\xff\xed\x95");
        events.extend(reader.feed(b"\xb4"));
        assert_eq!(joined(events), [Event::Text("\u{fffd}해".into())]);
    }

    #[test]
    fn broken_text_and_broken_lengths_pass_as_text() {
        let mut reader = Reader::new("k");
        assert_eq!(reader.feed(b"\xff!"), [Event::Text("\u{fffd}!".into())]);
        let events = joined(reader.feed(b"\x1b]haetae;k;999999999999;{}\x07ok"));
        assert_eq!(events, [Event::Text("\x1b]haetae;k;999999999999;{}\x07ok".into())]);
    }
}
