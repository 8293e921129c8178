//! What goes in: tokens of the issuer that the policy names. What comes out: who they are of. Its keys are kept, and fetched
//! again when they are old or when a token names another one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tonic::Status;

use super::claims::Person;
use super::fetch::fetched;
use super::key::Key;
use super::token::{fitting, header, verified};
use crate::Result;
use crate::lock::lock;
use crate::policy::Provider;

/// Seconds between two tries to fetch keys: strangers can send tokens with any name of a key.
const BETWEEN_TRIES: u64 = 30;

/// More tokens are not remembered as having been seen.
const SEEN: usize = 10_000;

/// The keys of one issuer, and when they were fetched.
#[derive(Default)]
struct Kept {
    provider: Option<Arc<Provider>>,
    keys: Arc<Vec<Key>>,
    /// Seconds since 1970; `None` where there are no keys.
    fetched: Option<u64>,
    tried: Option<u64>,
    /// How often it was tried, so that those who wait for a try see that there was one.
    tries: u64,
}

impl Kept {
    /// Whether the keys are those of this issuer, fetched from where it says. What else a policy says of it may change.
    fn is_of(&self, provider: &Provider) -> bool {
        let same = |kept: &Arc<Provider>| {
            kept.issuer == provider.issuer && kept.keys == provider.keys && kept.ca == provider.ca
        };
        self.provider.as_ref().is_some_and(same)
    }
}

/// Verifies the tokens of an issuer.
#[derive(Default)]
pub(crate) struct Issuer {
    kept: Mutex<Kept>,
    /// One fetches, the others wait.
    fetching: tokio::sync::Mutex<()>,
    seen: Mutex<BTreeSet<String>>,
}

impl Issuer {
    /// Who a token is of, at `now` in seconds since 1970.
    pub(crate) async fn person(&self, token: &str, provider: &Arc<Provider>, now: u64) -> Result<Person, Status> {
        let refused =
            |reason: String| Status::unauthenticated(format!("the token of {} is refused: {reason}", provider.issuer));
        let header = header(token, provider).map_err(refused)?;
        let mut keys = self.keys(provider, now).await?;
        if fitting(&header, &keys).is_empty() {
            // It may have been made by a key that is newer than those that are kept.
            keys = self.newer(provider, now).await?;
        }
        let fitting = fitting(&header, &keys);
        if fitting.is_empty() {
            return Err(refused("it is signed by no key that the issuer shows".to_owned()));
        }
        let claims = verified(token, &fitting, provider, now).map_err(refused)?;
        Person::of(token, &claims, provider).map_err(refused)
    }

    /// Whether a session has not been met before.
    pub(crate) fn is_new(&self, session: &str) -> bool {
        let mut seen = lock(&self.seen);
        if seen.len() >= SEEN && !seen.contains(session) {
            seen.clear();
        }
        seen.insert(session.to_owned())
    }

    /// The keys that are kept, fetched when there are none, and again when they are old. While that fails, they are good for
    /// some time.
    async fn keys(&self, provider: &Arc<Provider>, now: u64) -> Result<Arc<Vec<Key>>, Status> {
        let (keys, age, tries) = {
            let mut kept = lock(&self.kept);
            if !kept.is_of(provider) {
                // Another issuer's keys are no keys of this one.
                *kept = Kept { provider: Some(Arc::clone(provider)), tries: kept.tries, ..Kept::default() };
            }
            (Arc::clone(&kept.keys), kept.fetched.map(|fetched| now.saturating_sub(fetched)), kept.tries)
        };
        match age {
            Some(age) if age < provider.refresh => return Ok(keys),
            // Somebody else is fetching them: meanwhile, the old ones.
            Some(age) if age < provider.refresh + provider.stale => {
                if let Ok(turn) = self.fetching.try_lock() {
                    self.fetch(provider, now, tries).await;
                    drop(turn);
                }
            }
            _ => {
                let _turn = self.fetching.lock().await;
                self.fetch(provider, now, tries).await;
            }
        }
        let kept = lock(&self.kept);
        let good = kept.fetched.is_some_and(|at| now.saturating_sub(at) < provider.refresh + provider.stale);
        if good && kept.is_of(provider) {
            return Ok(Arc::clone(&kept.keys));
        }
        Err(Status::unavailable(format!(
            "the keys of {} cannot be fetched, so that its tokens cannot be verified; try again later, or tell whoever runs the server",
            provider.issuer
        )))
    }

    /// The keys after another try, which is not made too often.
    async fn newer(&self, provider: &Arc<Provider>, now: u64) -> Result<Arc<Vec<Key>>, Status> {
        let tries = lock(&self.kept).tries;
        {
            let _turn = self.fetching.lock().await;
            self.fetch(provider, now, tries).await;
        }
        self.keys(provider, now).await
    }

    /// Fetches the keys, unless it was tried since somebody saw `tries`, or a moment ago. For who has the turn.
    async fn fetch(&self, provider: &Arc<Provider>, now: u64, tries: u64) {
        {
            let mut kept = lock(&self.kept);
            let soon = kept.tried.is_some_and(|tried| now.saturating_sub(tried) < BETWEEN_TRIES);
            if soon || kept.tries != tries || !kept.is_of(provider) {
                return;
            }
            (kept.tried, kept.tries) = (Some(now), kept.tries + 1);
        }
        let found = fetched(provider).await;
        let mut kept = lock(&self.kept);
        match found {
            Ok(keys) if kept.is_of(provider) => {
                (kept.keys, kept.fetched) = (Arc::new(keys), Some(now));
            }
            Ok(_) => {}
            Err(reason) => eprintln!("the keys of {} were not fetched: {reason}", provider.issuer),
        }
    }
}
