//! What goes in: a record and the hash before it. What comes out: its line; and back.

use haetae_warehouse::ingest::hexadecimal;
use hmac::Mac;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::secret::hmac;

/// The hash before the first record.
pub(super) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const MARK: &str = ",\"hash\":\"";
const HEX: usize = 64;

/// How far the audit goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
    /// HMAC of both, so that nobody can say that the audit is shorter.
    pub(super) seal: String,
}

impl Head {
    pub(super) fn new(key: &[u8; 32], seq: u64, hash: &str) -> Self {
        Self { seq, hash: hash.to_owned(), seal: mac(key, &["head", &seq.to_string(), hash]) }
    }
}

/// The line of a record, without its end, and the record's hash.
pub(super) fn line(key: &[u8; 32], record: &Record) -> Result<(String, String), serde_json::Error> {
    let text = serde_json::to_string(record)?;
    let hash = mac(key, &["record", &text]);
    // The hash goes before the last brace.
    let body = text.strip_suffix('}').unwrap_or(&text);
    Ok((format!("{body}{MARK}{hash}\"}}"), hash))
}

/// The record of a line and its hash, or what is wrong with the line.
pub(super) fn read(key: &[u8; 32], line: &str) -> Result<(Record, String), &'static str> {
    const NONE: &str = "is no record of an audit";
    let (body, rest) = line.rsplit_once(MARK).ok_or(NONE)?;
    let hash = rest.strip_suffix("\"}").filter(|hash| hash.len() == HEX).ok_or(NONE)?;
    let text = format!("{body}}}");
    let record: Record = serde_json::from_str(&text).map_err(|_| NONE)?;
    if mac(key, &["record", &text]) == hash {
        Ok((record, hash.to_owned()))
    } else {
        Err("was changed, or made with another key")
    }
}

fn mac(key: &[u8; 32], parts: &[&str]) -> String {
    let mut mac = hmac(key);
    for part in parts {
        // With its length before it, so that no two lists of parts read the same.
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    hexadecimal(&mac.finalize().into_bytes())
}
