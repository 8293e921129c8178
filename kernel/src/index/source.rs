//! The source files of a crate, in the order in which its modules name them, without those that the
//! crate's features leave out.

use super::features::enabled;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a module holds, and its name where others may use it; the crate itself has none.
type See<'a> = &'a mut dyn FnMut(Option<&syn::ItemMod>, &[syn::Item]);

/// Calls `see` with every module's items; files that cannot be parsed are passed over.
pub(super) fn visit(root: &Path, features: &BTreeSet<String>, see: See<'_>) {
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    visit_file(None, root, &folder, features, see);
}

/// `below` is the folder in which the file's own modules lie.
fn visit_file(of: Option<&syn::ItemMod>, file: &Path, below: &Path, features: &BTreeSet<String>, see: See<'_>) {
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let Ok(parsed) = syn::parse_file(&text) else { return };
    if enabled(&parsed.attrs, features) {
        visit_items(of, &parsed.items, below, features, see);
    }
}

fn visit_items(
    of: Option<&syn::ItemMod>,
    items: &[syn::Item],
    below: &Path,
    features: &BTreeSet<String>,
    see: See<'_>,
) {
    see(of, items);
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        if !enabled(&module.attrs, features) {
            continue;
        }
        let name = module.ident.to_string();
        let of = matches!(module.vis, syn::Visibility::Public(_)).then_some(module);
        match &module.content {
            Some((_, items)) => visit_items(of, items, &below.join(&name), features, see),
            None => {
                if let Some((file, below)) = found(below, &name) {
                    visit_file(of, &file, &below, features, see);
                }
            }
        }
    }
}

fn found(below: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let files = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
    files.into_iter().find(|file| file.is_file()).map(|file| (file, below.join(name)))
}
