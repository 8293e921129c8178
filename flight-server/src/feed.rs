//! What goes in: a stream of record batches. What comes out: the same as an iterator for a thread that may wait, a few
//! batches ahead at most; and an error where the stream was given up before its end.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use futures::{Stream, StreamExt};
use haetae_warehouse::{Error, Result};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Batches that wait for the thread.
const AHEAD: usize = 2;

/// `None` is the end of the stream; a channel that closes without it has lost its sender.
type Item = Option<Result<RecordBatch>>;

/// Reads what [`feed`] sends.
pub(crate) struct Fed {
    receiver: Receiver<Item>,
    ended: bool,
}

/// The two ends of a feed.
pub(crate) fn channel_of_batches() -> (Sender<Item>, Fed) {
    let (sender, receiver) = channel(AHEAD);
    (sender, Fed { receiver, ended: false })
}

/// Sends all batches, unless the reader has gone.
pub(crate) async fn feed(sender: Sender<Item>, batches: impl Stream<Item = Result<RecordBatch>>) {
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let failed = batch.is_err();
        if sender.send(Some(batch)).await.is_err() || failed {
            return;
        }
    }
    // Who does not read on does not mind.
    let _ = sender.send(None).await;
}

impl Iterator for Fed {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.receiver.blocking_recv() {
            Some(Some(batch)) => Some(batch),
            Some(None) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(unreadable("rows up to their end", "that the client has gone away")))
            }
        }
    }
}

/// What is wrong with what a client sends.
pub(crate) fn unreadable(expected: &str, found: impl ToString) -> Error {
    let file = PathBuf::from("the rows that were sent");
    Error::Unreadable { file, expected: expected.to_owned(), found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int32Array;
    use futures::stream;

    use super::*;

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(vec![1])) as arrow::array::ArrayRef)]).unwrap()
    }

    #[tokio::test]
    async fn a_stream_that_is_given_up_is_an_error() {
        let (sender, fed) = channel_of_batches();
        let reading = tokio::task::spawn_blocking(move || fed.collect::<Vec<_>>());
        feed(sender, stream::iter((0..5).map(|_| Ok(batch())))).await;
        let whole = reading.await.unwrap();
        assert!(whole.len() == 5 && whole.iter().all(Result::is_ok));

        let (sender, fed) = channel_of_batches();
        let reading = tokio::task::spawn_blocking(move || fed.collect::<Vec<_>>());
        sender.send(Some(Ok(batch()))).await.unwrap();
        drop(sender);
        let cut = reading.await.unwrap();
        assert!(cut.len() == 2 && cut[1].is_err());
    }
}
