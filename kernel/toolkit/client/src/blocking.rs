//! What goes in: SQL, on any thread. What comes out: its result, when it is there.

use std::fmt;
use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use arrow::array::RecordBatch;
use haetae_display::stop;
use tokio::runtime::{Builder, Runtime};

use crate::{Addition, AsyncClient, ConnectOptions, Error, Param, QueryResult, Result, TableName};

/// A connection to a Flight SQL server whose calls block until the answer is there. It has threads
/// of its own, so that it also works on a thread that runs inside tokio (which it then blocks). In a
/// notebook, the stop button ends a call with [`Error::Stopped`].
pub struct Client {
    client: AsyncClient,
    threads: Threads,
}

impl Client {
    /// Connects, and logs in where the options hold a password.
    ///
    /// # Errors
    /// As [`AsyncClient::connect`]; and when no thread can be started.
    pub fn connect(options: &ConnectOptions) -> Result<Self> {
        let threads = Threads::start()?;
        let options = options.clone();
        let client = threads.wait(async move { AsyncClient::connect(&options).await })?;
        Ok(Self { client, threads })
    }

    /// Runs a query and fetches its whole result.
    ///
    /// # Errors
    /// As [`AsyncClient::query`].
    pub fn query(&self, sql: &str) -> Result<QueryResult> {
        let (client, sql) = (self.client.clone(), sql.to_owned());
        self.threads.wait(async move { client.query(&sql).await })
    }

    /// Runs a query with a value for each of its parameters (`?`, or `$1`, `$2` …).
    ///
    /// # Errors
    /// As [`AsyncClient::query_with`].
    pub fn query_with(&self, sql: &str, values: &[Param]) -> Result<QueryResult> {
        let (client, sql, values) = (self.client.clone(), sql.to_owned(), values.to_vec());
        self.threads.wait(async move { client.query_with(&sql, &values).await })
    }

    /// Runs a query once for each row of `values`, which has a column for each parameter, in order.
    ///
    /// # Errors
    /// As [`AsyncClient::query_with_batch`].
    pub fn query_with_batch(&self, sql: &str, values: &RecordBatch) -> Result<QueryResult> {
        let (client, sql, values) = (self.client.clone(), sql.to_owned(), values.clone());
        self.threads.wait(async move { client.query_with_batch(&sql, &values).await })
    }

    /// Adds rows to tables that are there: all of them in one transaction, or none. How many rows were added.
    ///
    /// # Errors
    /// As [`AsyncClient::add`].
    pub fn add(&self, additions: &[Addition]) -> Result<u64> {
        let (client, additions) = (self.client.clone(), additions.to_vec());
        self.threads.wait(async move { client.add(&additions).await })
    }

    /// The tables that this user may see, in the server's order.
    ///
    /// # Errors
    /// As [`AsyncClient::tables`].
    pub fn tables(&self) -> Result<Vec<TableName>> {
        let client = self.client.clone();
        self.threads.wait(async move { client.tables().await })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client", &self.client).finish_non_exhaustive()
    }
}

/// How long it may take until a wish to stop is seen.
const LOOK_UP: Duration = Duration::from_millis(50);

/// The runtime that does the waiting; `None` only while it is dropped.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self> {
        // Two: one receives while the other decodes.
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("haetae-client").enable_all().build();
        Ok(Self(Some(runtime.map_err(|source| Error::Threads { source })?)))
    }

    /// Not `block_on`, which panics on a thread that is already inside a runtime.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let (send, receive) = mpsc::sync_channel(1);
        let runtime = self.0.as_ref().ok_or(Error::Abandoned)?;
        let task = runtime.spawn(async move {
            // Nobody is left to read the answer only when the caller's thread has ended.
            let _ = send.send(work.await);
        });
        loop {
            match receive.recv_timeout(LOOK_UP) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) if stop::requested() => {
                    // Dropping the work ends the query on the server too.
                    task.abort();
                    return Err(Error::Stopped);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Abandoned),
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // An ordinary drop waits, which panics inside of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
