//! What goes in: SQL. What comes out: its whole result; the login is renewed on the way where it
//! must be.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use tokio::sync::Mutex;

use crate::session::{Session, Statement};
use crate::{Addition, ConnectOptions, Error, Param, QueryResult, QueryStream, Result, TableName, params};

/// A connection to a Flight SQL server, for use inside a tokio runtime. Clones share it, and several
/// queries may run at once. Dropping the future of a query ends the query on the server.
#[derive(Clone)]
pub struct AsyncClient {
    options: ConnectOptions,
    session: Arc<Mutex<Session>>,
}

impl AsyncClient {
    /// Connects, and logs in where the options hold a password.
    ///
    /// # Errors
    /// When the address is unfit, the password cannot be read, nobody answers, or the server refuses.
    pub async fn connect(options: &ConnectOptions) -> Result<Self> {
        let session = Session::open(options, 0).await?;
        Ok(Self { options: options.clone(), session: Arc::new(Mutex::new(session)) })
    }

    /// Runs a query and fetches its whole result.
    ///
    /// # Errors
    /// With the server's own message; or when the connection is lost.
    pub async fn query(&self, sql: &str) -> Result<QueryResult> {
        self.run(&Statement::Query(sql.to_owned())).await
    }

    /// Starts a query whose rows are read one batch after the other, so that a result of any size fits.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn stream(&self, sql: &str) -> Result<QueryStream> {
        let session = self.current().await;
        match session.stream(sql).await {
            Err(Error::NotLoggedIn { .. } | Error::Unreachable { .. }) => {
                self.renewed(session.number).await?.stream(sql).await
            }
            done => done,
        }
    }

    /// Runs a query with a value for each of its parameters (`?`, or `$1`, `$2` …).
    ///
    /// # Errors
    /// As [`query`](Self::query); and when the number of values is wrong.
    pub async fn query_with(&self, sql: &str, values: &[Param]) -> Result<QueryResult> {
        self.query_with_batch(sql, &params::batch(values)?).await
    }

    /// Runs a query once for each row of `values`, which has a column for each parameter, in order.
    /// The results follow one another.
    ///
    /// # Errors
    /// As [`query_with`](Self::query_with).
    pub async fn query_with_batch(&self, sql: &str, values: &RecordBatch) -> Result<QueryResult> {
        self.run(&Statement::Prepared { sql: sql.to_owned(), values: values.clone() }).await
    }

    /// Adds rows to tables that are there: all of them in one transaction, or none. How many rows were added.
    ///
    /// # Errors
    /// With the server's own message; or when the connection is lost. Where it is lost at the very end nobody knows
    /// whether they were added.
    pub async fn add(&self, additions: &[Addition]) -> Result<u64> {
        let session = self.current().await;
        // Only what has changed nothing yet is tried again.
        let (session, transaction) = match session.begin().await {
            Err(Error::NotLoggedIn { .. } | Error::Unreachable { .. }) => {
                let session = self.renewed(session.number).await?;
                let transaction = session.begin().await?;
                (session, transaction)
            }
            begun => (session, begun?),
        };
        session.add(transaction, additions).await
    }

    /// The tables that this user may see, in the server's order.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn tables(&self) -> Result<Vec<TableName>> {
        let tables = self.run(&Statement::Tables).await?;
        tables.table_names().map_err(|reason| Error::Protocol { url: self.options.url().to_owned(), reason })
    }

    /// A server that was restarted knows neither the connection nor the token: then once more, from
    /// the start. What breaks off while rows are read is not run again: it may be what broke it.
    async fn run(&self, statement: &Statement) -> Result<QueryResult> {
        let session = self.current().await;
        match session.run(statement).await {
            Err(Error::NotLoggedIn { .. } | Error::Unreachable { .. }) => {
                self.renewed(session.number).await?.run(statement).await
            }
            done => done,
        }
    }

    /// The session that is in use.
    pub(crate) async fn current(&self) -> Session {
        self.session.lock().await.clone()
    }

    /// A session younger than number `old`. Of several queries that notice at the same time, one
    /// logs in and the others wait for it.
    pub(crate) async fn renewed(&self, old: u64) -> Result<Session> {
        let mut session = self.session.lock().await;
        if session.number == old {
            *session = Session::open(&self.options, old + 1).await?;
        }
        Ok(session.clone())
    }
}

impl fmt::Debug for AsyncClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncClient").field("options", &self.options).finish_non_exhaustive()
    }
}
