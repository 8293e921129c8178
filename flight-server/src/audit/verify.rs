//! What goes in: the audit of a warehouse. What comes out: whether it is whole, and where it is not.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use super::chain::{self, Head, START};
use super::{FOLDER, HEAD, LINES, Record};
use crate::{Error, Result};

/// More faults than this are not listed.
const FAULTS_LISTED: usize = 100;

/// What was found in an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The number of the last record.
    pub records: u64,
    /// The hash of the last record. Kept elsewhere, it proves later that nothing before it changed.
    pub hash: String,
    /// What is wrong, with the number of the line; empty where the audit is whole.
    pub faults: Vec<String>,
}

/// Checks each line and the end of the audit of the warehouse in `root`. Fails when it cannot be read.
pub fn verify(root: &Path, key: &[u8; 32]) -> Result<Verified> {
    let mut faults = Vec::new();
    let (mut last, mut last_hash) = (0, START.to_owned());
    let mut late = Vec::new();
    let head = head(root, key, &mut late)?;
    let mut at_head = None;
    each(root, |number, line| {
        if faults.len() >= FAULTS_LISTED {
            return;
        }
        let (record, hash) = match chain::read(key, line) {
            Ok(read) => read,
            Err(wrong) => {
                faults.push(format!("line {number} {wrong}"));
                // What it was is guessed, so that what follows is not blamed for it.
                last += 1;
                last_hash = String::new();
                return;
            }
        };
        let seq = record.seq;
        if seq <= last {
            faults.push(format!("line {number}: record {seq} stands after record {last}"));
        } else if seq > last + 1 {
            let missing = missing(last + 1, seq - 1);
            faults.push(format!("line {number}: {missing} missing before record {seq}"));
        } else if record.prev != last_hash && !last_hash.is_empty() {
            faults.push(format!("line {number}: record {seq} does not follow the record before it"));
        }
        if head.as_ref().is_some_and(|head| head.seq == seq) {
            at_head = Some(hash.clone());
        }
        if seq > last {
            (last, last_hash) = (seq, hash);
        }
    })?;
    if let Some(head) = head {
        if head.seq > last {
            faults.push(format!("the end: {} missing", missing(last + 1, head.seq)));
        } else if at_head.is_some_and(|hash| hash != head.hash) {
            faults.push(format!("record {} is another than the one that was written", head.seq));
        }
    }
    faults.extend(late);
    Ok(Verified { records: last, hash: last_hash, faults })
}

fn missing(first: u64, last: u64) -> String {
    if first == last { format!("record {first} is") } else { format!("records {first} to {last} are") }
}

fn head(root: &Path, key: &[u8; 32], faults: &mut Vec<String>) -> Result<Option<Head>> {
    let path = root.join(FOLDER).join(HEAD);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            faults.push(format!("{HEAD} is missing: it says how far the records go"));
            return Ok(None);
        }
        Err(error) => return Err(Error::Audit { path, reason: error.to_string() }),
    };
    let head: Option<Head> = serde_json::from_str(&text).ok();
    let head = head.filter(|head| Head::new(key, head.seq, &head.hash) == *head);
    if head.is_none() {
        faults.push(format!("{HEAD} was changed, or made with another key"));
    }
    Ok(head)
}

/// Calls `look` with each line and its number, from 1.
fn each(root: &Path, mut look: impl FnMut(usize, &str)) -> Result<()> {
    let path = root.join(FOLDER).join(LINES);
    let failed = |reason: String| Error::Audit { path: path.clone(), reason };
    let file = File::open(&path).map_err(|error| failed(error.to_string()))?;
    for (index, line) in BufReader::new(file).split(b'\n').enumerate() {
        let line = line.map_err(|error| failed(error.to_string()))?;
        look(index + 1, &String::from_utf8_lossy(&line));
    }
    Ok(())
}

/// The records of a warehouse that can be read, in the order of the lines.
pub(super) fn records(root: &Path, key: &[u8; 32]) -> Result<Vec<Record>> {
    let mut found = Vec::new();
    each(root, |_, line| found.extend(chain::read(key, line).ok().map(|(record, _)| record)))?;
    Ok(found)
}
