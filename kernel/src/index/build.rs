//! What cargo says it has built -> the index of the toolkit and the frame library, read from their sources.

use super::features::enabled;
use super::modules::Modules;
use super::source;
use super::traits::Traits;
use super::{Entry, Index};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use syn::spanned::Spanned;

/// Crates whose names an analyst meets.
const CRATES: [&str; 6] = ["haetae", "polars_core", "polars_lazy", "polars_plan", "polars_ops", "polars_time"];

/// Text of a documentation that is kept.
const MOST_DOC: usize = 1200;

/// Reads the sources of the crates that `artifacts` (cargo's messages) names. All that is public stands in the prelude, as
/// only the compiler knows what a cell sees; beside the index the traits that a prelude brings in without a name.
pub fn types(artifacts: &str) -> (Index, BTreeSet<String>) {
    let (mut index, mut modules, mut traits) = (Index::default(), Modules::default(), Traits::default());
    for (name, (root, features)) in crates(artifacts) {
        source::visit(&root, &features, &mut |module, items| {
            items.iter().for_each(|item| see(item, &features, &mut index));
            traits.see(module, items, &features);
            if let Some(module) = module.filter(|_| name.starts_with("haetae")) {
                modules.see(module, items);
            }
        });
    }
    modules.enter(&mut index);
    traits.enter(&mut index);
    // Methods of types that no one can name, such as private helpers, are of no use.
    index.types.retain(|_, of| !of.methods.is_empty() || !of.associated.is_empty() || !of.entry.kind.is_empty());
    (index, traits.nameless)
}

/// Source file and features of each crate of the list.
fn crates(artifacts: &str) -> BTreeMap<String, (PathBuf, BTreeSet<String>)> {
    let mut found = BTreeMap::new();
    for line in artifacts.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let target = &message["target"];
        let name = target["name"].as_str().unwrap_or("").replace('-', "_");
        let is_library = target["kind"].as_array().into_iter().flatten().any(|kind| kind == "lib" || kind == "dylib");
        let ours = name.starts_with("haetae_") && !name.contains("synth") && !name.contains("server");
        if message["reason"] == "compiler-artifact" && is_library && (ours || CRATES.contains(&name.as_str())) {
            let features = message["features"].as_array().into_iter().flatten();
            let features = features.filter_map(Value::as_str).map(str::to_owned).collect();
            let root = PathBuf::from(target["src_path"].as_str().unwrap_or(""));
            found.insert(name, (root, features));
        }
    }
    found
}

fn see(item: &syn::Item, features: &BTreeSet<String>, index: &mut Index) {
    match item {
        syn::Item::Struct(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            declare(index, &of.ident, "type", format!("struct {}", of.ident), &of.attrs);
        }
        syn::Item::Enum(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            declare(index, &of.ident, "type", format!("enum {}", of.ident), &of.attrs);
            let name = of.ident.to_string();
            for variant in of.variants.iter().filter(|variant| enabled(&variant.attrs, features)) {
                let entry = entry("variant", format!("{name}::{}", variant.ident), &variant.attrs);
                index.types.entry(name.clone()).or_default().associated.insert(variant.ident.to_string(), entry);
            }
        }
        syn::Item::Type(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            declare(index, &of.ident, "type", format!("type {}", of.ident), &of.attrs);
        }
        syn::Item::Trait(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            declare(index, &of.ident, "trait", format!("trait {}", of.ident), &of.attrs);
            let name = of.ident.to_string();
            for item in &of.items {
                let syn::TraitItem::Fn(function) = item else { continue };
                if enabled(&function.attrs, features) {
                    add(index, &name, &function.sig, &function.attrs);
                }
            }
        }
        syn::Item::Fn(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            let entry = entry("function", signature(&of.sig), &of.attrs);
            index.prelude.entry(of.sig.ident.to_string()).or_insert(entry);
        }
        syn::Item::Const(of) if public(&of.vis) && enabled(&of.attrs, features) => {
            let entry = entry("constant", format!("const {}", of.ident), &of.attrs);
            index.prelude.entry(of.ident.to_string()).or_insert(entry);
        }
        syn::Item::Macro(of) if of.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) => {
            if let Some(name) = &of.ident {
                let entry = entry("macro", format!("{name}!"), &of.attrs);
                index.prelude.entry(format!("{name}!")).or_insert(entry);
            }
        }
        syn::Item::Impl(of) if enabled(&of.attrs, features) => implement(of, features, index),
        _ => {}
    }
}

fn implement(of: &syn::ItemImpl, features: &BTreeSet<String>, index: &mut Index) {
    let Some(name) = last_name(&of.self_ty) else { return };
    let Some((_, path, _)) = &of.trait_ else {
        for item in &of.items {
            match item {
                syn::ImplItem::Fn(function) if public(&function.vis) && enabled(&function.attrs, features) => {
                    add(index, &name, &function.sig, &function.attrs);
                }
                syn::ImplItem::Const(constant) if public(&constant.vis) && enabled(&constant.attrs, features) => {
                    let entry = entry("constant", format!("{name}::{}", constant.ident), &constant.attrs);
                    index.types.entry(name.clone()).or_default().associated.insert(constant.ident.to_string(), entry);
                }
                _ => {}
            }
        }
        return;
    };
    let Some(of_trait) = last(path) else { return };
    let entry = index.types.entry(name).or_default();
    if of_trait == "Deref" {
        entry.target = of.items.iter().find_map(|item| match item {
            syn::ImplItem::Type(target) => last_name(&target.ty),
            _ => None,
        });
    } else if !entry.traits.contains(&of_trait) {
        entry.traits.push(of_trait);
    }
}

