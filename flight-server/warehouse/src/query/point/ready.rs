//! What goes in: statements that look rows up, as users see one version. What comes out: the same, planned already.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::query::Statement;

/// How many are kept. Programs send few different ones; who writes values into them fills this, and it starts anew.
const STATEMENTS: usize = 1024;

/// A longer one is not kept.
const SQL_BYTES: usize = 4096;

/// Id of an access (`None` = everything is seen) and SQL.
type Key = (Option<String>, String);

#[derive(Default)]
pub(in crate::query) struct Ready(Mutex<HashMap<Key, Statement>>);

impl Ready {
    pub(in crate::query) fn get(&self, access: Option<&str>, sql: &str) -> Option<Statement> {
        self.lock().get(&key(access, sql)).cloned()
    }

    /// Any other statement is planned each time: functions like `now()` and values of parameters are part of its plan.
    pub(in crate::query) fn put(&self, access: Option<&str>, sql: &str, statement: &Statement) {
        if !statement.looks_up() || sql.len() > SQL_BYTES {
            return;
        }
        let mut kept = self.lock();
        if kept.len() >= STATEMENTS {
            kept.clear();
        }
        kept.insert(key(access, sql), statement.clone());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Statement>> {
        // Whole after each change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(access: Option<&str>, sql: &str) -> Key {
    (access.map(str::to_owned), sql.to_owned())
}
