//! What the toolkit and the frame library hold, by name: types with their methods, functions, and the
//! first lines of their documentation. Made once, at installation ([`build`]), and read by completion
//! and inspection, which so need no analyzer of the whole code in memory.

pub mod build;
mod features;
mod modules;
mod source;
pub mod standard;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
            let traits = of.traits.iter().filter_map(|name| self.types.get(name));
            for (method, entry) in std::iter::once(of).chain(traits).flat_map(|of| &of.methods) {
                found.entry(method.clone()).or_insert_with(|| entry.clone());
            }
            next = of.target.clone().or(next);
        }
        found
    }

    /// What stands behind `Name::`.
    pub fn associated(&self, name: &str) -> BTreeMap<String, Entry> {
        self.types.get(name).map(|of| of.associated.clone()).unwrap_or_default()
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
mod tests {
    use super::*;

    #[test]
    fn methods_come_from_traits_and_targets_too() {
        let entry = |text: &str| Entry { signature: text.to_owned(), ..Entry::default() };
        let with = |method: &str| BTreeMap::from([(method.to_owned(), entry(method))]);
        let mut index = Index::default();
        index
            .types
            .insert("Frame".into(), Type { methods: with("height"), traits: vec!["Show".into()], ..Type::default() });
        index.types.insert("Show".into(), Type { methods: with("show"), ..Type::default() });
        index.types.insert("Handle".into(), Type { target: Some("Frame".into()), ..Type::default() });
        let names: Vec<String> = index.methods("Handle").into_keys().collect();
        assert_eq!(names, ["height", "show"]);
        assert!(index.methods("Vec").contains_key("iter"), "a vector is a slice, too");
        assert!(index.methods("Nothing").is_empty());
    }
}
