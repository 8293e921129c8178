//! What goes in: queries that want to run. What comes out: permits, a bounded number at a time for each class, and
//! turns that go round among the users.
//!
//! All answers of one query share its permit: a client that fetches the parts of a result one after another must not
//! wait for itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;
use tonic::Status;

use crate::bounds::{Bounds, Class};
use crate::lock::lock;

/// Answers of one query at a time, as many as a result has endpoints at most. Each holds memory and a stream.
const ANSWERS: usize = 32;

/// Who runs, and who waits. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admission {
    state: Arc<Mutex<State>>,
    patience: Duration,
}

struct State {
    lanes: [Lane; 2],
    closed: bool,
    /// Tells the ones that wait apart.
    next: u64,
}

/// The places of one class.
struct Lane {
    places: usize,
    waiting: usize,
    /// What one user may have of both.
    of_a_user: (usize, usize),
    /// By query: its user, and how many answers it has.
    running: HashMap<String, (String, usize)>,
    /// Users whose queries wait; whose turn is next stands first.
    turns: VecDeque<(String, VecDeque<Waiting>)>,
}

struct Waiting {
    number: u64,
    query: String,
    granted: oneshot::Sender<Permit>,
}

/// A query may run for as long as it has this.
pub(crate) struct Permit {
    admission: Admission,
    class: Class,
    query: String,
}

/// How many queries of a class run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
}

/// Permits that are to be handed out when the state is no longer locked: dropping one locks it.
type Grants = Vec<(oneshot::Sender<Permit>, Permit)>;

impl Admission {
    /// With `shared`, no user has more than three quarters of the places, but one at least.
    pub(crate) fn new(bounds: &Bounds, shared: bool) -> Self {
        let most = |of: usize| if shared { of.saturating_sub(of.div_ceil(4)).max(1) } else { of };
        let lane = |places: usize| Lane {
            places,
            waiting: bounds.waiting,
            of_a_user: (most(places), most(bounds.waiting)),
            running: HashMap::new(),
            turns: VecDeque::new(),
        };
        let lanes = [lane(bounds.interactive.get()), lane(bounds.bulk.get())];
        let state = State { lanes, closed: false, next: 0 };
        Self { state: Arc::new(Mutex::new(state)), patience: bounds.patience }
    }

    /// Comes back when the query may run. Fails when too many wait already, when it has waited too long, and when the
    /// server ends. Who drops this waits no more.
    pub(crate) async fn enter(&self, class: Class, user: &str, query: &str) -> Result<Permit, Status> {
        let (place, granted) = {
            let mut state = self.lock();
            if state.closed {
                return Err(ending());
            }
            let number = state.next;
            state.next += 1;
            let lane = &mut state.lanes[class as usize];
            if lane.take(user, query)? {
                drop(state);
                return Ok(self.permit(class, query));
            }
            lane.has_room(class, user, query)?;
            let (sender, granted) = oneshot::channel();
            lane.queue(user, Waiting { number, query: query.to_owned(), granted: sender });
            (Place { admission: self.clone(), class, number }, granted)
        };
        let waited = tokio::time::timeout(self.patience, granted).await;
        drop(place);
        match waited {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(ending()),
            Err(_) => Err(self.impatient(class)),
        }
    }

    /// Refuses what waits and what comes.
    pub(crate) fn close(&self) {
        let turned_away: Vec<_> = {
            let mut state = self.lock();
            state.closed = true;
            state.lanes.iter_mut().flat_map(|lane| lane.turns.drain(..)).collect()
        };
        drop(turned_away);
    }

    pub(crate) fn load(&self, class: Class) -> Load {
        let state = self.lock();
        let lane = &state.lanes[class as usize];
        Load { running: lane.running.len(), waiting: lane.turns.iter().map(|(_, waiting)| waiting.len()).sum() }
    }

    fn permit(&self, class: Class, query: &str) -> Permit {
        Permit { admission: self.clone(), class, query: query.to_owned() }
    }

