//! What goes in: nothing. What comes out: one record of the audit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::auth::Principal;

/// One thing that was done, or refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// Number of the record, from 1.
    pub(crate) seq: u64,
    /// When it ended, in UTC.
    pub(crate) time: String,
    /// login, logout, refresh, query, plan, metadata, cancel, ingest, update, commit, rollback.
    pub(crate) event: String,
    pub(crate) user: String,
    pub(crate) role: String,
    pub(crate) session: String,
    /// Address and port that the connection came from.
    pub(crate) peer: String,
    /// Version of the policy.
    pub(crate) policy: String,
    /// Version of the warehouse; 0 where none was read.
    pub(crate) version: u64,
    /// The statement without its values, or the name of the command.
    pub(crate) statement: String,
    /// `schema.table`.
    pub(crate) tables: BTreeSet<String>,
    /// `schema.table.column`.
    pub(crate) columns: BTreeSet<String>,
    pub(crate) rows: u64,
    /// Bytes of the messages that carried them.
    pub(crate) bytes: u64,
    /// `ok`, `abandoned` (the client went away), or the code of the status.
    pub(crate) outcome: String,
    /// The hash of the record before; zeros for the first.
    pub(crate) prev: String,
}

impl Record {
    /// A record of something that `principal` does.
    pub(crate) fn of(principal: &Principal, event: &str, statement: impl Into<String>) -> Self {
        Self {
            event: event.to_owned(),
            user: principal.user.clone(),
            role: principal.role.clone(),
            session: principal.session.clone(),
            peer: principal.peer.clone(),
            policy: principal.policy.clone(),
            statement: statement.into(),
            ..Self::default()
        }
    }
}
