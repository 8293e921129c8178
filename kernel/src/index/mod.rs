//! What the toolkit and the frame library hold, by name: types with their methods, functions, and the
//! first lines of their documentation. Made once, at installation ([`build`]), and read by completion
//! and inspection, which so need no analyzer of the whole code in memory.

pub mod build;
mod features;
mod macros;
mod matching;
mod modules;
mod parts;
mod source;
pub mod standard;
mod traits;
mod written;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// File name of the index, beside the toolkit's dylib.
pub const FILE: &str = "index.json";

/// Everything that is known by name.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// What a cell can name without a path.
    pub prelude: BTreeMap<String, Entry>,
    /// Types, traits and modules by their last name.
    pub types: BTreeMap<String, Type>,
}

/// A name with its signature and documentation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `function`, `type`, `trait`, `constant`, `variant`, `macro`, `module`.
    pub kind: String,
    /// As it is declared, on one line.
    pub signature: String,
    /// The documentation as far as the first heading.
    pub doc: String,
}

/// A type's methods and what else it can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Type {
    /// The type itself.
    pub entry: Entry,
    /// Methods that take `self`.
    pub methods: BTreeMap<String, Entry>,
    /// Functions and constants that are named through the type, and variants.
    pub associated: BTreeMap<String, Entry>,
    /// Traits that it implements, by their last name.
    pub traits: Vec<String>,
    /// The type that it dereferences to.
    pub target: Option<String>,
}

impl Index {
    /// The index in the toolkit's folder; empty where it is missing, as in an old installation.
    pub fn load(folder: &Path) -> Self {
        let text = std::fs::read(folder.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Methods of a type by its last name: its own, those of its traits, those of what it dereferences to.
    pub fn methods(&self, name: &str) -> BTreeMap<String, Entry> {
        let mut found = BTreeMap::new();
        let mut next = Some(name.to_owned());
        let mut steps = 0;
        while let Some(name) = next.take()
            && steps < 8
        {
            steps += 1;
            for (method, entry) in standard::methods(&name) {
                found.entry(method).or_insert(entry);
            }
            next = standard::target(&name).map(str::to_owned);
            let Some(of) = self.types.get(&name) else { continue };
            for (method, entry) in std::iter::once(of).chain(self.traits(of)).flat_map(|of| &of.methods) {
                found.entry(method.clone()).or_insert_with(|| entry.clone());
            }
            for (method, entry) in of.traits.iter().flat_map(|name| standard::methods(name)) {
                found.entry(method).or_insert(entry);
            }
            next = of.target.clone().or(next);
        }
        found
    }

    /// What stands behind `Name::`: its own, and that of its traits.
    pub fn associated(&self, name: &str) -> BTreeMap<String, Entry> {
        let Some(of) = self.types.get(name) else { return BTreeMap::new() };
        let mut found = of.associated.clone();
        for (name, entry) in self.traits(of).flat_map(|of| &of.associated) {
            found.entry(name.clone()).or_insert_with(|| entry.clone());
        }
        found
    }

    /// The known traits of a type. A type may have a trait's name: `Error` is both.
    fn traits<'a>(&'a self, of: &'a Type) -> impl Iterator<Item = &'a Type> {
        of.traits.iter().filter_map(|name| self.types.get(name)).filter(|of| of.entry.kind == "trait")
    }

    /// Leaves out the names that a cell cannot use: those of `missing` without a path, modules among them, and the methods of
    /// traits that it does not see, but for those that the prelude brings in as `nameless`.
    pub fn restrict(&mut self, missing: &BTreeSet<String>, nameless: &BTreeSet<String>) {
        self.prelude.retain(|name, _| !missing.contains(name));
        let Self { prelude, types } = self;
        types.retain(|name, of| match of.entry.kind.as_str() {
            "module" => prelude.contains_key(name),
            "trait" => prelude.contains_key(name) || nameless.contains(name),
            _ => true,
        });
    }
}

impl Entry {
    /// Signature and documentation, to be read.
    pub fn text(&self) -> String {
        match (self.signature.is_empty(), self.doc.is_empty()) {
            (_, true) => self.signature.clone(),
            (true, false) => self.doc.clone(),
            (false, false) => format!("{}\n\n{}", self.signature, self.doc),
        }
    }
}

#[cfg(test)]
mod of_toolkit;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_come_from_traits_and_targets_too() {
        let entry = |text: &str| Entry { signature: text.to_owned(), ..Entry::default() };
        let with = |method: &str| BTreeMap::from([(method.to_owned(), entry(method))]);
        let mut index = Index::default();
        index.types.insert(
            "Frame".into(),
            Type {
                methods: with("height"),
                traits: vec!["Show".into(), "Error".into(), "Clone".into()],
                ..Type::default()
            },
        );
        let of = |kind: &str| Entry { kind: kind.to_owned(), ..Entry::default() };
        index.types.insert("Show".into(), Type { entry: of("trait"), methods: with("show"), ..Type::default() });
        index.types.insert("Error".into(), Type { entry: of("type"), methods: with("source"), ..Type::default() });
        index.types.insert("Handle".into(), Type { target: Some("Frame".into()), ..Type::default() });
        let names: Vec<String> = index.methods("Handle").into_keys().collect();
        assert_eq!(names, ["clone", "height", "show"]);
        assert!(index.methods("Vec").contains_key("iter"), "a vector is a slice, too");
        assert!(index.methods("Nothing").is_empty());
    }

    #[test]
    fn what_a_cell_does_not_see_is_left_out() {
        let of = |kind: &str| Type { entry: Entry { kind: kind.to_owned(), ..Entry::default() }, ..Type::default() };
        let names =
            [("Seen", "trait"), ("Nameless", "trait"), ("Hidden", "trait"), ("inner", "module"), ("Own", "type")];
        let mut index = Index::default();
        for (name, kind) in names {
            index.types.insert(name.to_owned(), of(kind));
            index.prelude.insert(name.to_owned(), of(kind).entry);
        }
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        index.restrict(&set(&["Nameless", "Hidden", "inner", "Own"]), &set(&["Nameless"]));
        assert_eq!(index.prelude.keys().collect::<Vec<_>>(), ["Seen"]);
        assert_eq!(index.types.keys().collect::<Vec<_>>(), ["Nameless", "Own", "Seen"]);
    }
}
