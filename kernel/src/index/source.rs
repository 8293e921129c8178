//! The source files of a crate, in the order in which its modules name them, without those that the
//! crate's features leave out.

use super::features::enabled;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Calls `see` with every module's items; files that cannot be parsed are passed over.
pub(super) fn visit(root: &Path, features: &BTreeSet<String>, see: &mut dyn FnMut(&[syn::Item])) {
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    visit_file(root, &folder, features, see);
}

/// `below` is the folder in which the file's own modules lie.
fn visit_file(file: &Path, below: &Path, features: &BTreeSet<String>, see: &mut dyn FnMut(&[syn::Item])) {
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let Ok(parsed) = syn::parse_file(&text) else { return };
    if enabled(&parsed.attrs, features) {
        visit_items(&parsed.items, below, features, see);
    }
}

fn visit_items(items: &[syn::Item], below: &Path, features: &BTreeSet<String>, see: &mut dyn FnMut(&[syn::Item])) {
    see(items);
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        if !enabled(&module.attrs, features) {
            continue;
        }
        let name = module.ident.to_string();
        match &module.content {
            Some((_, items)) => visit_items(items, &below.join(&name), features, see),
            None => {
                if let Some((file, below)) = found(below, &name) {
                    visit_file(&file, &below, features, see);
                }
            }
        }
    }
}

fn found(below: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let files = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
    files.into_iter().find(|file| file.is_file()).map(|file| (file, below.join(name)))
}
