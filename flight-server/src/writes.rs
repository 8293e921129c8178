//! What goes in: changes that a client asks for, rows. What comes out: one commit for each, or a part of the
//! transaction that it is in.
//!
//! The warehouse works on a thread that may wait. Rows come to it through a feed; where the client goes away, or the
//! call is dropped for any other reason, the feed ends with an error and nothing is changed.

use std::time::Instant;

use arrow::array::RecordBatch;
use futures::Stream;
use haetae_warehouse::ingest::Changes;
use haetae_warehouse::{Error, WORK};
use tonic::Status;

use crate::audit::Record;
use crate::auth::Principal;
use crate::feed::{Fed, channel_of_batches, feed};
use crate::service::Service;
use crate::transactions::{Held, LIFE};
use crate::{Result, status};

/// The longest name of a transaction that is looked for.
const ID_BYTES: usize = 64;

/// What a change is made in.
pub(crate) enum Work {
    /// A commit of its own.
    Own(Box<Changes>),
    /// A transaction that goes on.
    Shared(Held),
}

/// What became of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// The version that it made; 0 within a transaction.
    pub(crate) version: u64,
}

impl Work {
    pub(crate) fn changes(&mut self) -> Result<&mut Changes, Error> {
        match self {
            Self::Own(changes) => Ok(changes.as_mut()),
            Self::Shared(held) => held.as_mut().map(|prepared| &mut prepared.changes).ok_or_else(ended),
        }
    }

    fn finish(self) -> Result<u64, Error> {
        match self {
            Self::Own(changes) => Ok(changes.commit()?.version),
            Self::Shared(_) => Ok(0),
        }
    }
}

/// Cannot be: what is held has not been ended.
fn ended() -> Error {
    crate::feed::unreadable("an open transaction", "that it has been ended")
}

/// The name of a transaction, as it came; empty where there is none.
pub(crate) fn transaction(id: Option<&bytes::Bytes>) -> Result<String, Status> {
    let id = id.map(AsRef::as_ref).unwrap_or_default();
    let text = std::str::from_utf8(id).ok().filter(|text| text.len() <= ID_BYTES);
    text.map(str::to_owned).ok_or_else(|| Status::not_found("the transaction is unknown: it is none of this server's"))
}

/// The schema `work` of a user as the manifest has it, if they have one.
pub(crate) fn space(principal: &Principal) -> Option<String> {
    match &principal.access {
        None => Some(WORK.to_owned()),
        Some(access) => access.work.clone(),
    }
}

impl Service {
    /// What a change is made in: the named transaction, or a commit of its own with an idempotency key if there is one.
    pub(crate) async fn work(&self, principal: &Principal, id: &str, key: Option<String>) -> Result<Work, Status> {
        if !id.is_empty() {
            if key.is_some() {
                return Err(Status::invalid_argument(
                    "a key names one commit; a change in a transaction has none of its own",
                ));
            }
            return Ok(Work::Shared(self.transactions.hold(principal, id).await?));
        }
        let store = self.statements.store().clone();
        let begun = waiting(move || {
            let changes = Changes::begin(&store)?;
            match key {
                Some(key) => changes.with_key(key),
                None => Ok(changes),
            }
        });
        Ok(Work::Own(Box::new(begun.await?)))
    }

    /// Lets `job` write `batches`. When it fails, nothing is changed, and a transaction is as it was before.
    pub(crate) async fn write(
        &self,
        mut work: Work,
        batches: impl Stream<Item = Result<RecordBatch, Error>> + Send,
        job: impl FnOnce(&mut Changes, Fed) -> Result<u64, Error> + Send + 'static,
    ) -> Result<Written, Status> {
        let (sender, fed) = channel_of_batches();
        let mut writing = std::pin::pin!(waiting(move || {
            let rows = work.changes()?.whole(|changes| job(changes, fed))?;
            Ok(Written { rows, version: work.finish()? })
        }));
        tokio::select! {
            // A job that has failed does not wait for the rest of the rows.
            written = &mut writing => written,
            () = feed(sender, batches) => writing.await,
        }
    }

    /// Fails where a transaction has changed one of these tables (`schema.table`): a query would not see it.
    pub(crate) fn untouched<'a>(
        principal: &Principal,
        changes: &Changes,
        tables: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), Status> {
        for name in tables {
            let (schema, table) = name.split_once('.').unwrap_or(("", name));
            let stored = if schema == WORK { space(principal) } else { Some(schema.to_owned()) };
            if stored.is_some_and(|stored| changes.touches(&stored, table)) {
                return Err(Status::failed_precondition(format!(
                    "{name} has been changed in this transaction, and statements see what was committed when it began; commit first"
                )));
            }
        }
        Ok(())
    }

    pub(crate) async fn begin_transaction(&self, principal: &Principal) -> Result<String, Status> {
        let Work::Own(changes) = self.work(principal, "", None).await? else { return Err(Status::internal("no work")) };
        let id = self.transactions.begin(principal, *changes)?;
        let timer = self.transactions.timer();
        tokio::spawn(async move {
            tokio::time::sleep(LIFE).await;
            timer(Instant::now());
        });
        Ok(id)
    }

    pub(crate) async fn end_transaction(&self, principal: &Principal, id: &str, commit: bool) -> Result<(), Status> {
        let ended = async {
            let changes = self.transactions.end(principal, id).await?;
            if !commit {
                waiting(move || Ok(drop(changes))).await?;
                return Ok(0);
            }
            waiting(move || Ok(changes.commit()?.version)).await
        };
        let ended: Result<u64, Status> = ended.await;
        let event = if commit { "commit" } else { "rollback" };
        let version = ended.as_ref().copied().unwrap_or_default();
        self.audit(Record { version, ..Record::of(principal, event, "") }, &ended);
        ended.map(drop)
    }
}

/// Runs what waits for the disk where it holds nobody up.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| status::from_warehouse(&error)),
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => Err(status::from_panic("the change", panic.as_ref())),
            Err(_) => Err(Status::unavailable("the server is shutting down; nothing was changed")),
        },
    }
}