fn declare(index: &mut Index, name: &syn::Ident, kind: &str, signature: String, attributes: &[syn::Attribute]) {
    let entry = entry(kind, signature, attributes);
    index.prelude.entry(name.to_string()).or_insert_with(|| entry.clone());
    let known = &mut index.types.entry(name.to_string()).or_default().entry;
    if known.kind.is_empty() {
        *known = entry;
    }
}

fn add(index: &mut Index, owner: &str, of: &syn::Signature, attributes: &[syn::Attribute]) {
    let hidden = attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden")
    });
    let name = of.ident.to_string();
    if hidden || name.starts_with('_') {
        return;
    }
    let entry = entry("function", signature(of), attributes);
    let owner = index.types.entry(owner.to_owned()).or_default();
    let list = if of.receiver().is_some() { &mut owner.methods } else { &mut owner.associated };
    list.entry(name).or_insert(entry);
}

pub(super) fn entry(kind: &str, signature: String, attributes: &[syn::Attribute]) -> Entry {
    Entry { kind: kind.to_owned(), signature, doc: doc(attributes) }
}

fn signature(of: &syn::Signature) -> String {
    of.span().source_text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The documentation as far as the first heading or the first example.
fn doc(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let syn::Meta::NameValue(syn::MetaNameValue {
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) = &attribute.meta
        else {
            continue;
        };
        let text = text.value();
        if text.trim_start().starts_with('#') || text.trim_start().starts_with("```") {
            break;
        }
        lines.push(text.strip_prefix(' ').unwrap_or(&text).to_owned());
    }
    lines.join("\n").trim().chars().take(MOST_DOC).collect()
}

pub(super) fn public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

pub(super) fn last(path: &syn::Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

/// `polars::frame::DataFrame` -> `DataFrame`; `dyn SeriesTrait` -> `SeriesTrait`; `[T]` -> `slice`.
fn last_name(of: &syn::Type) -> Option<String> {
    match of {
        syn::Type::Path(path) => last(&path.path),
        syn::Type::Reference(inner) => last_name(&inner.elem),
        syn::Type::Slice(_) => Some("slice".to_owned()),
        syn::Type::TraitObject(object) => object.bounds.iter().find_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => last(&bound.path),
            _ => None,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(source: &str) -> Index {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lib.rs"), source).unwrap();
        std::fs::write(folder.path().join("inner.rs"), "pub fn deep() {}").unwrap();
        let message = serde_json::json!({
            "reason": "compiler-artifact", "features": ["lazy"],
            "target": {"name": "haetae-models", "kind": ["lib"], "src_path": folder.path().join("lib.rs")},
        });
        types(&message.to_string()).0
    }

    #[test]
    fn methods_functions_traits_and_targets_are_found() {
        let index = index(
            "mod inner;
             /// A frame.
             ///
             /// # Examples
             pub struct Frame;
             impl Frame {
                 /// Rows.
                 pub fn height(&self)
                     -> usize { 0 }
                 pub fn new() -> Self { Frame }
                 #[cfg(feature = \"csv\")] pub fn csv(&self) {}
                 fn secret(&self) {}
             }
             impl std::ops::Deref for Frame { type Target = str; fn deref(&self) -> &str { \"\" } }
             pub trait Show { fn show(&self); }
             impl Show for Frame { fn show(&self) {} }
             pub enum Lane { Green, Red }
             mod hidden { pub fn ks() {} }
             /// Figures.
             pub mod figures { pub use super::hidden::{ks, Nothing}; /// Area.
                 pub fn auc() {} fn secret() {} }",
        );
        let frame = &index.types["Frame"];
        assert_eq!(frame.entry.doc, "A frame.");
        assert_eq!(frame.methods["height"].signature, "fn height(&self) -> usize");
        assert_eq!(frame.methods["height"].doc, "Rows.");
        assert_eq!(frame.methods.len(), 1);
        assert!(frame.associated.contains_key("new"));
        assert_eq!((frame.traits.as_slice(), frame.target.as_deref()), (&["Show".to_owned()][..], Some("str")));
        assert!(index.methods("Frame").contains_key("show") && index.methods("Frame").contains_key("trim"));
        assert!(index.types["Lane"].associated.contains_key("Red"));
        assert!(index.prelude.contains_key("deep"));
        let figures = &index.types["figures"];
        assert_eq!(figures.associated.keys().collect::<Vec<_>>(), ["auc", "ks"]);
        assert_eq!(figures.associated["auc"].doc, "Area.");
        assert_eq!(
            (index.prelude["figures"].kind.as_str(), figures.entry.signature.as_str()),
            ("module", "mod figures")
        );
        assert!(!index.types.contains_key("hidden") && !index.prelude.contains_key("hidden"));
    }
}
