//! What goes in: the messages of a result, or a change. What comes out: the same, and one record of the audit and one
//! end in `system.queries` when they end, however they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tonic::Status;

use crate::Result;
use crate::audit::{Audit, Record};
use crate::auth::Principal;
use crate::message::Message;
use crate::runs::{ABANDONED, Run};
use crate::service::Service;
use crate::writes::Written;

/// The class of changes.
const CHANGE: &str = "change";

/// Rows that were read so far; counted where they still are rows.
pub(crate) type Rows = Arc<AtomicU64>;

/// Written when it is dropped: a client that goes away drops its stream.
struct Served {
    audit: Option<Arc<Audit>>,
    record: Record,
    rows: Rows,
    run: Option<Run>,
}

impl Served {
    fn end(&mut self, outcome: &str) {
        outcome.clone_into(&mut self.record.outcome);
        if let Some(run) = &self.run {
            run.end(outcome);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let Some(audit) = &self.audit else { return };
        let mut record = std::mem::take(&mut self.record);
        record.rows = self.rows.load(Ordering::Relaxed);
        audit.record(record);
    }
}

/// The record of a change. It goes along to where the change is committed, since the call may be given up meanwhile;
/// written when the change ends, or else when this is dropped. One that has been taken writes nothing.
#[derive(Default)]
pub(crate) struct Noted {
    audit: Option<Arc<Audit>>,
    run: Option<Run>,
    pub(crate) record: Record,
}

impl Noted {
    pub(crate) fn end(&mut self, done: &Result<Written, Status>) {
        self.record.outcome = match done {
            Ok(written) => {
                (self.record.rows, self.record.version) = (written.rows, written.version);
                "ok".to_owned()
            }
            Err(status) => outcome(status),
        };
        if let (Some(run), Ok(written)) = (&self.run, done) {
            run.changed(written.rows, written.version);
        }
        self.write();
    }

    fn write(&mut self) {
        if let Some(run) = self.run.take() {
            run.end(&self.record.outcome);
        }
        if let Some(audit) = self.audit.take() {
            audit.record(std::mem::take(&mut self.record));
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.record.outcome = format!("{:?}", tonic::Code::Internal);
        }
        self.write();
    }
}

impl Service {
    /// What is told of a change that begins: to the audit, where there is one, and to `system.queries`.
    pub(crate) fn noted(&self, principal: &Principal, record: impl FnOnce() -> Record) -> Noted {
        let record = Record { outcome: ABANDONED.to_owned(), ..record() };
        let statement = if record.statement.is_empty() { &record.event } else { &record.statement };
        let run = self.runs.begin(principal, CHANGE, statement.clone(), "");
        // Changes wait for no turn.
        run.runs();
        Noted { audit: self.audit.clone(), run: Some(run), record }
    }
}

/// The messages, with `record` written and `run` ended at their end.
pub(crate) fn audited(
    data: BoxStream<'static, Result<Message, Status>>,
    audit: Option<&Arc<Audit>>,
    record: Record,
    rows: Rows,
    run: Option<Run>,
) -> BoxStream<'static, Result<Message, Status>> {
    if audit.is_none() && run.is_none() {
        return data;
    }
    let record = Record { outcome: ABANDONED.to_owned(), ..record };
    let served = Served { audit: audit.cloned(), record, rows, run };
    let open = Some((data, served));
    stream::unfold(open, |open| async move {
        let (mut data, mut served) = open?;
        match data.next().await {
            None => {
                served.end("ok");
                None
            }
            Some(Err(status)) => {
                served.end(&outcome(&status));
                Some((Err(status), None))
            }
            Some(Ok(message)) => {
                let bytes = message.bytes();
                served.record.bytes += bytes as u64;
                if let Some(run) = &served.run {
                    run.sent(bytes as u64);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_recorded_once_however_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Arc::new(Audit::open(folder.path(), [5; 32], Arc::new(|| 0)).unwrap());
        let noted = |statement: &str| Noted {
            audit: Some(Arc::clone(&audit)),
            run: None,
            record: Record { statement: statement.to_owned(), outcome: ABANDONED.to_owned(), ..Record::default() },
        };
        let mut whole = noted("committed");
        // Who gives up the call holds what was left by the thread that commits.
        let mut taken = std::mem::take(&mut whole);
        whole.end(&Err(Status::cancelled("")));
        drop(whole);
        taken.end(&Ok(Written { rows: 2, version: 7 }));
        drop(taken);
        drop(noted("given up"));
        let panicking = noted("panicked");
        std::thread::spawn(move || {
            let _panicking = panicking;
            panic!("no such luck");
        })
        .join()
        .unwrap_err();
        audit.flush();
        let text = std::fs::read_to_string(folder.path().join("audit/audit.jsonl")).unwrap();
        let found: Vec<Vec<String>> = text
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                ["statement", "outcome", "rows", "version"].map(|name| line[name].to_string()).to_vec()
            })
            .collect();
        assert_eq!(
            found,
            [
                ["\"committed\"", "\"ok\"", "2", "7"],
                ["\"given up\"", "\"abandoned\"", "0", "0"],
                ["\"panicked\"", "\"Internal\"", "0", "0"],
            ]
        );
    }
}
