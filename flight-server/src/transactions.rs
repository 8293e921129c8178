//! What goes in: begins and ends of transactions. What comes out: changes that belong to one session, and are
//! committed together or dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use haetae_warehouse::ingest::{Changes, Mark};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tonic::Status;

use crate::auth::Principal;
use crate::lock::lock;
use crate::{Result, random};

/// How long a transaction may take.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);
/// How many may be open at a time, of one session, of one user and of all.
const OF_A_SESSION: usize = 4;
const OF_A_USER: usize = 16;
const OF_ALL: usize = 64;
/// How many savepoints one may have.
const SAVEPOINTS: usize = 16;
/// How many that were ended are remembered, for statements that were prepared in them.
const REMEMBERED: usize = 1_000;

/// The open transactions.
#[derive(Clone, Default)]
pub(crate) struct Transactions(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: HashMap<String, Open>,
    /// Those that their clients have ended, the oldest first.
    ended: VecDeque<String>,
    /// Whether a task waits for the next one whose time is over.
    watched: bool,
}

struct Open {
    user: String,
    session: String,
    policy: String,
    ends: Instant,
    /// The version that its queries see.
    version: u64,
    prepared: Shared,
}

/// What a transaction has done so far.
pub(crate) struct Prepared {
    pub(crate) changes: Changes,
    /// Its savepoints by their numbers, the oldest first.
    marks: Vec<(u64, Mark)>,
    next: u64,
}

/// The changes of a transaction, which one call works on at a time.
type Shared = Arc<Turn<Option<Prepared>>>;

/// The changes of a transaction, for as long as one call works on them; `None` when they have been ended.
pub(crate) type Held = OwnedMutexGuard<Option<Prepared>>;

