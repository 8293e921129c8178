//! What goes in: attempts to log in. What comes out: whether they may be made now.
//!
//! Only failures count: who logs in often and rightly is never held up. Each user and each peer has
//! a bucket that a failure takes from and that time fills.

use std::collections::HashMap;

/// Failures in a row that are allowed, and the time in which one is forgotten.
const USER: Rule = Rule { burst: 10, refill_ms: 6_000 };
const PEER: Rule = Rule { burst: 50, refill_ms: 2_000 };

/// More buckets than this are not kept: the full ones go.
const BUCKETS_KEPT: usize = 10_000;

#[derive(Clone, Copy)]
struct Rule {
    burst: u64,
    refill_ms: u64,
}

/// Failed logins by user and by peer.
#[derive(Default)]
pub(crate) struct Limits {
    /// Until when each bucket is not full: every failure moves it on by the time that forgets it.
    until_ms: HashMap<(char, String), u64>,
}

impl Limits {
    /// Counts an attempt as a failure until [`succeeded`](Self::succeeded) takes it back. Fails with
    /// the seconds to wait.
    pub(crate) fn attempt(&mut self, user: &str, peer: &str, now_ms: u64) -> Result<(), u64> {
        let buckets = [(USER, ('u', user.to_owned())), (PEER, ('p', peer.to_owned()))];
        for (rule, bucket) in &buckets {
            let until = self.until_ms.get(bucket).copied().unwrap_or(0).max(now_ms);
            let full = now_ms + (rule.burst - 1) * rule.refill_ms;
            if until > full {
                return Err((until - full).div_ceil(1000));
            }
        }
        if self.until_ms.len() + buckets.len() > BUCKETS_KEPT {
            self.until_ms.retain(|_, until| *until > now_ms);
        }
        for (rule, bucket) in buckets {
            let until = self.until_ms.entry(bucket).or_default();
            *until = (*until).max(now_ms) + rule.refill_ms;
        }
        Ok(())
    }

    /// The attempt was a success after all.
    pub(crate) fn succeeded(&mut self, user: &str, peer: &str) {
        for (rule, bucket) in [(USER, ('u', user.to_owned())), (PEER, ('p', peer.to_owned()))] {
            if let Some(until) = self.until_ms.get_mut(&bucket) {
                *until = until.saturating_sub(rule.refill_ms);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_limited_and_forgotten() {
        let mut limits = Limits::default();
        for n in 0..10 {
            assert_eq!(limits.attempt("kim", "a", 1000), Ok(()), "{n}");
        }
        assert_eq!(limits.attempt("kim", "b", 1000), Err(6));
        assert_eq!(limits.attempt("lee", "a", 1000), Ok(()));
        assert_eq!(limits.attempt("kim", "a", 6_999), Err(1));
        assert_eq!(limits.attempt("kim", "a", 7_000), Ok(()));
        assert!(limits.attempt("kim", "a", 7_000).is_err());
    }

    #[test]
    fn one_peer_cannot_try_every_name() {
        let mut limits = Limits::default();
        let let_in = (0..200).filter(|n| limits.attempt(&format!("user{n}"), "a", 0).is_ok()).count();
        assert_eq!(let_in, 50);
        assert_eq!(limits.attempt("kim", "b", 0), Ok(()));
    }

    #[test]
    fn successes_do_not_count() {
        let mut limits = Limits::default();
        for _ in 0..1000 {
            assert_eq!(limits.attempt("kim", "a", 0), Ok(()));
            limits.succeeded("kim", "a");
        }
    }
}
