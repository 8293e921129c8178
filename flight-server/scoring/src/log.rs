//! What goes in: a version of the warehouse. What comes out: how far the log of decisions goes, by the register of runs.

use haetae_risk::Head;
use haetae_warehouse::query::Snapshot;

use crate::{Result, read};

/// The head after each run, the first run first. It is kept in `risk.runs`, apart from the lines.
pub(crate) async fn heads(snapshot: &Snapshot) -> Result<Vec<Head>> {
    read_heads(snapshot, "order by last_record, run_id").await
}

/// The head after the last run; that of an empty log where there is none.
pub(crate) async fn head(snapshot: &Snapshot) -> Result<Head> {
    let mut last = read_heads(snapshot, "order by last_record desc, run_id desc limit 1").await?;
    Ok(last.pop().unwrap_or_else(Head::start))
}

async fn read_heads(snapshot: &Snapshot, order: &str) -> Result<Vec<Head>> {
    let sql = &format!("select last_record, last_hash from risk.runs where last_record > 0 {order}");
    let batch = read::rows(snapshot, sql).await?;
    let (records, hashes) = (read::whole(&batch, "last_record")?, read::all_texts(&batch, "last_hash")?);
    let head = |(records, hash): (i64, String)| Head { records: u64::try_from(records).unwrap_or(0), hash };
    Ok(records.into_iter().zip(hashes).map(head).collect())
}
