//! What goes in: the messages of a result. What comes out: the same, and one record of the audit
//! when they end, however they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_flight::FlightData;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tonic::Status;

use crate::Result;
use crate::audit::{Audit, Record};

/// Rows that were read so far; counted where they still are rows.
pub(crate) type Rows = Arc<AtomicU64>;

/// Written when it is dropped: a client that goes away drops its stream.
struct Served {
    audit: Arc<Audit>,
    record: Record,
    rows: Rows,
}

impl Drop for Served {
    fn drop(&mut self) {
        let mut record = std::mem::take(&mut self.record);
        record.rows = self.rows.load(Ordering::Relaxed);
        self.audit.record(record);
    }
}

/// The messages, with `record` written at their end.
pub(crate) fn audited(
    data: BoxStream<'static, Result<FlightData, Status>>,
    audit: Option<&Arc<Audit>>,
    record: Record,
    rows: Rows,
) -> BoxStream<'static, Result<FlightData, Status>> {
    let Some(audit) = audit else { return data };
    let record = Record { outcome: "abandoned".to_owned(), ..record };
    let served = Served { audit: Arc::clone(audit), record, rows };
    let open = Some((data, served));
    stream::unfold(open, |open| async move {
        let (mut data, mut served) = open?;
        match data.next().await {
            None => {
                served.record.outcome = "ok".to_owned();
                None
            }
            Some(Err(status)) => {
                served.record.outcome = outcome(&status);
                Some((Err(status), None))
            }
            Some(Ok(message)) => {
                let bytes = message.data_header.len() + message.data_body.len();
                served.record.bytes += bytes as u64;
                Some((Ok(message), Some((data, served))))
            }
        }
    })
    .boxed()
}

/// `PermissionDenied` and so on.
pub(crate) fn outcome(status: &Status) -> String {
    format!("{:?}", status.code())
}
