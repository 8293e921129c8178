//! What goes in: edits of the catalogue, the oldest first. What comes out: which of them hold.

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

/// The edits that hold.
#[derive(Debug, Default)]
pub struct Edits<'a>(BTreeMap<(About, &'a [String], &'a str), &'a Edit>);

impl<'a> Edits<'a> {
    /// Of all edits that were made, the oldest first: the last of each value, unless it takes back.
    pub fn of(all: &'a [Edit]) -> Self {
        let mut held = BTreeMap::new();
        for edit in all {
            let key = (edit.about, edit.place.as_slice(), edit.property.as_str());
            match edit.takes_back {
                true => held.remove(&key),
                false => held.insert(key, edit),
            };
        }
        Self(held)
    }

    /// The edited value; `None` where the value is as it was.
    pub fn get(&self, about: About, place: &[&str], property: &str) -> Option<Option<&'a str>> {
        let place: Vec<String> = place.iter().map(|part| (*part).to_owned()).collect();
        self.0.get(&(about, place.as_slice(), property)).map(|edit| edit.value.as_deref())
    }

    /// Those about one kind of entries, in the order of their places.
    pub fn about(&self, about: About) -> impl Iterator<Item = &'a Edit> + '_ {
        self.0.values().copied().filter(move |edit| edit.about == about)
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
        let mut all = vec![edit(1, Some("lee"), false), edit(2, Some("park"), false)];
        assert_eq!(Edits::of(&all).get(About::Datasets, &place, "steward"), Some(Some("park")));
        assert_eq!(Edits::of(&all).about(About::Datasets).map(|edit| edit.id).collect::<Vec<_>>(), [2]);
        all.push(edit(3, None, true));
        assert_eq!(Edits::of(&all).get(About::Datasets, &place, "steward"), None);
        all.push(edit(4, None, false));
        assert_eq!(Edits::of(&all).get(About::Datasets, &place, "steward"), Some(None));
    }
}
