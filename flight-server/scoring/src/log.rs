//! What goes in: a version of the warehouse. What comes out: how far the log of decisions goes, by the register of runs.

use haetae_risk::Head;
use haetae_warehouse::query::Snapshot;

use crate::{Result, read};

/// The head after each run, the first run first. It is kept in `risk.runs`, apart from the lines.
pub(crate) async fn heads(snapshot: &Snapshot) -> Result<Vec<Head>> {
    let sql = "select last_record, last_hash from risk.runs where last_record > 0 order by last_record, run_id";
    let batch = read::rows(snapshot, sql).await?;
    let (records, hashes) = (read::whole(&batch, "last_record")?, read::all_texts(&batch, "last_hash")?);
    let head = |(records, hash): (i64, String)| Head { records: u64::try_from(records).unwrap_or(0), hash };
    Ok(records.into_iter().zip(hashes).map(head).collect())
}
