//! What goes in: a statement that has ended. What comes out: one line of JSON on standard error, without values.

use haetae_warehouse::store::time_text;

use super::Facts;

pub(super) fn write(facts: &Facts) {
    eprintln!("{}", line(facts));
}

fn line(facts: &Facts) -> serde_json::Value {
    let stage = facts.stage().clone();
    let end = stage.end.as_ref();
    let (rows, bytes) = facts.sent();
    serde_json::json!({
        "time": time_text(i64::try_from(facts.started_ms).unwrap_or(i64::MAX)),
        "event": "statement",
        "id": facts.id,
        "user": facts.user,
        "role": facts.role,
        "class": facts.class,
        "statement": facts.statement,
        "outcome": end.map(|end| end.outcome.as_str()),
        "queued_ms": stage.waited.map(|waited| waited.as_secs_f64() * 1000.0),
        "duration_ms": end.map(|end| end.took.as_secs_f64() * 1000.0),
        "rows": rows,
        "bytes": bytes,
        "memory_bytes": end.map(|end| end.memory),
    })
}
