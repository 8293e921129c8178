//! What goes in: edits of the catalogue, the oldest first. What comes out: which of them hold.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One value of the catalogue that somebody has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Its number, from 1.
    pub id: u64,
    /// The operation that it was made in.
    pub operation: u64,
    /// Who made it.
    pub by: String,
    /// What kind of entry was changed.
    pub about: About,
    /// Which entry: schema and table; schema, table and column; or a term.
    pub place: Vec<String>,
    /// Which of its values.
    pub property: String,
    /// The new value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether what was edited before is taken back instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_back: bool,
}

/// An edit that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEdit {
    /// See [`Edit::by`].
    pub by: String,
    /// See [`Edit::about`].
    pub about: About,
    /// See [`Edit::place`].
    pub place: Vec<String>,
    /// See [`Edit::property`].
    pub property: String,
    /// See [`Edit::value`].
    pub value: Option<String>,
    /// See [`Edit::takes_back`].
    pub takes_back: bool,
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// Of tables.
    Datasets,
    /// Of columns.
    Columns,
    /// Of terms.
    Glossary,
}

impl About {
    /// The table of the schema `meta` that has such entries.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Datasets => "datasets",
            Self::Columns => "columns",
            Self::Glossary => "glossary",
        }
    }

    /// What a table of the schema `meta` has; `None` where it has nothing that is edited.
    pub fn of(table: &str) -> Option<Self> {
        [Self::Datasets, Self::Columns, Self::Glossary].into_iter().find(|about| about.table() == table)
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table())
    }
}

impl Edit {
    pub(super) fn of(id: u64, operation: u64, new: &NewEdit) -> Self {
        let NewEdit { by, about, place, property, value, takes_back } = new.clone();
        Self { id, operation, by, about, place, property, value, takes_back }
    }
}

/// Positions of those of all edits, the oldest first, that hold: the last of each value, unless it takes back. In the
/// order of what they are about.
pub(super) fn in_force(all: &[Edit]) -> Vec<usize> {
    let mut held = BTreeMap::new();
    for (position, edit) in all.iter().enumerate() {
        let key = (edit.about, edit.place.as_slice(), edit.property.as_str());
        match edit.takes_back {
            true => held.remove(&key),
            false => held.insert(key, position),
        };
    }
    held.into_values().collect()
}

/// The edits that hold.
#[derive(Debug, Clone, Copy)]
pub struct Edits<'a> {
    all: &'a [Edit],
    /// As [`in_force`] gives them.
    held: &'a [usize],
}

impl<'a> Edits<'a> {
    pub(super) fn new(all: &'a [Edit], held: &'a [usize]) -> Self {
        Self { all, held }
    }

    /// The edited value; `None` where the value is as it was.
    pub fn get(self, about: About, place: &[&str], property: &str) -> Option<Option<&'a str>> {
        let found = self.of(about, place).find(|edit| edit.place.len() == place.len() && edit.property == property);
        found.map(|edit| edit.value.as_deref())
    }

    /// All of them, in the order of kinds, places and properties.
    pub fn all(self) -> impl Iterator<Item = &'a Edit> {
        self.held.iter().filter_map(move |position| self.all.get(*position))
    }

    /// Those of one kind whose places begin so: with a schema and a table, those of all its columns.
    pub fn of(self, about: About, place: &[&str]) -> impl Iterator<Item = &'a Edit> + use<'a> {
        let order = |position: &usize| {
            self.all.get(*position).map(|edit| {
                let parts = edit.place.iter().take(place.len()).map(String::as_str);
                edit.about.cmp(&about).then_with(|| parts.cmp(place.iter().copied()))
            })
        };
        let start = self.held.partition_point(|position| order(position).is_some_and(Ordering::is_lt));
        let end = self.held.partition_point(|position| order(position).is_some_and(Ordering::is_le));
        Self { held: self.held.get(start..end).unwrap_or_default(), ..self }.all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(id: u64, value: Option<&str>, takes_back: bool) -> Edit {
        let place = vec!["customs".to_owned(), "fact_item".to_owned()];
        let (by, property, value) = ("kim".to_owned(), "steward".to_owned(), value.map(str::to_owned));
        Edit { id, operation: id, by, about: About::Datasets, place, property, value, takes_back }
    }

    #[test]
    fn the_last_edit_holds_until_it_is_taken_back() {
        let place = ["customs", "fact_item"];
        let held = |all: &[Edit]| {
            let held = in_force(all);
            let edits = Edits::new(all, &held);
            let value = edits.get(About::Datasets, &place, "steward").map(|value| value.map(str::to_owned));
            (value, edits.all().map(|edit| edit.id).collect::<Vec<_>>())
        };
        let mut all = vec![edit(1, Some("lee"), false), edit(2, Some("park"), false)];
        assert_eq!(held(&all), (Some(Some("park".to_owned())), vec![2]));
        all.push(edit(3, None, true));
        assert_eq!(held(&all), (None, vec![]));
        all.push(edit(4, None, false));
        assert_eq!(held(&all), (Some(None), vec![4]));
    }

    #[test]
    fn the_edits_of_an_entry_are_found_among_those_of_others() {
        let of = |id: u64, about: About, place: &[&str]| {
            let place = place.iter().map(|part| (*part).to_owned()).collect();
            Edit { about, place, ..edit(id, Some("x"), false) }
        };
        let all = [
            of(1, About::Glossary, &["a"]),
            of(2, About::Columns, &["a", "b", "d"]),
            of(3, About::Columns, &["a", "bc", "d"]),
            of(4, About::Columns, &["a", "b", "c"]),
            of(5, About::Datasets, &["a", "b"]),
        ];
        let held = in_force(&all);
        let edits = Edits::new(&all, &held);
        let ids = |about, place: &[&str]| edits.of(about, place).map(|edit| edit.id).collect::<Vec<_>>();
        assert_eq!(edits.all().map(|edit| edit.id).collect::<Vec<_>>(), [5, 4, 2, 3, 1]);
        assert_eq!(ids(About::Columns, &[]), [4, 2, 3]);
        assert_eq!(ids(About::Columns, &["a", "b"]), [4, 2]);
        assert_eq!(ids(About::Columns, &["a", "c"]), Vec::<u64>::new());
        assert_eq!(ids(About::Datasets, &["a", "b"]), [5]);
        assert_eq!(edits.get(About::Columns, &["a", "b"], "steward"), None, "a table is none of its columns");
    }
}
