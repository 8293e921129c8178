//! What goes in: a draft, and the newest version. What comes out: the edits of the catalogue and the tables outside of
//! the warehouse of the next version.
//!
//! Edits of a table outside go with it: the next table of that name is another one, whose columns nobody has
//! classified yet.

use std::collections::BTreeMap;

use super::Pinned;
use super::edit::{About, Edit, NewEdit};
use super::manifest::{Kind, Manifest};
use super::outside::OutsideTable;
use super::transaction::Transaction;
use crate::{Error, META, OUTSIDE, Result, SqlFault};

/// The most edits that a warehouse keeps: each version has all of them.
const MOST_EDITS: usize = 50_000;
/// The most bytes of their places and values.
const MOST_BYTES: usize = 16 << 20;
/// Who takes back what was edited of a table that goes.
const OPERATOR: &str = "haetae-server table";

type Place<'a> = (About, &'a [String], &'a str);

impl Transaction {
    /// What the draft says of tables, on top of `current`: who edits it sees what they edit.
    pub(super) fn rebase_catalogue(&self, current: &Pinned, next: &mut Manifest) -> Result<()> {
        if self.edits.is_empty() && self.outside.is_empty() {
            return Ok(());
        }
        if !self.edits.is_empty() && current.edits.len() != self.base.edits.len() {
            return Err(self.conflict(META, "edits", current.version));
        }
        let edited = self.edits.iter().filter_map(|(_, new)| outside_table(&new.place));
        for name in self.outside.keys().map(String::as_str).chain(edited) {
            if current.outside.get(name) != self.base.outside.get(name) {
                return Err(self.conflict(OUTSIDE, name, current.version));
            }
        }
        let held = current.in_force().all();
        let mut held: BTreeMap<Place<'_>, Option<&str>> = held
            .map(|edit| ((edit.about, edit.place.as_slice(), edit.property.as_str()), edit.value.as_deref()))
            .collect();
        let mut fresh: Vec<(usize, NewEdit)> = Vec::new();
        // A table that comes has none of the edits of an earlier one, one that goes leaves none behind.
        for (name, _) in self.outside.iter().filter(|(name, table)| table.is_some() && self.is_another(name, current)) {
            self.forget(name, &mut held, &mut fresh);
        }
        for (operation, new) in &self.edits {
            let key = (new.about, new.place.as_slice(), new.property.as_str());
            let changes = match new.takes_back {
                true => held.remove(&key).is_some(),
                false => held.insert(key, new.value.as_deref()) != Some(new.value.as_deref()),
            };
            if changes {
                fresh.push((*operation, new.clone()));
            }
        }
        for (name, _) in self.outside.iter().filter(|(_, table)| table.is_none()) {
            self.forget(name, &mut held, &mut fresh);
        }
        for (number, (operation, new)) in (next.edits.len() as u64 + 1..).zip(&fresh) {
            let operation = current.next_load + *operation as u64;
            next.edits.push(Edit::of(number, operation, new));
        }
        // What is taken back may always be: there is no more of it than there was to take back.
        if fresh.iter().any(|(_, new)| !new.takes_back) {
            bounded(&next.edits)?;
        }
        for (name, table) in &self.outside {
            match table {
                Some(table) => next.outside.insert(name.clone(), table.clone()),
                None => next.outside.remove(name),
            };
        }
        Ok(())
    }

    /// Whether what is registered is another table than the one of that name, if there is one.
    fn is_another(&self, name: &str, current: &Manifest) -> bool {
        let new = self.outside.get(name).and_then(Option::as_ref);
        match (new, current.outside.get(name)) {
            (Some(new), Some(old)) => !new.is_same(old),
            _ => true,
        }
    }

    /// Takes back what holds of a table outside.
    fn forget<'a>(
        &self,
        name: &str,
        held: &mut BTreeMap<Place<'a>, Option<&'a str>>,
        fresh: &mut Vec<(usize, NewEdit)>,
    ) {
        let catalogued = |kind: Kind| matches!(kind, Kind::Register | Kind::Unregister);
        let operation = self.operations.iter().rposition(|done| catalogued(done.kind) && done.table == name);
        held.retain(|(about, place, property), _| {
            if *about == About::Glossary || outside_table(place) != Some(name) {
                return true;
            }
            let (by, place, property) = (OPERATOR.to_owned(), place.to_vec(), (*property).to_owned());
            let back = NewEdit { by, about: *about, place, property, value: None, takes_back: true };
            fresh.push((operation.unwrap_or(0), back));
            false
        });
    }
}

impl OutsideTable {
    /// Whether both are one table, perhaps looked at at two times.
    pub fn is_same(&self, other: &Self) -> bool {
        self.folder == other.folder && self.kind == other.kind
    }
}

/// The table outside that a place is of. Terms have places of one part.
fn outside_table(place: &[String]) -> Option<&str> {
    match place {
        [schema, table, ..] if schema == OUTSIDE => Some(table),
        _ => None,
    }
}

fn bounded(edits: &[Edit]) -> Result<()> {
    let of_one = |edit: &Edit| {
        let place: usize = edit.place.iter().map(String::len).sum();
        place + edit.by.len() + edit.property.len() + edit.value.as_ref().map_or(0, String::len)
    };
    let bytes: usize = edits.iter().map(of_one).sum();
    if edits.len() <= MOST_EDITS && bytes <= MOST_BYTES {
        return Ok(());
    }
    let message = format!(
        "an edit of the catalogue: expected at most {MOST_EDITS} edits of {MOST_BYTES} bytes together, since every one \
         is kept for ever, found {} of {bytes} bytes; nothing was changed. Edits can still be taken back (DELETE FROM \
         meta.edits)",
        edits.len()
    );
    Err(Error::Sql { fault: SqlFault::Invalid, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_edits_are_bounded_in_number_and_in_bytes() {
        let new = NewEdit {
            by: "kim".to_owned(),
            about: About::Glossary,
            place: vec!["term".to_owned()],
            property: "meaning".to_owned(),
            value: Some("x".repeat(1_000)),
            takes_back: false,
        };
        let edits = |count: u64| (1..=count).map(|id| Edit::of(id, id, &new)).collect::<Vec<_>>();
        bounded(&edits(10_000)).unwrap();
        let error = bounded(&edits(20_000)).unwrap_err().to_string();
        assert!(error.contains("16777216 bytes") && error.contains("found 20000"), "{error}");
        let short = Edit { value: None, ..Edit::of(1, 1, &new) };
        let error = bounded(&vec![short; MOST_EDITS + 1]).unwrap_err().to_string();
        assert!(error.contains("at most 50000 edits"), "{error}");
    }
}
