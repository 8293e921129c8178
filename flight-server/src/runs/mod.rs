//! What goes in: statements that begin, wait, run and end. What comes out: what is known of those that run and of the
//! last that ran: `system.queries`, metrics, and a line of the log for each.

mod log;
mod table;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use haetae_warehouse::query::QueryMemory;

use crate::auth::{Clock, Principal};
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::served::Rows;

/// How many statements that have ended are remembered.
const REMEMBERED: usize = 1_000;

/// The outcome of what nobody has waited for.
pub(crate) const ABANDONED: &str = "abandoned";

/// The statements of a server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runs(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// Whether each statement that ends is written to standard error.
    logged: bool,
}

#[derive(Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, Arc<Facts>>,
    /// The oldest first.
    ended: VecDeque<Arc<Facts>>,
}

/// What is known of a statement.
struct Facts {
    number: u64,
    id: String,
    user: String,
    role: String,
    class: &'static str,
    statement: String,
    started_ms: u64,
    began: Instant,
    rows: Rows,
    bytes: AtomicU64,
    stage: Mutex<Stage>,
}

#[derive(Debug, Clone, Default)]
struct Stage {
    /// How long it has waited for its turn; `None` = it still waits.
    waited: Option<Duration>,
    memory: Option<QueryMemory>,
    /// Of what has ended.
    end: Option<End>,
}

#[derive(Debug, Clone)]
struct End {
    outcome: String,
    took: Duration,
    memory: u64,
}

/// A statement; the last of its clones that is dropped ends it.
#[derive(Clone)]
pub(crate) struct Run(Arc<Held>);

struct Held {
    runs: Runs,
    facts: Arc<Facts>,
}

impl Runs {
    pub(crate) fn new(clock: Clock, metrics: Arc<Metrics>, logged: bool) -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), clock, metrics, logged }))
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// A statement that begins, and waits for its turn.
    pub(crate) fn begin(&self, principal: &Principal, class: &'static str, statement: String, id: &str) -> Run {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let facts = Arc::new(Facts {
            number,
            id: id.to_owned(),
            user: principal.user.clone(),
            role: principal.role.clone(),
            class,
            statement,
            started_ms: (self.0.clock)(),
            began: Instant::now(),
            rows: Rows::default(),
            bytes: AtomicU64::new(0),
            stage: Mutex::default(),
        });
        state.running.insert(number, Arc::clone(&facts));
        Run(Arc::new(Held { runs: self.clone(), facts }))
    }

    /// How many statements run or wait.
    pub(crate) fn count(&self) -> usize {
        self.lock().running.len()
    }

    /// Those that run and those that ran, by their beginnings: of `user`, or of all.
    fn seen_by(&self, user: Option<&str>) -> Vec<Arc<Facts>> {
        let state = self.lock();
        let all = state.ended.iter().chain(state.running.values());
        let mut seen: Vec<_> = all.filter(|facts| user.is_none_or(|user| facts.user == user)).cloned().collect();
        drop(state);
        seen.sort_by_key(|facts| facts.number);
        seen
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

impl Run {
    /// Its turn has come.
    pub(crate) fn runs(&self) {
        let facts = &self.0.facts;
        facts.stage().waited.get_or_insert(facts.began.elapsed());
    }

    /// It takes its memory from here.
    pub(crate) fn takes(&self, memory: &QueryMemory) {
        self.0.facts.stage().memory = Some(memory.clone());
    }

    /// The rows that it has sent, to be counted.
    pub(crate) fn rows(&self) -> &Rows {
        &self.0.facts.rows
    }

    /// It has sent so many bytes more.
    pub(crate) fn sent(&self, bytes: u64) {
        self.0.facts.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It has changed so many rows, with a commit that made this version unless it is 0.
    pub(crate) fn changed(&self, rows: u64, version: u64) {
        self.rows().store(rows, Ordering::Relaxed);
        if version > 0 {
            self.0.runs.metrics().committed();
        }
    }

    /// It has ended; the first outcome holds.
    pub(crate) fn end(&self, outcome: &str) {
        self.0.end(outcome);
    }
}

impl Held {
    fn end(&self, outcome: &str) {
        let facts = &self.facts;
        {
            let mut stage = facts.stage();
            if stage.end.is_some() {
                return;
            }
            let (took, memory) = (facts.began.elapsed(), stage.memory.take());
            let memory = memory.map_or(0, |memory| memory.peak() as u64);
            stage.waited.get_or_insert(took);
            stage.end = Some(End { outcome: outcome.to_owned(), took, memory });
        }
        let inner = &self.runs.0;
        {
            let mut state = self.runs.lock();
            state.running.remove(&facts.number);
            if state.ended.len() == REMEMBERED {
                state.ended.pop_front();
            }
            state.ended.push_back(Arc::clone(facts));
        }
        inner.metrics.ended(facts.class, outcome, facts.began.elapsed(), facts.sent());
        if inner.logged {
            log::write(facts);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end(ABANDONED);
    }
}

impl Facts {
    /// Rows and bytes.
    fn sent(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        lock(&self.stage)
    }
}

impl Stage {
    fn name(&self) -> &'static str {
        match (&self.end, self.waited) {
            (Some(_), _) => "ended",
            (None, Some(_)) => "running",
            (None, None) => "queued",
        }
    }
}
