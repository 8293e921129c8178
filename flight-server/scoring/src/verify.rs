//! What goes in: the log of decisions in a warehouse. What comes out: how many records are as they were written, and what
//! somebody has done to the others.

use arrow::array::RecordBatch;
use haetae_risk::{Fault, Head, verify_after};
use haetae_warehouse::query::Snapshot;
use serde_json::Value;

use crate::{Result, log, read};

/// What was found in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Records that are as they were written.
    pub records: u64,
    /// How far the register of runs says that the log goes.
    pub head: Head,
    /// What is wrong, in the order of the records; nothing in a log that is whole.
    pub faults: Vec<Fault>,
}

/// Reads the whole log, run by run, against the heads that `risk.runs` keeps; `kept` is a head that was kept outside the
/// warehouse, without which somebody who may write every file could write another log.
///
/// # Errors
/// When the warehouse cannot be read.
pub async fn verify(snapshot: &Snapshot, kept: Option<&Head>) -> Result<Checked> {
    let mut before = Head::start();
    let (mut records, mut faults) = (0, Vec::new());
    let mut seen_kept = kept.is_none();
    for head in log::heads(snapshot).await? {
        let sql = format!(
            "select record, day, version, office_id, line from risk.decisions where record > {} and record <= {} order by record",
            before.records, head.records
        );
        let batch = read::rows(snapshot, &sql).await?;
        let lines = read::all_texts(&batch, "line")?;
        let mut found = verify_after(&before, lines.iter().map(String::as_str), Some(&head));
        records += found.records;
        found.faults.extend(misfiled(&batch, &lines)?);
        found.faults.sort_by_key(|fault| fault.line);
        faults.extend(found.faults);
        seen_kept |= kept.is_some_and(|kept| *kept == head);
        before = head;
    }
    let beyond =
        read::rows(snapshot, &format!("select record from risk.decisions where record > {}", before.records)).await?;
    let below = read::rows(snapshot, "select record from risk.decisions where record < 1").await?;
    if below.num_rows() > 0 {
        let reason = format!("and before: {} records that no run has written", below.num_rows());
        faults.insert(0, Fault { line: 0, reason });
    }
    let mut fault = |reason: String| {
        faults.push(Fault { line: usize::try_from(before.records).unwrap_or(usize::MAX).saturating_add(1), reason });
    };
    if beyond.num_rows() > 0 {
        fault(format!("and after: {} records that no run has written", beyond.num_rows()));
    }
    if let Some(kept) = kept.filter(|_| !seen_kept) {
        fault(format!(
            "is not what was kept: no run has ended with record {} and the hash {}",
            kept.records, kept.hash
        ));
    }
    Ok(Checked { records, head: before, faults })
}

/// Records whose columns, by which roles see them, say something else than their lines.
fn misfiled(batch: &RecordBatch, lines: &[String]) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let records = read::whole(batch, "record")?;
    for (column, field) in [("record", "seq"), ("day", "day"), ("version", "version"), ("office_id", "office")] {
        let filed = read::all_texts(batch, column)?;
        for ((record, filed), line) in records.iter().zip(filed).zip(lines) {
            // What is no JSON has a fault already.
            let Ok(said) = serde_json::from_str::<Value>(line) else { continue };
            let said = match said.get(field) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => continue,
            };
            if said != filed {
                faults.push(Fault {
                    line: usize::try_from(*record).unwrap_or(0),
                    reason: format!("has another {column} in its row than in its line: expected {said}, found {filed}"),
                });
            }
        }
    }
    Ok(faults)
}
