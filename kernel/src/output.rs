//! The pipes between the kernel and the worker: the cells' stdout and stderr, which the worker writes
//! and the kernel reads, with the display channel's frames between the text; and what the
//! analyst typed, and comms, the other way.

use haetae_display::channel::{Event, Frame, Reader, ToCell, send};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, and everything that is shown.
    Out,
    /// Standard error.
    Err,
}

/// Reading ends of both pipes, and writing ends that the kernel keeps for its own marks.
pub struct Output {
    /// What cells write, in order for each stream.
    pub events: UnboundedReceiver<(Stream, Event)>,
    /// Descriptor of the stdout pipe, for the worker.
    pub out: i32,
    /// Descriptor of the stderr pipe, for the worker.
    pub err: i32,
    /// Descriptor from which the worker reads what it is told.
    pub input: i32,
    /// Key of the frames.
    pub key: String,
    marks: [File; 2],
    words: File,
}

impl Output {
    /// Opens the pipes and starts reading.
    ///
    /// # Errors
    /// When the system gives no pipes or threads.
    pub fn open() -> std::io::Result<Self> {
        let key = uuid::Uuid::new_v4().simple().to_string();
        let (sender, events) = unbounded_channel();
        let (out, out_mark) = pipe(Stream::Out, &key, sender.clone())?;
        let (err, err_mark) = pipe(Stream::Err, &key, sender)?;
        let (input, words) = pipe_ends()?;
        let input = inherited(input)?;
        Ok(Self { events, out, err, input, key, marks: [out_mark, err_mark], words: File::from(words) })
    }

    /// Hands something to the worker.
    pub fn tell(&mut self, word: &ToCell) {
        // A worker that is gone needs none.
        let _ = self.words.write_all(&word.encode());
    }

    /// Throws away what a worker that is gone was told and did not read.
    pub fn forget_words(&mut self) {
        let mut ready = libc::pollfd { fd: self.input, events: libc::POLLIN, revents: 0 };
        let mut rest = [0_u8; 4096];
        // SAFETY: the descriptor is this process's own end, open as long as `self`; the buffer has the length
        // that is named. Reading cannot wait, because there is something to be read.
        while unsafe { libc::poll(&raw mut ready, 1, 0) } == 1
            && ready.revents & libc::POLLIN != 0
            && unsafe { libc::read(self.input, rest.as_mut_ptr().cast(), rest.len()) } > 0
        {}
    }

    /// Everything that has been written to either stream and not been read yet, however the cell
    /// ended: the kernel writes a mark behind it and reads as far as that.
    pub async fn rest(&mut self) -> Vec<(Stream, Event)> {
        for mark in &mut self.marks {
            // A pipe whose reader is gone has nothing more to deliver.
            let _ = send(mark, &self.key, &Frame::Mark);
        }
        let mut rest = Vec::new();
        let mut open = self.marks.len();
        while open > 0
            && let Some((stream, event)) = self.events.recv().await
        {
            match event {
                Event::Frame(Frame::Mark) => open -= 1,
                event => rest.push((stream, event)),
            }
        }
        rest
    }
}

fn pipe(stream: Stream, key: &str, events: UnboundedSender<(Stream, Event)>) -> std::io::Result<(i32, File)> {
    let (read, write) = pipe_ends()?;
    let mut read = File::from(read);
    let mark = File::from(write.try_clone()?);
    let write = inherited(write)?;
    let mut reader = Reader::new(key);
    std::thread::Builder::new().name(format!("{stream:?}")).spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length) = read.read(&mut buffer) {
            if length == 0 {
                return;
            }
            for event in reader.feed(&buffer[..length]) {
                if events.send((stream, event)).is_err() {
                    return;
                }
            }
        }
    })?;
    Ok((write, mark))
}

/// A pipe's reading and writing end, neither of which a started program inherits.
fn pipe_ends() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for both descriptors; each is wrapped exactly once.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// Lets the worker have an end: it stays open as long as the kernel runs, and survives exec.
fn inherited(end: OwnedFd) -> std::io::Result<i32> {
    let end = end.into_raw_fd();
    // SAFETY: `end` is open and owned by nobody else from here on.
    if unsafe { libc::fcntl(end, libc::F_SETFD, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(end)
}
