//! What goes in: nothing, or a text. What comes out: a time in milliseconds since 1970 in UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};

use crate::{Error, Result};

/// Where a commit has its time from. No data file depends on it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    fn now_ms(&self) -> i64;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A time as people read it: `2026-03-02T09:30:00.000Z`; `unknown` for 0, which versions of the
/// first release carry.
///
/// ```
/// assert_eq!(haetae_warehouse::store::time_text(1_772_443_800_000), "2026-03-02T09:30:00.000Z");
/// ```
pub fn time_text(time_ms: i64) -> String {
    match Utc.timestamp_millis_opt(time_ms).single() {
        Some(time) if time_ms != 0 => time.to_rfc3339_opts(SecondsFormat::Millis, true),
        _ => "unknown".to_owned(),
    }
}

/// Reads a time of RFC 3339 (`2026-03-02T09:30:00Z`, `2026-03-02T18:30:00+09:00`), the same without
/// a zone (which then is UTC), or a date (its first moment in UTC).
///
/// ```
/// use haetae_warehouse::store::parse_time;
/// assert_eq!(parse_time("2026-03-02T18:30:00+09:00")?, parse_time("2026-03-02 09:30:00")?);
/// # Ok::<(), haetae_warehouse::Error>(())
/// ```
pub fn parse_time(text: &str) -> Result<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(time.and_utc().timestamp_millis());
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map(|time| time.and_utc().timestamp_millis())
        .ok_or_else(|| Error::BadTime { text: text.to_owned() })
}
