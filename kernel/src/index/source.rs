//! The source files of a crate, in the order in which its modules name them, without those that the
//! crate's features leave out; after them what its macros stand for.

use super::features::enabled;
use super::macros::Macros;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a module holds, and its name where others may use it; the crate itself has none.
type See<'a> = &'a mut dyn FnMut(Option<&syn::ItemMod>, &[syn::Item]);

struct Walk<'a> {
    features: &'a BTreeSet<String>,
    macros: Macros,
    /// Number of the file that is read.
    file: usize,
    files: usize,
}

/// Calls `see` with every module's items; files that cannot be parsed are passed over.
pub(super) fn visit(root: &Path, features: &BTreeSet<String>, see: See<'_>) {
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    let mut walk = Walk { features, macros: Macros::default(), file: 0, files: 0 };
    walk.file(None, root, &folder, see);
    walk.macros.expand(features, &mut |items| see(None, items));
}

impl Walk<'_> {
    /// `below` is the folder in which the file's own modules lie.
    fn file(&mut self, of: Option<&syn::ItemMod>, file: &Path, below: &Path, see: See<'_>) {
        let Ok(text) = std::fs::read_to_string(file) else { return };
        let Ok(parsed) = syn::parse_file(&text) else { return };
        if enabled(&parsed.attrs, self.features) {
            self.files += 1;
            let around = std::mem::replace(&mut self.file, self.files);
            self.items(of, &parsed.items, below, see);
            self.file = around;
        }
    }

    fn items(&mut self, of: Option<&syn::ItemMod>, items: &[syn::Item], below: &Path, see: See<'_>) {
        see(of, items);
        self.macros.see(self.file, items, self.features);
        for item in items {
            let syn::Item::Mod(module) = item else { continue };
            if !enabled(&module.attrs, self.features) {
                continue;
            }
            let name = module.ident.to_string();
            let of = matches!(module.vis, syn::Visibility::Public(_)).then_some(module);
            match &module.content {
                Some((_, items)) => self.items(of, items, &below.join(&name), see),
                None => {
                    if let Some((file, below)) = found(below, &name) {
                        self.file(of, &file, &below, see);
                    }
                }
            }
        }
    }
}

fn found(below: &Path, name: &str) -> Option<(PathBuf, PathBuf)> {
    let files = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
    files.into_iter().find(|file| file.is_file()).map(|file| (file, below.join(name)))
}
