//! What goes in: statements that look rows up, as one user sees one version. What comes out: the same, planned already.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::query::Statement;

/// How many are kept. Programs send few different ones.
const STATEMENTS: usize = 64;

/// A longer one is not kept.
const SQL_BYTES: usize = 4096;

/// The newest last.
#[derive(Default)]
pub(in crate::query) struct Ready(Mutex<Vec<(String, Statement)>>);

impl Ready {
    pub(in crate::query) fn get(&self, sql: &str) -> Option<Statement> {
        self.lock().iter().find(|(known, _)| known == sql).map(|(_, statement)| statement.clone())
    }

    pub(in crate::query) fn put(&self, sql: &str, statement: &Statement) {
        let mut kept = self.lock();
        if sql.len() > SQL_BYTES || kept.iter().any(|(known, _)| known == sql) {
            return;
        }
        if kept.len() == STATEMENTS {
            kept.remove(0);
        }
        kept.push((sql.to_owned(), statement.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Statement)>> {
        // Whole after each change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
