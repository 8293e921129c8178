//! What goes in: records, from many tasks. What comes out: lines on the disk, in batches.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use haetae_warehouse::store::time_text;

use super::chain::{self, Head, START};
use super::{FOLDER, HEAD, LINES, Record, verify};
use crate::auth::Clock;
use crate::files::replace_file;
use crate::lock::lock;
use crate::{Error, Result};

/// Records that wait for the disk. When there are more, whoever brings the next one waits.
const WAITING: usize = 4096;
/// Records that one fsync takes along.
const BATCH: usize = 1024;

enum Message {
    Record(Box<Record>),
    /// Answered when everything before it is on the disk.
    Flush(SyncSender<()>),
}

/// The audit of a server.
pub(crate) struct Audit {
    root: PathBuf,
    key: [u8; 32],
    clock: Clock,
    sender: Mutex<Option<SyncSender<Message>>>,
    failure: Arc<Mutex<Option<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Writer {
    folder: PathBuf,
    file: File,
    key: [u8; 32],
    seq: u64,
    hash: String,
}

impl Audit {
    /// Opens the audit of a warehouse, or begins one. Fails when what is there is not whole: then
    /// somebody has to look at it first. A last line that a crash cut short is cut off.
    pub(crate) fn open(root: &Path, key: [u8; 32], clock: Clock) -> Result<Self> {
        let folder = root.join(FOLDER);
        let path = folder.join(LINES);
        let failed = |reason: String| Error::Audit { path: path.clone(), reason };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| failed(error.to_string()))?;
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).mode(0o600).open(&path);
        let file = file.map_err(|error| failed(error.to_string()))?;
        // Two servers would each go on from the same record, and the chain would be broken for ever.
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => failed("another server is writing it; wait until that has ended".to_owned()),
            TryLockError::Error(error) => failed(error.to_string()),
        })?;
        let begun = cut_torn_line(&path, &file).map_err(|error| failed(error.to_string()))?;
        let (seq, hash) = if begun || folder.join(HEAD).exists() {
            let found = verify(root, &key)?;
            if let Some(fault) = found.faults.first() {
                let remedy = "look into it with `haetae-server audit verify`, keep a copy, and move the folder away to begin a new audit";
                return Err(failed(format!("{fault}; {remedy}")));
            }
            (found.records, found.hash)
        } else {
            (0, START.to_owned())
        };
        let writer = Writer { folder, file, key, seq, hash };
        // From the beginning there is a head: lines without one have lost it.
        writer.write_head().map_err(|error| failed(error.to_string()))?;
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let failure = Arc::new(Mutex::new(None));
        let told = Arc::clone(&failure);
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&receiver, &told))
            .map_err(|error| failed(error.to_string()))?;
        let (sender, thread) = (Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { root: root.to_owned(), key, clock, sender, failure, thread })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Why nothing more can be recorded, if so. Then nothing more may be answered.
    pub(crate) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// Takes over a record; its number, time and hash are added here.
    pub(crate) fn record(&self, mut record: Record) {
        record.time = time_text(i64::try_from((self.clock)()).unwrap_or(i64::MAX));
        self.send(Message::Record(Box::new(record)));
    }

    /// Returns when all records that were taken over are on the disk.
    pub(crate) fn flush(&self) {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.send(Message::Flush(sender));
        // An error says that the writer has ended, which `failure` tells.
        let _ = receiver.recv();
    }

    fn send(&self, message: Message) {
        let sender = lock(&self.sender).clone();
        if sender.is_none_or(|sender| sender.send(message).is_err()) {
            lock(&self.failure).get_or_insert_with(|| "the writer of the audit has ended".to_owned());
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        drop(lock(&self.sender).take());
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Message>, failure: &Mutex<Option<String>>) {
        while let Ok(first) = receiver.recv() {
            let mut batch = vec![first];
            batch.extend(receiver.try_iter().take(BATCH - 1));
            if lock(failure).is_none()
                && let Err(reason) = self.write(&batch)
            {
                eprintln!("the audit cannot be written, so that no more queries are answered: {reason}");
                *lock(failure) = Some(reason);
            }
            for message in batch {
                if let Message::Flush(done) = message {
                    let _ = done.send(());
                }
            }
        }
    }

    fn write(&mut self, batch: &[Message]) -> Result<(), String> {
        let mut text = String::new();
        let (mut seq, mut hash) = (self.seq, self.hash.clone());
        for message in batch {
            let Message::Record(record) = message else { continue };
            seq += 1;
            let record = Record { seq, prev: hash, ..record.as_ref().clone() };
            let (line, own) = chain::line(&self.key, &record).map_err(|error| error.to_string())?;
            text.push_str(&line);
            text.push('\n');
            hash = own;
        }
        if text.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| error.to_string())?;
        (self.seq, self.hash) = (seq, hash);
        self.write_head().map_err(|error| error.to_string())
    }

    fn write_head(&self) -> std::io::Result<()> {
        let head = serde_json::to_vec(&Head::new(&self.key, self.seq, &self.hash))?;
        replace_file(&self.folder.join(HEAD), &head, 0o600).map(drop)
    }
}

impl Drop for Writer {
    /// Closing alone does not unlock while a process that is just being started has the file too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Cuts off a last line without an end: its request was never told to be done. Whether there are lines.
fn cut_torn_line(path: &Path, file: &File) -> std::io::Result<bool> {
    let (length, whole) = (file.metadata()?.len(), end_of_last_line(file)?);
    if whole < length {
        eprintln!("{}: cut off {} bytes of a record that a crash left unfinished", path.display(), length - whole);
        file.set_len(whole)?;
        file.sync_all()?;
    }
    Ok(whole > 0)
}

/// Found from the end, because an audit only grows.
fn end_of_last_line(mut file: &File) -> std::io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = vec![0; 1 << 16];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
