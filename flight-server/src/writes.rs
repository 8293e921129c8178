//! What goes in: changes that a client asks for, rows. What comes out: one commit for each, or a part of the
//! transaction that it is in.
//!
//! The warehouse works on a thread that may wait. Rows come to it through a feed; where the client goes away, or the
//! call is dropped for any other reason, the feed ends with an error and nothing is changed. The record of the audit
//! goes along with the work, so that what was committed is recorded where nobody waits for it any more.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::Stream;
use haetae_warehouse::ingest::{Changes, hexadecimal};
use haetae_warehouse::{Error, WORK};
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use crate::audit::Record;
use crate::auth::Principal;
use crate::feed::{Fed, channel_of_batches, feed};
use crate::served::Noted;
use crate::service::Service;
use crate::transactions::Held;
use crate::{Result, status};

/// The longest name of a transaction that is looked for.
const ID_BYTES: usize = 64;

/// The longest idempotency key of a client, in bytes.
const KEY_BYTES: usize = 200;

/// What a change is made in.
pub(crate) enum Work {
    /// A commit of its own, with the idempotency key as the client has it.
    Own { changes: Box<Changes>, key: Option<String> },
    /// A transaction that goes on.
    Shared(Held),
}

/// What became of a change.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    /// The version that it made; 0 within a transaction.
    pub(crate) version: u64,
}

impl Work {
    pub(crate) fn changes(&mut self) -> Result<&mut Changes, Error> {
        match self {
            Self::Own { changes, .. } => Ok(changes.as_mut()),
            Self::Shared(held) => held.as_mut().map(|prepared| &mut prepared.changes).ok_or_else(ended),
        }
    }

    /// Does `job`, and commits what it has done unless a transaction goes on. When it fails, a transaction is as it was
    /// before; when it panics, nobody knows how far it came, and the transaction is no more.
    pub(crate) fn done(self, job: impl FnOnce(&mut Changes) -> Result<u64, Error>) -> Result<Written, Error> {
        match self {
            Self::Own { mut changes, key } => {
                let rows = changes.whole(job)?;
                let done = changes.commit().map_err(|error| match (error, key) {
                    // What it is called in the warehouse says nothing to the client.
                    (Error::KeyReused { version, .. }, Some(key)) => Error::KeyReused { key, version },
                    (error, _) => error,
                });
                Ok(Written { rows, version: done?.version })
            }
            Self::Shared(mut held) => {
                let mut prepared = held.take().ok_or_else(ended)?;
                let rows = prepared.changes.whole(job);
                *held = Some(prepared);
                Ok(Written { rows: rows?, version: 0 })
            }
        }
    }
}

/// Cannot be: what is held has not been ended.
fn ended() -> Error {
    crate::feed::unreadable("an open transaction", "that it has been ended")
}

/// The key of a user in the warehouse, whose keys are everybody's: no client has the key of another, of a pipeline or
/// of an operator. Of one length, however long the names are.
fn own_key(user: &str, key: &str) -> Result<String, Error> {
    if key.is_empty() || key.len() > KEY_BYTES || key.chars().any(char::is_control) {
        return Err(Error::BadKey { bytes: key.len(), most: KEY_BYTES });
    }
    // A key has no control characters, so that no two pairs read the same.
    Ok(format!("client {}", hexadecimal(&Sha256::digest(format!("{user}\0{key}")))))
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
        let failed = |error: Error| status::from_warehouse(&error);
        let own = key.as_deref().map(|key| own_key(&principal.user, key)).transpose().map_err(failed)?;
        let begun = waiting(move || {
            let changes = Changes::begin(&store).map_err(failed)?;
            match own {
                Some(own) => changes.with_key(own).map_err(failed),
                None => Ok(changes),
            }
        });
        Ok(Work::Own { changes: Box::new(begun.await?), key })
    }

    /// Lets `job` write `batches`, and takes over the record of it. When it fails, nothing is changed, and a transaction
    /// is as it was before.
    pub(crate) async fn write(
        &self,
        work: Work,
        batches: impl Stream<Item = Result<RecordBatch, Error>> + Send,
        noted: &mut Noted,
        job: impl FnOnce(&mut Changes, Fed) -> Result<u64, Error> + Send + 'static,
    ) -> Result<Written, Status> {
        let (sender, fed) = channel_of_batches();
        let mut noted = std::mem::take(noted);
        let call = Arc::new(());
        let waited_for = Arc::downgrade(&call);
        let mut writing = std::pin::pin!(waiting(move || {
            let written = work.done(|changes| job(changes, fed)).map_err(|error| status::from_warehouse(&error));
            // What has failed because the call was given up is recorded as such.
            if written.is_ok() || waited_for.strong_count() > 0 {
                noted.end(&written);
            }
            written
        }));
        let mut feeding = std::pin::pin!(feed(sender, batches));
        // Dropped before the feed, whose end the job notices.
        let _call = call;
        tokio::select! {
            // A job that has failed does not wait for the rest of the rows.
            written = &mut writing => written,
            () = &mut feeding => writing.await,
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
        let work = self.work(principal, "", None).await?;
        let Work::Own { changes, .. } = work else { return Err(Status::internal("no work")) };
        self.transactions.begin(principal, *changes)
    }

    pub(crate) async fn end_transaction(&self, principal: &Principal, id: &str, commit: bool) -> Result<(), Status> {
        let mut noted = self.noted(principal, || Record::of(principal, if commit { "commit" } else { "rollback" }, ""));
        let done = match self.transactions.end(principal, id).await {
            Ok(changes) => {
                let mut noted = std::mem::take(&mut noted);
                let ending = waiting(move || {
                    let done = if commit {
                        let done = changes.commit().map_err(|error| status::from_warehouse(&error));
                        done.map(|done| Written { rows: 0, version: done.version })
                    } else {
                        drop(changes);
                        Ok(Written::default())
                    };
                    noted.end(&done);
                    done
                });
                ending.await
            }
            // It has been dropped, which is what was asked for.
            Err(status) if !commit && status.code() == Code::Aborted => Ok(Written::default()),
            Err(status) => Err(status),
        };
        noted.end(&done);
        done.map(drop)
    }
}

/// Runs what waits for the disk where it holds nobody up.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> Result<T, Status> + Send + 'static) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => Err(status::from_panic("the change", panic.as_ref())),
            Err(_) => Err(Status::unavailable("the server is shutting down; nothing was changed")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_its_user() {
        let long = "k".repeat(KEY_BYTES);
        let keys = ["day 1", "pipeline night 00ff", long.as_str()];
        let users = ["kim", "kim day", "k"];
        let mut found: Vec<String> =
            users.iter().flat_map(|user| keys.map(|key| own_key(user, key).unwrap())).collect();
        assert_eq!(own_key("kim", "day 1").unwrap(), found[0]);
        assert!(found.iter().all(|key| key.starts_with("client ") && key.len() <= KEY_BYTES), "{found:?}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), users.len() * keys.len());
        let longer = format!("{long}k");
        for wrong in ["", "a\nb", longer.as_str()] {
            assert!(matches!(own_key("kim", wrong), Err(Error::BadKey { .. })), "{wrong}");
        }
    }
}
