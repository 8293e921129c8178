//! What goes in: the memory of all queries. What comes out: that of one: a pool of its own within the shared one, with
//! a limit, which says how much the query has and has had.
//!
//! A query asks both pools: its own, which divides the limit among the operators that can spill, and the shared one.
//! So one query never takes what all have, and all together never take more than there is.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, TaskContext};

use super::columns::Columns;

/// How the error begins that the limit of one query makes; the limit in bytes follows.
pub(super) const OVER: &str = "over the memory of one query: ";

/// The most that one query may have, in bytes. It travels in the configuration of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueryLimit(pub(super) usize);

/// How much memory one query has reserved.
#[derive(Debug, Clone)]
pub struct QueryMemory(Arc<OwnPool>);

impl QueryMemory {
    /// Bytes that are reserved now.
    pub fn bytes(&self) -> usize {
        self.0.own.reserved()
    }

    /// The most that was reserved at a time.
    pub fn peak(&self) -> usize {
        self.0.peak.load(Ordering::Relaxed)
    }

    pub(super) fn of(state: &SessionState) -> Self {
        let limit = state.config().get_extension::<QueryLimit>().map_or(usize::MAX, |limit| limit.0);
        let shared = Arc::clone(&state.runtime_env().memory_pool);
        let (own, peak) = (FairSpillPool::new(limit), AtomicUsize::new(0));
        let columns = state.config().get_extension::<Columns>();
        Self(Arc::new(OwnPool { own, shared, limit, peak, columns }))
    }

    /// What a plan runs in so that it takes its memory from here.
    pub(super) fn task(&self, state: &SessionState) -> Arc<TaskContext> {
        let pool: Arc<dyn MemoryPool> = Arc::<OwnPool>::clone(&self.0);
        let runtime = RuntimeEnv { memory_pool: pool, ..state.runtime_env().as_ref().clone() };
        Arc::new(TaskContext::from(state).with_runtime(Arc::new(runtime)))
    }
}

#[derive(Debug)]
struct OwnPool {
    own: FairSpillPool,
    shared: Arc<dyn MemoryPool>,
    limit: usize,
    peak: AtomicUsize,
    /// What is kept of files gives way to queries.
    columns: Option<Arc<Columns>>,
}

impl OwnPool {
    fn note(&self) {
        self.peak.fetch_max(self.own.reserved(), Ordering::Relaxed);
        if let Some(columns) = &self.columns {
            columns.give_way();
        }
    }
}

impl fmt::Display for OwnPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(limit: {} bytes)", self.name(), self.limit)
    }
}

impl MemoryPool for OwnPool {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.shared.grow(reservation, additional);
        self.note();
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let over = |_| DataFusionError::ResourcesExhausted(format!("{OVER}{}", self.limit));
        self.own.try_grow(reservation, additional).map_err(over)?;
        let shared = self.shared.try_grow(reservation, additional);
        match shared {
            Ok(()) => self.note(),
            Err(_) => self.own.shrink(reservation, additional),
        }
        shared
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}
