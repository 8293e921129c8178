//! What goes in: a status. What comes out: the same, with what the audit is told of it.

use tonic::Status;

use crate::audit::Record;

/// Why a request has no principal.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: Status,
    /// For the audit; `None` where it is told nothing.
    pub(crate) record: Option<Box<Record>>,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { status, record: None }
    }
}
