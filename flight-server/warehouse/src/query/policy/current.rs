//! What goes in: what a policy shows to a user, and what the catalogue says of tables now. What comes out: what is shown
//! to the user now.
//!
//! A policy is checked against the schema that this release has. Tables outside of the warehouse and edited
//! classifications come later, and hold at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::classes::held;
use super::{Access, Column, Mask, Rights, TableAccess, is_comments};
use crate::ingest::made_schema;
use crate::query::{Snapshot, catalog};
use crate::store::{About, Manifest, Pinned};
use crate::{META, OUTSIDE};

impl Snapshot {
    /// Whether the user may change rows of a table as it is classified now: see [`Access::may_write`].
    pub fn may_write(&self, schema: &str, table: &str) -> bool {
        self.access.as_ref().is_none_or(|access| access.may_write(schema, table))
    }
}

impl Access {
    /// Under the edits and the tables outside that `newest` has, whichever version is read: an older one shows no more
    /// than the newest.
    pub(super) fn under(self: &Arc<Self>, newest: &Pinned, read: &Pinned) -> Arc<Self> {
        let Rights::Limited { tables, .. } = &self.rights else { return Arc::clone(self) };
        let mut edited: BTreeSet<(&str, &str)> = BTreeSet::new();
        for edit in newest.in_force().of(About::Columns, &[]).filter(|edit| edit.property == "classification") {
            if let [schema, table, _] = edit.place.as_slice() {
                edited.insert((schema, table));
            }
        }
        let named = tables.keys().any(|(schema, _)| schema == OUTSIDE);
        if edited.is_empty() && !named {
            return Arc::clone(self);
        }
        let mut now = self.as_ref().clone();
        // Of what is kept by the name of an access, this is another one.
        now.id = format!("{}+{}", self.id, newest.version);
        if let Rights::Limited { tables, .. } = &mut now.rights {
            // One that was forgotten, or gave its name to another, is not to be had by asking for an older version.
            let is_same = |table: &str| match (read.outside.get(table), newest.outside.get(table)) {
                (Some(then), Some(now)) => then.is_same(now),
                _ => false,
            };
            tables.retain(|(schema, table), _| schema != OUTSIDE || is_same(table));
            for ((schema, table), access) in tables.iter_mut() {
                if schema != OUTSIDE && !edited.contains(&(schema.as_str(), table.as_str())) {
                    continue;
                }
                let Some(columns) = columns(read, schema, table) else { continue };
                self.reclassify((schema, table), &columns, access, |column| held(newest, (schema, table, column)));
            }
        }
        // Who may change a table sees all of it as it is.
        let writes = std::mem::take(&mut now.writes);
        let stay = writes.into_iter().filter(|(schema, table)| {
            schema == META || is_comments(schema, table) || now.sees_whole(schema, table, &all(read, schema, table))
        });
        now.writes = stay.collect();
        Arc::new(now)
    }

    /// Puts the masks of what the role is not cleared for where the policy itself says nothing.
    fn reclassify(
        &self,
        (schema, table): (&str, &str),
        columns: &SchemaRef,
        access: &mut TableAccess,
        class: impl Fn(&str) -> haetae_schema::Classification,
    ) {
        for field in columns.fields() {
            let name = field.name();
            let key = (schema.to_owned(), table.to_owned(), name.clone());
            // Only a policy hides a column, whatever it is.
            if self.clearance.stated.contains(&key) || matches!(access.columns.get(name), Some(Column::Hide)) {
                continue;
            }
            let class = class(name);
            let mask = Mask::of_type(class, field.data_type()).filter(|_| !self.clearance.cleared.contains(&class));
            match mask {
                Some(mask) => access.columns.insert(name.clone(), Column::Mask(mask)),
                None => access.columns.remove(name),
            };
        }
    }
}

fn columns(manifest: &Manifest, schema: &str, table: &str) -> Option<SchemaRef> {
    if schema == OUTSIDE {
        return made_schema(&manifest.outside.get(table)?.columns).ok();
    }
    catalog::columns(schema, table)
}

fn all(manifest: &Manifest, schema: &str, table: &str) -> Vec<String> {
    let columns = columns(manifest, schema, table);
    columns.iter().flat_map(|columns| columns.fields()).map(|field| field.name().clone()).collect()
}
