//! What goes in: how long a caller waits (`grpc-timeout`), and how long the server lets a query run. What comes
//! out: the moment at which the query ends.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// The header in which a client says how long it waits (gRPC over HTTP/2, "Timeout").
const HEADER: &str = "grpc-timeout";

/// The end of a query's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    life: Duration,
    /// Whether the client has set it.
    asked: bool,
}

impl Deadline {
    /// The earlier one of what the caller and the server say; `None` where neither says anything.
    pub(crate) fn of(headers: &MetadataMap, most: Option<Duration>) -> Option<Self> {
        let asked = headers.get(HEADER).and_then(|value| value.to_str().ok()).and_then(timeout);
        let (life, asked) = match (asked, most) {
            (Some(asked), Some(most)) => (asked.min(most), asked <= most),
            (Some(asked), None) => (asked, true),
            (None, Some(most)) => (most, false),
            (None, None) => return None,
        };
        // A life beyond what a clock can hold has no end.
        Instant::now().checked_add(life).map(|at| Self { at, life, asked })
    }

    /// Comes back when the time is over.
    pub(crate) async fn passed(&self) -> Status {
        tokio::time::sleep_until(self.at).await;
        self.status()
    }

    fn status(&self) -> Status {
        let seconds = self.life.as_secs_f64();
        Status::deadline_exceeded(if self.asked {
            format!("the query took longer than the {seconds} seconds that the client waits")
        } else {
            format!(
                "the query took longer than the {seconds} seconds that this server lets a query run; \
                 ask for less at a time, or ask whoever runs the server for a longer limit (--query-seconds)"
            )
        })
    }
}

/// At most eight digits and a unit; `None` for anything else.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says() {
        for (text, expected) in [
            ("1S", Some(Duration::from_secs(1))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("30m", Some(Duration::from_millis(30))),
            ("5u", Some(Duration::from_micros(5))),
            ("7n", Some(Duration::from_nanos(7))),
            ("", None),
            ("S", None),
            ("1", None),
            ("-1S", None),
            ("1.5S", None),
            ("123456789S", None),
            ("1é", None),
        ] {
            assert_eq!(timeout(text), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn the_earlier_one_holds() {
        let mut headers = MetadataMap::new();
        assert!(Deadline::of(&headers, None).is_none());
        let server = Deadline::of(&headers, Some(Duration::ZERO)).unwrap().passed().await;
        assert!(server.message().contains("--query-seconds"), "{server}");
        headers.insert(HEADER, "1m".parse().unwrap());
        let client = Deadline::of(&headers, Some(Duration::from_secs(9))).unwrap().passed().await;
        assert_eq!(client.code(), tonic::Code::DeadlineExceeded);
        assert!(client.message().contains("0.001 seconds that the client waits"), "{client}");
    }
}
