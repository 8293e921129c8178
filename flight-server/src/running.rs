//! What goes in: handlers and result streams. What comes out: the same, counted, stoppable, and
//! with panics turned into statuses.
//!
//! A task of its own takes a result from the engine and hands it to the connection, a message or two ahead. So the
//! query ends in time also where the connection asks for nothing, because its client does not read.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::admission::Permit;
use crate::deadline::Deadline;
use crate::lock::lock;
use crate::queries::Answer;
use crate::runs::Run;
use crate::served::outcome;
use crate::status;

/// Messages that wait for the connection.
const AHEAD: usize = 1;

/// The results that are being sent.
pub(crate) struct Running {
    count: watch::Sender<usize>,
    stopped: watch::Sender<bool>,
}

impl Running {
    pub(crate) fn new() -> Self {
        Self { count: watch::Sender::new(0), stopped: watch::Sender::new(false) }
    }

    /// How many results are being sent, now and whenever that changes.
    pub(crate) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Ends every result with an error that a client may answer by trying again.
    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// `results` until its end, a panic, [`stop`](Self::stop), or what `cut` says. Dropping it ends the query.
    pub(crate) fn hold<T, S>(&self, results: S, cut: Cut) -> BoxStream<'static, Result<T, Status>>
    where
        T: Send + 'static,
        S: Stream<Item = Result<T, Status>> + Send + 'static,
    {
        let counted = Counted::new(self.count.clone());
        let results = AssertUnwindSafe(results).catch_unwind().map(|item| match item {
            Ok(item) => item,
            Err(panic) => Err(status::from_panic("the query", panic.as_ref())),
        });
        let (sender, receiver) = mpsc::channel(AHEAD);
        let last = Arc::new(Mutex::new(None));
        let pump = Pump { results: results.boxed(), stopped: self.stopped.subscribe(), cut, counted };
        let task = Aborted(tokio::spawn(pump.run(sender, Arc::clone(&last))));
        stream::unfold((receiver, last, task), |(mut receiver, last, task)| async move {
            let item = match receiver.recv().await {
                Some(item) => Ok(item),
                None => Err(lock(&last).take()?),
            };
            Some((item, (receiver, last, task)))
        })
        .boxed()
    }
}

/// A result on its way.
struct Pump<T> {
    results: BoxStream<'static, Result<T, Status>>,
    stopped: watch::Receiver<bool>,
    cut: Cut,
    counted: Counted,
}

impl<T> Pump<T> {
    /// Sends everything; why it ended before its time is left in `last`.
    async fn run(mut self, sender: mpsc::Sender<T>, last: Arc<Mutex<Option<Status>>>) {
        let ended = self.send(&sender).await.err();
        if let (Some(status), Some(run)) = (&ended, &self.cut.run) {
            run.end(&outcome(status));
        }
        // Before the reader hears of the end: then nothing of the query is left.
        let Self { results, cut, counted, .. } = self;
        drop((results, cut, counted));
        *lock(&last) = ended;
        drop(sender);
    }

    async fn send(&mut self, sender: &mpsc::Sender<T>) -> Result<(), Status> {
        loop {
            let item = tokio::select! {
                // First, so that a result that never pauses can be cut.
                biased;
                status = self.cut.wait() => return Err(status),
                status = stopped(&mut self.stopped) => return Err(status),
                item = self.results.next() => item,
            };
            let Some(item) = item.transpose()? else { return Ok(()) };
            let unread = self.cut.unread;
            let place = tokio::select! {
                biased;
                place = sender.reserve() => place,
                status = self.cut.wait() => return Err(status),
                status = stopped(&mut self.stopped) => return Err(status),
                status = unread_for(unread) => return Err(status),
            };
            match place {
                Ok(place) => place.send(item),
                // Nobody reads on.
                Err(_) => return Ok(()),
            }
        }
    }
}

async fn stopped(stopped: &mut watch::Receiver<bool>) -> Status {
    // The sender lives as long as the server.
    let _ = stopped.wait_for(|stopped| *stopped).await;
    Status::unavailable("the server is shutting down; run the query again later")
}

/// Comes back when nothing has been read for so long.
async fn unread_for(most: Option<Duration>) -> Status {
    let Some(most) = most else { return std::future::pending().await };
    tokio::time::sleep(most).await;
    Status::deadline_exceeded(format!(
        "the client has read nothing for {} seconds, so that the query was ended; run it again, and read faster or ask \
         for less (--unread-seconds)",
        most.as_secs_f64()
    ))
}

/// Ends a task when it is dropped.
pub(crate) struct Aborted(pub(crate) JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What ends a result before its time, and what goes with it.
#[derive(Default)]
pub(crate) struct Cut {
    /// The query may be cancelled.
    pub(crate) answer: Option<Answer>,
    /// When it has taken too long.
    pub(crate) deadline: Option<Deadline>,
    /// How long it waits for a client that reads nothing.
    pub(crate) unread: Option<Duration>,
    /// Its place among those that run.
    pub(crate) permit: Option<Permit>,
    /// What is told of it.
    pub(crate) run: Option<Run>,
}

impl Cut {
    pub(crate) async fn wait(&mut self) -> Status {
        let cancelled = async {
            match &mut self.answer {
                Some(answer) => answer.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let late = async {
            match &self.deadline {
                Some(deadline) => deadline.passed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { status = cancelled => status, status = late => status }
    }
}

/// One more for as long as it lives.
pub(crate) struct Counted(watch::Sender<usize>);

impl Counted {
    pub(crate) fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Runs a handler; a panic in it is a status for its client, and the server goes on.
pub(crate) async fn guarded<T>(doing: &str, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done,
        Err(panic) => Err(status::from_panic(doing, panic.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_status_and_ends_its_own_result_only() {
        let status =
            guarded("planning", async { if true { panic!("no such luck") } else { Ok(()) } }).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Internal);
        assert!(
            status.message().contains("planning failed because of a defect in the server (no such luck)"),
            "{status}"
        );

        let running = Running::new();
        let results =
            running.hold(stream::iter(0..3).map(|n| if n == 2 { panic!("at {n}") } else { Ok(n) }), Cut::default());
        let good: Vec<_> = results.collect().await;
        assert_eq!(good.len(), 3);
        assert!(good[2].as_ref().unwrap_err().message().contains("at 2"));
        assert_eq!(*running.count().borrow(), 0);
    }

    #[tokio::test]
    async fn results_are_counted_and_can_be_stopped() {
        let running = Running::new();
        let endless = running.hold(stream::pending::<Result<i32, Status>>(), Cut::default());
        let finite = running.hold(stream::iter([Ok(1), Ok(2)]), Cut::default());
        assert_eq!(*running.count().borrow(), 2);
        assert_eq!(finite.try_collect::<Vec<_>>().await.unwrap(), [1, 2]);
        assert_eq!(*running.count().borrow(), 1);
        running.stop();
        let ended: Vec<_> = endless.collect().await;
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].as_ref().unwrap_err().code(), tonic::Code::Unavailable);
        assert_eq!(*running.count().borrow(), 0);
    }
}
