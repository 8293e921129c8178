//! Items of the toolkit -> traits that types have without an `impl` of their own: derived ones, and those that every
//! type with certain other traits has. And traits whose methods a cell calls though it cannot name them.

use super::Index;
use super::build::{last, public};
use super::features::enabled;
use std::collections::BTreeSet;
use syn::punctuated::Punctuated;

/// Traits that nearly all types have, written by nobody.
const MARKERS: [&str; 4] = ["Send", "Sync", "Sized", "Unpin"];

/// What is gathered of all crates.
#[derive(Default)]
pub(super) struct Traits {
    derived: BTreeSet<(String, String)>,
    /// `impl<T: A + B> Trait for T`: the traits that it asks for, and the one that it gives.
    blankets: BTreeSet<(BTreeSet<String>, String)>,
    /// `pub use a::Trait as _` in the prelude.
    pub(super) nameless: BTreeSet<String>,
}

impl Traits {
    pub(super) fn see(&mut self, module: Option<&syn::ItemMod>, items: &[syn::Item], features: &BTreeSet<String>) {
        for item in items {
            match item {
                syn::Item::Struct(of) if enabled(&of.attrs, features) => self.derive(&of.ident, &of.attrs),
                syn::Item::Enum(of) if enabled(&of.attrs, features) => self.derive(&of.ident, &of.attrs),
                syn::Item::Impl(of) if enabled(&of.attrs, features) => self.blanket(of),
                syn::Item::Use(of) if public(&of.vis) && module.is_some_and(|module| module.ident == "prelude") => {
                    self.named(&of.tree);
                }
                _ => {}
            }
        }
    }

    fn derive(&mut self, of: &syn::Ident, attributes: &[syn::Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let names = attribute.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated);
            self.derived.extend(names.iter().flatten().filter_map(last).map(|name| (of.to_string(), name)));
        }
    }

    fn blanket(&mut self, of: &syn::ItemImpl) {
        let (Some((_, path, _)), syn::Type::Path(owner)) = (&of.trait_, &*of.self_ty) else { return };
        let (Some(given), Some(owner)) = (last(path), owner.path.get_ident()) else { return };
        let beside = of.generics.type_params().filter(|param| param.ident == *owner).flat_map(|param| &param.bounds);
        let conditions = of.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let below = conditions.filter_map(|condition| match condition {
            syn::WherePredicate::Type(of) if is(&of.bounded_ty, owner) => Some(&of.bounds),
            _ => None,
        });
        let asked: BTreeSet<String> = beside.chain(below.flatten()).filter_map(bound).collect();
        if of.generics.type_params().any(|param| param.ident == *owner) && !asked.is_empty() {
            self.blankets.insert((asked, given));
        }
    }

    fn named(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.named(&path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.named(tree)),
            syn::UseTree::Rename(of) if of.rename == "_" => self.nameless.extend([of.ident.to_string()]),
            _ => {}
        }
    }

    /// Gives each type of the index its traits.
    pub(super) fn enter(&self, index: &mut Index) {
        for (of, name) in &self.derived {
            if let Some(of) = index.types.get_mut(of) {
                add(&mut of.traits, name);
            }
        }
        let is_trait = |name: &String| index.types.get(name).is_some_and(|of| of.entry.kind == "trait");
        // What asks for traits of other crates alone, such as `Debug`, is not meant for one type more than another.
        let blankets: Vec<_> = self.blankets.iter().filter(|(asked, _)| asked.iter().any(is_trait)).collect();
        // A trait that is given may be asked for by the next one.
        let mut more = true;
        while std::mem::take(&mut more) {
            for of in index.types.values_mut() {
                for (asked, given) in &blankets {
                    if asked.iter().all(|asked| of.traits.contains(asked)) {
                        more |= add(&mut of.traits, given);
                    }
                }
            }
        }
    }
}

/// Whether it was not there.
fn add(traits: &mut Vec<String>, name: &str) -> bool {
    let new = !traits.iter().any(|known| known == name);
    if new {
        traits.push(name.to_owned());
    }
    new
}

fn is(of: &syn::Type, name: &syn::Ident) -> bool {
    matches!(of, syn::Type::Path(of) if of.path.is_ident(name))
}

/// The trait of a bound that a type must have itself.
fn bound(of: &syn::TypeParamBound) -> Option<String> {
    let syn::TypeParamBound::Trait(of) = of else { return None };
    let asked = matches!(of.modifier, syn::TraitBoundModifier::None);
    last(&of.path).filter(|name| asked && !MARKERS.contains(&name.as_str()))
}
