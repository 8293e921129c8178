//! What goes in: what a ticket or a prepared handle must remember. What comes out: bytes that only
//! this process can have made, and the same content back.
//!
//! The state travels with the client, so that the server keeps none. It is not hidden, only sealed:
//! a client reads back no more than it sent.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use prost::Message;
use sha2::Sha256;
use tonic::Status;

use crate::secret::hmac;
use crate::{Result, random};

const SEAL_BYTES: usize = 32;

/// What a sealed message is for. A ticket is no handle, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To fetch the result of one statement.
    Ticket = 1,
    /// To bind parameters to a statement and to run it.
    Handle = 2,
}

/// The content of a ticket or handle.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Claim {
    /// Whom it was given to.
    #[prost(string, tag = "1")]
    pub(crate) principal: String,
    #[prost(string, tag = "2")]
    pub(crate) sql: String,
    /// Parameters as an Arrow IPC stream; empty where none are bound.
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) parameters: Bytes,
    /// The version of the warehouse that the statement was planned against.
    #[prost(uint64, tag = "4")]
    pub(crate) version: u64,
    /// Seconds after the start of the process at which it ends; 0 = with the process.
    #[prost(uint64, tag = "5")]
    pub(crate) ends: u64,
    /// The version of the policy that it was made under; empty where there is none.
    #[prost(string, tag = "6")]
    pub(crate) policy: String,
    /// The query of a ticket, by which it can be cancelled.
    #[prost(string, tag = "7")]
    pub(crate) query: String,
    /// The transaction that a handle was made in; empty where there was none.
    #[prost(string, tag = "8")]
    pub(crate) transaction: String,
    /// Whether columns that are dictionaries stay so.
    #[prost(bool, tag = "9")]
    pub(crate) dictionaries: bool,
    /// The table that is read in parts, as `schema.table`; empty where the ticket is for the whole result.
    #[prost(string, tag = "10")]
    pub(crate) divided: String,
    /// Which of how many parts.
    #[prost(uint64, tag = "11")]
    pub(crate) part: u64,
    #[prost(uint64, tag = "12")]
    pub(crate) parts: u64,
    /// A Substrait plan, in the place of SQL.
    #[prost(bytes = "bytes", tag = "13")]
    pub(crate) plan: Bytes,
}

/// Seals and opens claims with a key that lives as long as the process.
pub(crate) struct Sealer {
    key: [u8; 32],
    started: Instant,
}

impl Sealer {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { key: random::bytes()?, started: Instant::now() })
    }

    /// When something that lasts `life` from now on ends, in the clock of [`Claim::ends`].
    pub(crate) fn ends_in(&self, life: Duration) -> u64 {
        (self.started.elapsed() + life).as_secs().max(1)
    }

    pub(crate) fn seal(&self, purpose: Purpose, claim: &Claim) -> Bytes {
        let content = claim.encode_to_vec();
        let mut sealed = self.mac(purpose, &content).finalize().into_bytes().to_vec();
        sealed.extend_from_slice(&content);
        sealed.into()
    }

    /// The content, if it was sealed by this process for this purpose and this principal and has
    /// not ended.
    pub(crate) fn open(&self, purpose: Purpose, principal: &str, sealed: &[u8]) -> Result<Claim, Status> {
        let what = match purpose {
            Purpose::Ticket => "ticket",
            Purpose::Handle => "prepared statement handle",
        };
        let unknown = || {
            Status::not_found(format!(
                "the {what} is not one of this server's; it may have been restarted. Run the query again"
            ))
        };
        let (mac, content) = sealed.split_at_checked(SEAL_BYTES).ok_or_else(unknown)?;
        // verify_slice compares in constant time.
        self.mac(purpose, content).verify_slice(mac).map_err(|_| unknown())?;
        let claim = Claim::decode(content).map_err(|_| unknown())?;
        if claim.principal != principal {
            return Err(Status::permission_denied(format!("the {what} was given to another user")));
        }
        if claim.ends != 0 && self.started.elapsed().as_secs() >= claim.ends {
            return Err(Status::not_found(format!("the {what} has expired; run the query again")));
        }
        Ok(claim)
    }

    fn mac(&self, purpose: Purpose, content: &[u8]) -> Hmac<Sha256> {
        hmac(&self.key).chain_update([purpose as u8]).chain_update(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(ends: u64) -> Claim {
        let (principal, sql, policy) = ("haetae".into(), "select 1".into(), "p1".into());
        Claim { principal, sql, version: 3, ends, policy, query: "q".into(), ..Claim::default() }
    }

    #[test]
    fn only_the_untouched_claim_of_the_same_user_opens() {
        let sealer = Sealer::new().unwrap();
        let sealed = sealer.seal(Purpose::Ticket, &claim(0));
        assert_eq!(sealer.open(Purpose::Ticket, "haetae", &sealed).unwrap(), claim(0));
        assert_eq!(sealer.open(Purpose::Handle, "haetae", &sealed).unwrap_err().code(), tonic::Code::NotFound);
        assert_eq!(sealer.open(Purpose::Ticket, "someone", &sealed).unwrap_err().code(), tonic::Code::PermissionDenied);
        for position in 0..sealed.len() {
            let mut forged = sealed.to_vec();
            forged[position] ^= 1;
            assert!(sealer.open(Purpose::Ticket, "haetae", &forged).is_err(), "byte {position}");
        }
        assert!(sealer.open(Purpose::Ticket, "haetae", &sealed[..10]).is_err());
        assert!(Sealer::new().unwrap().open(Purpose::Ticket, "haetae", &sealed).is_err());
    }

    #[test]
    fn a_ticket_ends() {
        let mut sealer = Sealer::new().unwrap();
        sealer.started = Instant::now() - Duration::from_secs(100);
        let sealed = sealer.seal(Purpose::Ticket, &claim(50));
        let status = sealer.open(Purpose::Ticket, "haetae", &sealed).unwrap_err();
        assert!(status.message().contains("expired"), "{status}");
    }
}
