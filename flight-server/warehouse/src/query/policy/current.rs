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
use crate::query::catalog;
use crate::store::{About, Edits, Manifest};
use crate::{META, OUTSIDE};

impl Access {
    /// Under the edits of `newest`, whichever version is read: an older one shows no more than the newest.
    pub(in crate::query) fn under(self: &Arc<Self>, newest: &Manifest, read: &Manifest) -> Arc<Self> {
        let Rights::Limited { tables, .. } = &self.rights else { return Arc::clone(self) };
        let edits = Edits::of(&newest.edits);
        let mut edited: BTreeSet<(&str, &str)> = BTreeSet::new();
        for edit in edits.about(About::Columns).filter(|edit| edit.property == "classification") {
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
        now.id = format!("{}+{}", self.id, newest.edits.len());
        if let Rights::Limited { tables, .. } = &mut now.rights {
            tables.retain(|(schema, table), _| schema != OUTSIDE || read.outside.contains_key(table));
            for ((schema, table), access) in tables.iter_mut() {
                if schema != OUTSIDE && !edited.contains(&(schema.as_str(), table.as_str())) {
                    continue;
                }
                let Some(columns) = columns(read, schema, table) else { continue };
                self.reclassify((schema, table), &columns, access, |column| {
                    held(&edits, read, (schema, table, column))
                });
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
            if self.clearance.stated.contains(&key) {
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
