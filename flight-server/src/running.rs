//! What goes in: handlers and result streams. What comes out: the same, counted, stoppable, and
//! with panics turned into statuses.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::watch;
use tonic::Status;

use crate::deadline::Deadline;
use crate::queries::Answer;
use crate::status;

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
        let open = Some((results.boxed(), self.stopped.subscribe(), cut, counted));
        stream::unfold(open, |open| async move {
            let (mut results, mut stopped, mut cut, counted) = open?;
            let item = tokio::select! {
                // First, so that a result that never pauses can be cut.
                biased;
                status = cut.wait() => Err(status),
                _ = stopped.wait_for(|stopped| *stopped) => {
                    Err(Status::unavailable("the server is shutting down; run the query again later"))
                }
                item = results.next() => item?,
            };
            let more = item.is_ok().then_some((results, stopped, cut, counted));
            Some((item, more))
        })
        .boxed()
    }
}

/// What ends a result before its time.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// The query may be cancelled.
    pub(crate) answer: Option<Answer>,
    /// When it has taken too long.
    pub(crate) deadline: Option<Deadline>,
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

struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(count: watch::Sender<usize>) -> Self {
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
