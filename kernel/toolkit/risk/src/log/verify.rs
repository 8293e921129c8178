//! Lines -> how many records they hold, and what somebody has done to them.

use super::chain::{Head, read};
use serde_json::{Map, Value};
use std::fmt;

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, counted from 1; one past the last where the end is missing.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} {}", self.line, self.reason)
    }
}

/// What was found in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Records that are as they were written.
    pub records: u64,
    /// How far the log goes.
    pub head: Head,
    /// What is wrong, in the order of the lines; nothing in a log that is whole.
    pub faults: Vec<Fault>,
}

/// Reads every line, and says of each that was changed, left out, added or moved where it is. `head` is what was kept of
/// the log elsewhere; without it, a missing end and a chain that was computed anew from some line on are not seen.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>, head: Option<&Head>) -> Verified {
    walk(lines, &Head::start(), head, &mut |_| {})
}

/// As [`verify`], of the part of a log that follows `before`: a long log is read part by part. Lines are counted from the
/// beginning of the log.
pub fn verify_after<'a>(before: &Head, lines: impl IntoIterator<Item = &'a str>, head: Option<&Head>) -> Verified {
    walk(lines, before, head, &mut |_| {})
}

pub(super) fn walk<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    before: &Head,
    head: Option<&Head>,
    each: &mut dyn FnMut(&Map<String, Value>),
) -> Verified {
    let mut found = Verified { records: 0, head: before.clone(), faults: Vec::new() };
    let first = usize::try_from(before.records).unwrap_or(usize::MAX);
    let mut last = before.records;
    // After a line that cannot be read it is not known what hash the next one has to name.
    let mut known = true;
    let mut count = first;
    for (place, line) in lines.into_iter().enumerate() {
        count = first.saturating_add(place + 1);
        let mut fault = |reason: String| found.faults.push(Fault { line: count, reason });
        let (fields, hash) = match read(line) {
            Ok(read) => read,
            Err(reason) => {
                fault(reason.to_owned());
                last = last.saturating_add(1);
                known = false;
                continue;
            }
        };
        let number = fields.get("seq").and_then(Value::as_u64).unwrap_or(0);
        let named = fields.get("prev").and_then(Value::as_str).unwrap_or("");
        // The file says what `last` is: it may be any number.
        let next = last.saturating_add(1);
        if number > next {
            fault(format!("is record {number}, expected record {next}: lines are missing before it"));
        } else if number < next {
            fault(format!("is record {number}, expected record {next}: it stands twice, or was moved"));
        } else if known && named != found.head.hash {
            fault("does not follow from the line before: one of the two was changed".to_owned());
        }
        each(&fields);
        found.records += 1;
        (last, known) = (number, true);
        found.head = Head { records: number, hash };
    }
    if let Some(head) = head.filter(|head| **head != found.head) {
        let reason = match found.head.records.cmp(&head.records) {
            std::cmp::Ordering::Less => {
                format!("is missing: the log goes to record {}, expected {}", found.head.records, head.records)
            }
            std::cmp::Ordering::Equal => "and before: the last hash is not the one that was kept".to_owned(),
            std::cmp::Ordering::Greater => {
                format!("is too far: the log goes to record {}, expected {}", found.head.records, head.records)
            }
        };
        found.faults.push(Fault { line: count + usize::from(found.head.records < head.records), reason });
    }
    found
}
