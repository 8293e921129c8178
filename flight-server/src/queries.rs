//! What goes in: the queries whose tickets are being redeemed, and wishes to cancel them. What comes out: a sign
//! for each of those that are to end.
//!
//! A ticket carries the id of its query. Cancelling one ends every answer that is being sent for it, and
//! refuses the ticket from then on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tonic::Status;

use crate::lock::lock;

/// How many cancelled queries are remembered. A ticket that has outlived its place here can be redeemed again;
/// it ends by itself within the hour.
const REMEMBERED: usize = 1_000;

/// The queries that are being answered, and those that must not be any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queries(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By query: how many answers are being sent, and who tells them to end.
    running: HashMap<String, (usize, watch::Sender<bool>)>,
    /// Oldest first.
    cancelled: VecDeque<String>,
}

/// An answer that is being sent; it is forgotten when this is dropped.
#[derive(Debug)]
pub(crate) struct Answer {
    queries: Queries,
    id: String,
    cancelled: watch::Receiver<bool>,
}

impl Queries {
    /// Takes in an answer of this query. Fails when the query was cancelled.
    pub(crate) fn begin(&self, id: &str) -> Result<Answer, Status> {
        let mut state = self.lock();
        if state.cancelled.iter().any(|known| known == id) {
            return Err(cancelled());
        }
        let (count, sender) = state.running.entry(id.to_owned()).or_insert_with(|| (0, watch::Sender::new(false)));
        *count += 1;
        let cancelled = sender.subscribe();
        Ok(Answer { queries: self.clone(), id: id.to_owned(), cancelled })
    }

    /// Ends what is being sent for this query, and refuses its ticket from now on.
    pub(crate) fn cancel(&self, id: &str) {
        let mut state = self.lock();
        if let Some((_, sender)) = state.running.get(id) {
            sender.send_replace(true);
        }
        if !state.cancelled.iter().any(|known| known == id) {
            if state.cancelled.len() == REMEMBERED {
                state.cancelled.pop_front();
            }
            state.cancelled.push_back(id.to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl Answer {
    /// Comes back when the query has been cancelled.
    pub(crate) async fn cancelled(&mut self) -> Status {
        if self.cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            // The sender lives as long as this answer is counted.
            std::future::pending::<()>().await;
        }
        cancelled()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut state = self.queries.lock();
        if let Some((count, _)) = state.running.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(&self.id);
            }
        }
    }
}

fn cancelled() -> Status {
    Status::cancelled("the query was cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_answer_of_a_query_ends_and_no_other() {
        let queries = Queries::default();
        let mut answers = [queries.begin("a").unwrap(), queries.begin("a").unwrap()];
        let mut other = queries.begin("b").unwrap();
        queries.cancel("a");
        queries.cancel("a");
        for answer in &mut answers {
            assert_eq!(answer.cancelled().await.code(), tonic::Code::Cancelled);
        }
        let pending = tokio::select! { biased; _ = other.cancelled() => false, () = std::future::ready(()) => true };
        assert!(pending);
        assert_eq!(queries.begin("a").unwrap_err().code(), tonic::Code::Cancelled);
        drop((answers, other));
        assert!(queries.lock().running.is_empty());
        assert!(queries.begin("b").is_ok());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let queries = Queries::default();
        (0..=REMEMBERED).for_each(|number| queries.cancel(&number.to_string()));
        assert!(queries.begin("0").is_ok() && queries.begin("1").is_err());
        assert_eq!(queries.lock().cancelled.len(), REMEMBERED);
    }
}