    fn impatient(&self, class: Class) -> Status {
        let (places, (of_a_user, _)) = {
            let lane = &self.lock().lanes[class as usize];
            (lane.places, lane.of_a_user)
        };
        Status::resource_exhausted(format!(
            "the query has waited {} seconds for its turn: {places} {} queries run at a time, {of_a_user} of one user; \
             try again later, or end queries of your own (system.queries has them)",
            self.patience.as_secs_f64(),
            class.name()
        ))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Lane {
    /// Whether the query has a place now.
    fn take(&mut self, user: &str, query: &str) -> Result<bool, Status> {
        if let Some((_, answers)) = self.running.get_mut(query) {
            if *answers >= ANSWERS {
                return Err(too_many_answers("are being sent"));
            }
            *answers += 1;
            return Ok(true);
        }
        let free = self.free_for(user);
        if free {
            self.running.insert(query.to_owned(), (user.to_owned(), 1));
        }
        Ok(free)
    }

    /// A user for whom there is a place has nothing that waits: each place that becomes free is given away at once.
    fn free_for(&self, user: &str) -> bool {
        let own = self.running.values().filter(|(other, _)| other == user).count();
        self.running.len() < self.places && own < self.of_a_user.0
    }

    fn has_room(&self, class: Class, user: &str, query: &str) -> Result<(), Status> {
        // They would all come in together.
        let same = self.turns.iter().flat_map(|(_, waiting)| waiting).filter(|other| other.query == query).count();
        if same >= ANSWERS {
            return Err(too_many_answers("wait"));
        }
        let all: usize = self.turns.iter().map(|(_, waiting)| waiting.len()).sum();
        let own = self.turns.iter().find(|(other, _)| other == user).map_or(0, |(_, waiting)| waiting.len());
        if all < self.waiting && own < self.of_a_user.1 {
            return Ok(());
        }
        Err(Status::resource_exhausted(format!(
            "too many {} queries: {} run, {all} wait, {own} of them yours, and no more may wait; try again later, or end \
             queries of your own (system.queries has them)",
            class.name(),
            self.running.len()
        )))
    }

    fn queue(&mut self, user: &str, waiting: Waiting) {
        match self.turns.iter_mut().find(|(other, _)| other == user) {
            Some((_, others)) => others.push_back(waiting),
            None => self.turns.push_back((user.to_owned(), [waiting].into())),
        }
    }

    /// Gives free places away, one to each user in turn.
    fn grant(&mut self, admission: &Admission, class: Class) -> Grants {
        let mut grants = Grants::new();
        while let Some(at) = self.turns.iter().position(|(user, _)| self.free_for(user)) {
            let Some((user, mut waiting)) = self.turns.remove(at) else { break };
            if let Some(first) = waiting.pop_front() {
                // The other answers of the same query need no place of their own.
                let (same, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|other| other.query == first.query);
                waiting = rest.into();
                self.running.insert(first.query.clone(), (user.clone(), 1 + same.len()));
                let granted = [first].into_iter().chain(same);
                grants.extend(granted.map(|one| (one.granted, admission.permit(class, &one.query))));
            }
            if !waiting.is_empty() {
                self.turns.push_back((user, waiting));
            }
        }
        grants
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let grants = {
            let mut state = self.admission.lock();
            let lane = &mut state.lanes[self.class as usize];
            if let Some((_, answers)) = lane.running.get_mut(&self.query) {
                *answers -= 1;
                if *answers == 0 {
                    lane.running.remove(&self.query);
                }
            }
            lane.grant(&self.admission, self.class)
        };
        for (granted, permit) in grants {
            // Who has stopped waiting gives it back.
            drop(granted.send(permit));
        }
    }
}

/// A place in the queue, which is left when this is dropped.
struct Place {
    admission: Admission,
    class: Class,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        let turns = &mut state.lanes[self.class as usize].turns;
        for (_, waiting) in turns.iter_mut() {
            waiting.retain(|other| other.number != self.number);
        }
        turns.retain(|(_, waiting)| !waiting.is_empty());
    }
}

fn too_many_answers(what: &str) -> Status {
    Status::resource_exhausted(format!("{ANSWERS} answers of this query {what} already; read one to its end first"))
}

fn ending() -> Status {
    Status::unavailable("the server is shutting down; run the query again later")
}

#[cfg(test)]
mod tests;
