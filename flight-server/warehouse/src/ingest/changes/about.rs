//! What goes in: what is said of tables: rows of the warehouse's own, edits of the catalogue, tables that lie elsewhere. What
//! comes out: the same as operations among the changes.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;

use super::Changes;
use crate::store::{Kind, NewEdit, NewOperation, OutsideTable};
use crate::{META, OUTSIDE, Result};

/// Rows that bear the number of an operation, which is known at the commit only.
pub struct Noted {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// Makes them from the number.
    pub make: Box<dyn FnOnce(u64) -> Result<RecordBatch> + Send>,
}

impl std::fmt::Debug for Noted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Noted").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Changes {
    /// Adds rows to tables that the warehouse keeps about itself, in the same commit. All of them bear one number,
    /// which is that of the first operation.
    pub fn add_notes(&mut self, schema: &str, tables: Vec<Noted>) {
        if self.earlier.is_some() {
            return;
        }
        let mut operations = Vec::with_capacity(tables.len());
        for Noted { table, rows, make } in tables {
            self.transaction.add_numbered(schema, &table, make);
            operations.push(NewOperation {
                kind: Kind::Append,
                schema: schema.to_owned(),
                table,
                format: String::new(),
                inputs: Vec::new(),
                accepted: rows,
                rejected: 0,
                removed: 0,
            });
        }
        self.changed |= !operations.is_empty();
        operations.into_iter().for_each(|operation| self.transaction.record(operation));
    }

    /// Edits the catalogue.
    pub fn edit(&mut self, edits: Vec<NewEdit>) {
        let Some(about) = edits.first().map(|edit| edit.about) else { return };
        let (kind, rows) = (Kind::Upsert, edits.iter().map(|edit| &edit.place).collect::<BTreeSet<_>>().len() as u64);
        self.transaction.edit(edits);
        self.catalogued(kind, META, about.table(), rows);
    }

    /// A table outside of the warehouse, as the version that the changes build on knows it.
    pub fn outside(&self, name: &str) -> Option<&OutsideTable> {
        self.transaction.base().outside.get(name)
    }

    /// The names of all such tables.
    pub fn all_outside(&self) -> impl Iterator<Item = &str> {
        self.transaction.base().outside.keys().map(String::as_str)
    }

    /// Makes a table known that lies outside of the warehouse, or known anew.
    pub fn register(&mut self, name: &str, table: OutsideTable) {
        self.transaction.set_outside(name, Some(table));
        self.catalogued(Kind::Register, OUTSIDE, name, 0);
    }

    /// Makes such a table known no longer. Its files stay as they are.
    pub fn unregister(&mut self, name: &str) {
        self.transaction.set_outside(name, None);
        self.catalogued(Kind::Unregister, OUTSIDE, name, 0);
    }

    fn catalogued(&mut self, kind: Kind, schema: &str, table: &str, accepted: u64) {
        let (schema, table, format, inputs) = (schema.to_owned(), table.to_owned(), String::new(), Vec::new());
        self.changed = true;
        self.transaction.record(NewOperation {
            kind,
            schema,
            table,
            format,
            inputs,
            accepted,
            rejected: 0,
            removed: 0,
        });
    }
}
