//! A piece of work and a label -> a bar that follows what the work says of itself.

use crate::cell::display;
use crate::display::Bundle;
use crate::display::channel::Frame;
use crate::display::progress::bar;
use crate::display::work::{self, Work};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// At most ten pictures a second: more would only keep the front end busy.
const INTERVAL: Duration = Duration::from_millis(100);

/// A thread that renews the bar until this is dropped.
pub(crate) struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Shows the label under `id`, and then how far the work has come.
    pub(crate) fn start(label: &str, id: &str) -> Self {
        work::clear();
        let (label, id) = (label.to_owned(), id.to_owned());
        show(Bundle::text(label.clone()), &id, false);
        let (end, ended) = channel();
        let thread = std::thread::spawn(move || follow(&label, &id, &ended));
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // The last picture stands before whatever the cell shows next.
            let _ = thread.join();
        }
    }
}

fn follow(label: &str, id: &str, ended: &Receiver<()>) {
    let mut shown: Option<Work> = None;
    loop {
        let goes_on = matches!(ended.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout));
        if let Some(now) = work::now()
            && shown != Some(now)
        {
            shown = Some(now);
            show(bar(&format!("{label}, {}", now.what), now.done, now.of), id, true);
        }
        if !goes_on {
            // Rounds that ended before the most that they may be, or that count those begun, must not look as if they hung.
            if shown.is_some_and(|last| last.done < last.of) {
                show(Bundle::text(format!("{label}: ended")), id, true);
            }
            return;
        }
    }
}

fn show(bundle: Bundle, id: &str, update: bool) {
    display(Frame::Display { bundle, id: Some(id.to_owned()), update });
}
