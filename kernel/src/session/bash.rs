//! `%%bash`: a script in a process group of its own -> its output, live, and how it ended.

use super::Kernel;
use super::rust_cell::Sink;
use super::shell::{Done, Request};
use crate::compiler::outer_path;
use crate::outcome;
use crate::output::Stream;
use crate::processes::Group;
use crate::settings::BASH_VARIABLE;
use haetae_display::channel::Reader;
use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Time that a script has to end by itself when it was asked to.
const GRACE: Duration = Duration::from_secs(1);

/// Time for output that is still in the pipes when the script has ended. A process that has left the
/// script's group may hold them open for ever.
const REST: Duration = Duration::from_millis(500);

/// A piece of one of the two streams.
type Piece = (Stream, Vec<u8>);

impl Kernel {
    /// Runs a script, where that is allowed.
    pub(super) async fn bash(&self, request: &Request<'_>, script: &str) -> Done {
        if !self.settings.bash() {
            return Done::failed(outcome::no_bash(BASH_VARIABLE));
        }
        match self.script(request, script).await {
            Ok(None) => Done::failed(outcome::stopped_bash()),
            Ok(Some(status)) if status.success() => Done::default(),
            Ok(Some(status)) => Done::failed(outcome::bash_status(status)),
            Err(error) => Done::failed(outcome::bash(&error)),
        }
    }

    /// How a script ended; `None` where the analyst has stopped it.
    async fn script(&self, request: &Request<'_>, script: &str) -> io::Result<Option<ExitStatus>> {
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).env("PATH", outer_path());
        let mut group = Group::start(command)?;
        let (sender, mut pieces) = unbounded_channel();
        read(Stream::Out, group.child.stdout.take(), sender.clone());
        read(Stream::Err, group.child.stderr.take(), sender);
        let mut text = Text::new(Sink::new(self, request, request.silent));
        let mut interrupts = request.interrupts.clone();
        let mut presses = 0;
        let status = loop {
            tokio::select! {
                biased;
                // First, so that a script which prints without a pause can be stopped.
                Ok(()) = interrupts.changed() => {
                    presses += 1;
                    if presses == 1 { group.ask_to_end() } else { group.end() }
                }
                Some(piece) = pieces.recv() => text.take(piece, &pieces),
                status = group.child.wait() => break status?,
                () = tokio::time::sleep(GRACE), if presses > 0 => group.end(),
            }
        };
        // What the script has left running ends with its cell.
        group.ended().await;
        while let Ok(Some(piece)) = tokio::time::timeout(REST, pieces.recv()).await {
            text.take(piece, &pieces);
        }
        Ok((presses == 0).then_some(status))
    }
}

/// Reads a stream until its end.
fn read(stream: Stream, from: Option<impl AsyncRead + Unpin + Send + 'static>, to: UnboundedSender<Piece>) {
    let Some(mut from) = from else { return };
    tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if to.send((stream, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// Bytes as text, to the notebook.
struct Text<'a> {
    sink: Sink<'a>,
    out: Reader,
    err: Reader,
}

impl<'a> Text<'a> {
    fn new(sink: Sink<'a>) -> Self {
        // A key that no script knows: its output is text, whatever it holds.
        let reader = || Reader::new(&uuid::Uuid::new_v4().simple().to_string());
        Self { sink, out: reader(), err: reader() }
    }

    fn take(&mut self, (stream, bytes): Piece, more: &UnboundedReceiver<Piece>) {
        let reader = if stream == Stream::Out { &mut self.out } else { &mut self.err };
        for event in reader.feed(&bytes) {
            self.sink.take(stream, event);
        }
        // What is there already goes into the same message.
        if more.is_empty() {
            self.sink.flush();
        }
    }
}
