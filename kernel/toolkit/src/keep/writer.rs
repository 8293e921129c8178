//! Values -> files, in the order in which cells have made them; small ones before the next cell begins.

use super::file;
use polars::frame::DataFrame;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Values below this size are written at once: it takes less time than handing them to a thread is worth.
const SMALL: usize = 1 << 16;

/// Number of the newest value of each variable.
#[derive(Clone, Default)]
struct Newest(Arc<Mutex<HashMap<String, usize>>>);

impl Newest {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Job {
    name: String,
    number: usize,
    path: PathBuf,
    frame: DataFrame,
    note: String,
}

pub(super) struct Writer {
    newest: Newest,
    numbers: usize,
    jobs: Sender<Job>,
}

impl Writer {
    pub(super) fn start() -> Self {
        let newest = Newest::default();
        let (jobs, queue): (Sender<Job>, Receiver<Job>) = channel();
        let of_thread = newest.clone();
        std::thread::spawn(move || queue.into_iter().for_each(|job| job.run(&of_thread)));
        Self { newest, numbers: 0, jobs }
    }

    /// What has been written of a variable, or will be, holds no longer.
    pub(super) fn supersede(&mut self, name: &str, path: &Path) -> usize {
        self.numbers += 1;
        let mut newest = self.newest.lock();
        newest.insert(name.to_owned(), self.numbers);
        let _ = std::fs::remove_file(path);
        self.numbers
    }

    pub(super) fn write(&mut self, name: &str, path: PathBuf, frame: DataFrame, note: String, bytes: usize) {
        let number = self.supersede(name, &path);
        let job = Job { name: name.to_owned(), number, path, frame, note };
        if bytes < SMALL {
            job.run(&self.newest);
        } else {
            // The thread ends with the process.
            let _ = self.jobs.send(job);
        }
    }
}

impl Job {
    /// A value that cannot be written is one that is not kept: there is nobody to tell before it is missed.
    fn run(self, newest: &Newest) {
        let is_newest = |newest: &HashMap<String, usize>| newest.get(&self.name) == Some(&self.number);
        if !is_newest(&newest.lock()) {
            return;
        }
        let part = self.path.with_extension(format!("{}.part", self.number));
        let written = file::write(&part, &self.frame, &self.note);
        let newest = newest.lock();
        if written.is_err() || !is_newest(&newest) || std::fs::rename(&part, &self.path).is_err() {
            let _ = std::fs::remove_file(&part);
        }
    }
}