impl Transactions {
    /// Takes over changes that have just begun; returns the name of the transaction.
    pub(crate) fn begin(&self, principal: &Principal, changes: Changes) -> Result<String, Status> {
        let id = random::id().map_err(|error| Status::internal(error.to_string()))?;
        let mut state = self.lock();
        let open = &mut state.open;
        let own = open.values().filter(|other| other.session == principal.session).count();
        let users = open.values().filter(|other| other.user == principal.user).count();
        if own >= OF_A_SESSION || users >= OF_A_USER || open.len() >= OF_ALL {
            return Err(Status::resource_exhausted(format!(
                "too many transactions are open ({own} of this session, {users} of this user, {} of all); end some of \
                 them",
                open.len()
            )));
        }
        let (user, session) = (principal.user.clone(), principal.session.clone());
        let (policy, version) = (principal.policy.clone(), changes.base_version());
        let prepared = Prepared { changes, marks: Vec::new(), next: 1 };
        let prepared = Arc::new(Turn::new(Some(prepared)));
        let ends = Instant::now() + LIFE;
        open.insert(id.clone(), Open { user, session, policy, ends, version, prepared });
        if !std::mem::replace(&mut state.watched, true) {
            self.watch(ends);
        }
        Ok(id)
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// Drops what takes too long, until none is open or the server is no more.
    fn watch(&self, first: Instant) {
        let state = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut next = Some(first);
            while let Some(at) = next {
                tokio::time::sleep_until(at.into()).await;
                next = state.upgrade().and_then(|state| Self(state).expire(Instant::now()));
            }
        });
    }

    /// Drops what has taken too long at `now`. When the next one will have; `None` where none is open any more.
    fn expire(&self, now: Instant) -> Option<Instant> {
        self.remove(|open| open.ends <= now);
        let mut state = self.lock();
        let next = state.open.values().map(|open| open.ends).min();
        state.watched = next.is_some();
        next
    }

    /// Drops what `gone` says.
    fn remove(&self, gone: impl Fn(&Open) -> bool) {
        let removed: Vec<Open> = self.lock().open.extract_if(|_, open| gone(open)).map(|(_, open)| open).collect();
        drop_aside(removed);
    }

    /// The version that queries of a transaction see.
    pub(crate) fn version(&self, principal: &Principal, id: &str) -> Result<u64, Status> {
        self.find(principal, id).map(|(version, _)| version)
    }

    /// What a statement runs in that was prepared in a transaction: that one; once its client has ended it, the one that
    /// is open in the session, or none. Drivers keep a statement when they begin the next transaction.
    pub(crate) fn followed(&self, principal: &Principal, id: &str) -> Result<String, Status> {
        let state = self.lock();
        if !state.ended.iter().any(|ended| ended == id) {
            return Ok(id.to_owned());
        }
        let mut own = state.open.iter().filter(|(_, open)| open.session == principal.session);
        match (own.next(), own.next()) {
            (None, _) => Ok(String::new()),
            (Some((id, _)), None) => Ok(id.clone()),
            _ => Err(Status::failed_precondition(
                "the statement was prepared in a transaction that has ended, and several are open; prepare it again",
            )),
        }
    }

    /// The changes of a transaction, when no other call works on them any more.
    pub(crate) async fn hold(&self, principal: &Principal, id: &str) -> Result<Held, Status> {
        let (_, prepared) = self.find(principal, id)?;
        let held = prepared.lock_owned().await;
        if held.is_none() {
            // It has been ended meanwhile, or a change in it has panicked.
            self.lock().open.remove(id);
            return Err(unknown());
        }
        Ok(held)
    }

    /// The changes of a transaction, which is no more afterwards.
    pub(crate) async fn end(&self, principal: &Principal, id: &str) -> Result<Changes, Status> {
        let mut held = self.hold(principal, id).await?;
        {
            let mut state = self.lock();
            state.open.remove(id);
            if state.ended.len() == REMEMBERED {
                state.ended.pop_front();
            }
            state.ended.push_back(id.to_owned());
        }
        held.take().map(|prepared| prepared.changes).ok_or_else(unknown)
    }

    /// Sets a savepoint; returns its name, which has that of the transaction in it.
    pub(crate) async fn set_savepoint(&self, principal: &Principal, id: &str) -> Result<String, Status> {
        let mut held = self.hold(principal, id).await?;
        let prepared = held.as_mut().ok_or_else(unknown)?;
        if prepared.marks.len() >= SAVEPOINTS {
            return Err(Status::resource_exhausted(format!(
                "a transaction has at most {SAVEPOINTS} savepoints; release some"
            )));
        }
        let number = prepared.next;
        prepared.next += 1;
        prepared.marks.push((number, prepared.changes.mark()));
        Ok(format!("{id}/{number}"))
    }

    /// Forgets a savepoint and those that were set after it; takes back what was done since, if that is wanted.
    pub(crate) async fn end_savepoint(&self, principal: &Principal, name: &str, back: bool) -> Result<(), Status> {
        let none = || Status::not_found("the savepoint is unknown: it has been released, or its transaction has ended");
        let (id, number) = name.rsplit_once('/').ok_or_else(none)?;
        let number: u64 = number.parse().map_err(|_| none())?;
        let mut held = self.hold(principal, id).await?;
        let prepared = held.as_mut().ok_or_else(unknown)?;
        let place = prepared.marks.iter().position(|(known, _)| *known == number).ok_or_else(none)?;
        let mark = prepared.marks.drain(place..).next();
        if let (true, Some((_, mark))) = (back, mark) {
            prepared.changes.back_to(mark);
        }
        Ok(())
    }

    /// Drops the transactions of a session.
    pub(crate) fn close(&self, session: &str) {
        self.remove(|open| open.session == session);
    }

    fn find(&self, principal: &Principal, id: &str) -> Result<(u64, Shared), Status> {
        let mut state = self.lock();
        let found = state.open.get(id).ok_or_else(unknown)?;
        // Whoever asks for another's is told no more than that it is unknown.
        if found.user != principal.user || found.session != principal.session {
            return Err(unknown());
        }
        if found.policy != principal.policy {
            // It can be of no use any more.
            drop_aside(Vec::from_iter(state.open.remove(id)));
            return Err(Status::aborted("the policy has been changed since the transaction began; begin it again"));
        }
        Ok((found.version, Arc::clone(&found.prepared)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

/// What has been prepared has files: they are removed where that holds nobody up.
fn drop_aside(removed: Vec<Open>) {
    if !removed.is_empty() {
        tokio::task::spawn_blocking(move || drop(removed));
    }
}

fn unknown() -> Status {
    Status::not_found(
        "the transaction is unknown: it has been ended, has taken more than 15 minutes, or is of another session",
    )
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    use haetae_warehouse::store::Store;

    use super::*;
    use crate::writes::Work;

    fn of(user: &str, session: &str) -> Principal {
        let text = |text: &str| text.to_owned();
        let (role, peer, policy) = (text("admin"), String::new(), text("p"));
        let bounds = Default::default();
        Principal { user: text(user), role, session: text(session), peer, policy, access: None, bounds, vouched: None }
    }

    /// Waits until nothing that was prepared is left.
    async fn emptied(root: &Path) {
        while std::fs::read_dir(root.join("tmp")).unwrap().count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_transaction_is_of_its_session_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("wh")).unwrap();
        let transactions = Transactions::default();
        let begin = |who: &Principal| transactions.begin(who, Changes::begin(&store).unwrap());
        let (kim, lee) = (of("kim", "1"), of("lee", "2"));
        let id = begin(&kim).unwrap();
        assert_eq!(transactions.version(&kim, &id).unwrap(), 0);
        for other in [&lee, &of("kim", "3")] {
            assert_eq!(transactions.version(other, &id).unwrap_err().code(), tonic::Code::NotFound);
        }
        for _ in 1..OF_A_SESSION {
            begin(&kim).unwrap();
        }
        assert_eq!(begin(&kim).unwrap_err().code(), tonic::Code::ResourceExhausted);
        assert!(begin(&lee).is_ok());
        drop(transactions.end(&kim, &id).await.unwrap());
        assert_eq!(transactions.end(&kim, &id).await.unwrap_err().code(), tonic::Code::NotFound);
        // Several are open: which one is meant?
        assert_eq!(transactions.followed(&kim, &id).unwrap_err().code(), tonic::Code::FailedPrecondition);
        assert!(begin(&kim).is_ok());
        transactions.close("1");
        assert_eq!(transactions.followed(&kim, &id).unwrap(), "");
        let next = begin(&kim).unwrap();
        assert_eq!(transactions.followed(&kim, &id).unwrap(), next);
        assert_eq!(transactions.followed(&kim, "another").unwrap(), "another");
        transactions.close("1");
        assert_eq!(transactions.lock().open.len(), 1);
        assert!(transactions.expire(Instant::now()).is_some());
        assert_eq!(transactions.expire(Instant::now() + LIFE), None);
        assert!(transactions.lock().open.is_empty() && !transactions.lock().watched);
        // What was being written went with them.
        emptied(&folder.path().join("wh")).await;
    }

    #[tokio::test]
    async fn one_user_cannot_have_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("wh")).unwrap();
        let transactions = Transactions::default();
        let begin = |who: &Principal| transactions.begin(who, Changes::begin(&store).unwrap());
        for session in 0..OF_A_USER {
            begin(&of("kim", &session.to_string())).unwrap();
        }
        assert_eq!(begin(&of("kim", "another")).unwrap_err().code(), tonic::Code::ResourceExhausted);
        assert!(begin(&of("lee", "one more")).is_ok());
    }

    #[tokio::test]
    async fn another_policy_ends_a_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("wh")).unwrap();
        let transactions = Transactions::default();
        let kim = of("kim", "1");
        let id = transactions.begin(&kim, Changes::begin(&store).unwrap()).unwrap();
        let changed = Principal { policy: "q".to_owned(), ..kim.clone() };
        assert_eq!(transactions.version(&changed, &id).unwrap_err().code(), tonic::Code::Aborted);
        // With its slot and its files.
        assert_eq!(transactions.version(&changed, &id).unwrap_err().code(), tonic::Code::NotFound);
        assert!(transactions.lock().open.is_empty());
        emptied(&folder.path().join("wh")).await;
    }

    #[tokio::test]
    async fn a_change_that_panics_leaves_no_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("wh")).unwrap();
        let transactions = Transactions::default();
        let kim = of("kim", "1");
        let id = transactions.begin(&kim, Changes::begin(&store).unwrap()).unwrap();
        let work = Work::Shared(transactions.hold(&kim, &id).await.unwrap());
        assert_eq!(work.done(|_| Ok(3)).unwrap().rows, 3);
        let work = Work::Shared(transactions.hold(&kim, &id).await.unwrap());
        let panicked = catch_unwind(AssertUnwindSafe(|| work.done(|_| panic!("no such luck")).map(drop)));
        assert!(panicked.is_err());
        let found = transactions.end(&kim, &id).await.map(drop);
        assert_eq!(found.unwrap_err().code(), tonic::Code::NotFound);
        assert!(transactions.lock().open.is_empty());
        emptied(&folder.path().join("wh")).await;
    }
}
