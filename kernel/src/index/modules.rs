//! Public modules of the toolkit -> what stands behind `module::`.

use super::Index;
use super::build::{entry, public};
use std::collections::{BTreeMap, BTreeSet};

/// Modules, and the names that each offers.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<String, (Vec<syn::Attribute>, BTreeSet<String>)>);

impl Modules {
    /// Takes a module's own functions, and what it offers of others.
    pub(super) fn see(&mut self, module: &syn::ItemMod, items: &[syn::Item]) {
        let mut names = BTreeSet::new();
        for item in items {
            match item {
                syn::Item::Fn(of) if public(&of.vis) => names.extend([of.sig.ident.to_string()]),
                syn::Item::Use(of) if public(&of.vis) => leaves(&of.tree, &mut names),
                _ => {}
            }
        }
        // The documentation of a module in a file of its own stands in that file, which is not kept: its functions have theirs.
        self.0.entry(module.ident.to_string()).or_insert((module.attrs.clone(), names));
    }

    /// Enters modules whose names are functions that are known.
    pub(super) fn enter(self, index: &mut Index) {
        for (module, (attributes, names)) in self.0 {
            let known = names.iter().filter_map(|name| Some((name.clone(), index.prelude.get(name)?.clone())));
            let known: BTreeMap<_, _> = known.filter(|(_, entry)| entry.kind == "function").collect();
            if known.is_empty() || index.types.contains_key(&module) || index.prelude.contains_key(&module) {
                continue;
            }
            let own = entry("module", format!("mod {module}"), &attributes);
            index.prelude.insert(module.clone(), own.clone());
            let of = index.types.entry(module).or_default();
            (of.entry, of.associated) = (own, known);
        }
    }
}

/// The names at the ends of `a::{b, c::d as e}`.
fn leaves(tree: &syn::UseTree, names: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, names),
        syn::UseTree::Name(name) => names.extend([name.ident.to_string()]),
        syn::UseTree::Rename(name) => names.extend([name.rename.to_string()]),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        syn::UseTree::Glob(_) => {}
    }
}
