//! The fields of a record and the hash before it -> its line; and back.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The hash before the first record.
pub(super) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const MARK: &str = ",\"hash\":\"";
const HEX: usize = 64;

/// How far a log goes: what has to be kept apart from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 of an empty log.
    pub records: u64,
    /// Hash of the last record.
    pub hash: String,
}

impl Head {
    /// That of an empty log.
    pub fn start() -> Self {
        Self { records: 0, hash: START.to_owned() }
    }
}

/// The line of a record, without its end, and the record's hash: SHA-256 of the line as it is without the hash. The hash
/// before is one of its fields, so each hash holds all lines before it.
pub(super) fn line(fields: Map<String, Value>) -> (String, String) {
    let text = Value::Object(fields).to_string();
    let hash = hash(&text);
    let body = text.strip_suffix('}').unwrap_or(&text);
    (format!("{body}{MARK}{hash}\"}}"), hash)
}

/// The fields of a line and its hash, or what is wrong with the line.
pub(super) fn read(line: &str) -> Result<(Map<String, Value>, String), &'static str> {
    const NONE: &str = "is no record of a decision log";
    let (body, rest) = line.rsplit_once(MARK).ok_or(NONE)?;
    let said = rest.strip_suffix("\"}").filter(|hash| hash.len() == HEX).ok_or(NONE)?;
    let text = format!("{body}}}");
    if hash(&text) != said {
        return Err("was changed: its hash is another");
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => Ok((fields, said.to_owned())),
        _ => Err(NONE),
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
