//! The types of a cell's new variables, asked of rustc.
//!
//! evcxr keeps a variable only if its embedded analyzer can name the variable's type, and that
//! analyzer does not know the prebuilt toolkit. rustc does: a type check of the cell with
//! `let () = name;` for each new variable ends in errors that name the types. The cell is then
//! given to evcxr with `let name: Type = name;` in front of its last expression. A cell without
//! `let` costs nothing, any other about 0.15 s.
//!
//! A variable that no later cell could hold (a closure, a reference into another variable) stays in
//! its own cell: the cell's statements become a block that only the others leave. So does a cell that
//! waits for something: its block is `async`, and the toolkit's runtime runs it.

mod cell;
mod places;
mod typed;

pub use places::Code;
pub use typed::{Typed, moved_variable};

use crate::evaluator::PROLOGUE_ITEMS;
use crate::toolkit::Toolkit;
use cell::{Cell, parse};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use typed::{Found, in_a_block, label_type, shown};

/// Text around the probes that rustc's answer is matched with.
const PROBE: &str = "let () = ";

/// Name of the crate of a check, and of the function in it; in front of the cells' own types.
const CHECKED: &str = "haetae_checked_cell";

/// What stands for the unknown member in a check of what is in front of a dot.
const MEMBER: &str = "__haetae_member__";

/// Remembers the items of earlier cells, which a check needs as context.
pub struct Inference {
    toolkit: Toolkit,
    folder: PathBuf,
    items: Arc<Mutex<Vec<Item>>>,
}

struct Item {
    key: String,
    text: String,
}

impl Inference {
    /// Checks happen in files of `folder`.
    pub fn new(toolkit: Toolkit, folder: PathBuf) -> Self {
        Self { toolkit, folder, items: Arc::default() }
    }

    /// Another one that knows the same items and checks in a folder of its own, beside this one.
    pub fn beside(&self, folder: PathBuf) -> Self {
        Self { toolkit: self.toolkit.clone(), folder, items: self.items.clone() }
    }

    fn items(&self) -> MutexGuard<'_, Vec<Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The code with the types of its new variables written out, as far as rustc can tell them; `moved`
    /// are variables whose values are known to go elsewhere before the cell ends.
    pub fn with_types(&self, code: &str, variables: &[(String, String)], moved: &[String]) -> Typed {
        let Some(cell) = parse(code) else {
            return Typed { code: Code::of_author(code), plain: None, not_kept: Vec::new() };
        };
        if cell.new.is_empty() && !cell.waits {
            return shown("", code, &cell);
        }
        let mut types = self.ask(code, &cell, variables).unwrap_or_default();
        for (variable, found) in cell.new.iter().zip(&mut types) {
            if moved.contains(&variable.name) {
                *found = Found::Moved;
            }
        }
        if cell.waits || types.iter().any(|of| matches!(of, Found::Bound(_) | Found::Moved)) {
            return in_a_block(code, &cell, &types, moved);
        }
        let mut bindings = String::new();
        for (variable, found) in cell.new.iter().zip(types) {
            if let Found::Named(type_name) = found {
                let name = &variable.name;
                bindings.push_str(&format!(" let {}{name}: {type_name} = {name};", variable.mutability()));
            }
        }
        shown(&bindings, code, &cell)
    }

    /// Called when a cell has run: its items are there for the next ones.
    pub fn keep_items(&self, code: &str) {
        for (name, text) in parse(code).map(|cell| cell.items).unwrap_or_default() {
            let key = if name.is_empty() { text.clone() } else { name };
            let mut items = self.items();
            items.retain(|item| item.key != key);
            items.push(Item { key, text });
        }
    }

    /// The type of what stands at the end of `code`, in front of a dot; `closing` are the brackets that
    /// are still open there.
    pub fn type_before_dot(&self, code: &str, closing: &str, variables: &[(String, String)]) -> Option<String> {
        let mut source = self.context(&|_| true);
        source.push_str(&head(variables, true));
        source.push_str(&format!("{code}.{MEMBER}{closing};\nOk(())\n}}\n"));
        self.check(&source)?.iter().find_map(|message| {
            let text = message["message"].as_str()?;
            match message["code"]["code"].as_str()? {
                "E0609" if text.contains(MEMBER) => text.split_once("on type `")?.1.split('`').next(),
                "E0610" => text.strip_prefix('`')?.split('`').next(),
                _ => None,
            }
            .map(|of| own_names(of).replace("{integer}", "i32").replace("{float}", "f64"))
        })
    }

    /// What rustc says against a cell, in its JSON.
    pub fn errors(&self, code: &str, variables: &[(String, String)]) -> Vec<Value> {
        let waits = parse(code).is_some_and(|cell| cell.waits);
        let source = format!("{}{}{code}\n;Ok(())\n}}\n", self.context(&|_| true), head(variables, waits));
        let messages = self.check(&source).unwrap_or_default().into_iter();
        let errors = messages.filter(|message| message["level"] == "error" && message["spans"][0].is_object());
        errors.filter_map(|message| serde_json::from_str(&own_names(&message.to_string())).ok()).collect()
    }

    /// Those of the names that a cell does not see without a path.
    pub fn not_in_prelude(&self, names: &[String]) -> Option<BTreeSet<String>> {
        let mut source = String::from("#![allow(warnings)]\n");
        for name in names {
            source.push_str(&format!("use haetae::prelude::{name} as _;\n"));
        }
        let messages = self.check(&source)?;
        let spans = messages.iter().filter(|message| message["level"] == "error");
        let lines = spans.flat_map(|message| message["spans"].as_array().into_iter().flatten());
        let lines = lines.filter_map(|span| usize::try_from(span["line_start"].as_u64()?).ok());
        Some(lines.filter_map(|line| names.get(line.checked_sub(2)?).cloned()).collect())
    }

    /// The items that a check begins with, as far as `wanted`.
    fn context(&self, wanted: &dyn Fn(&Item) -> bool) -> String {
        let mut source = format!("#![allow(warnings)]\n{PROLOGUE_ITEMS}\n");
        for item in self.items().iter().filter(|item| wanted(item)) {
            source.push_str(&item.text);
            source.push('\n');
        }
        source
    }

    /// rustc's answer for each new variable.
    fn ask(&self, code: &str, cell: &Cell, variables: &[(String, String)]) -> Option<Vec<Found>> {
        if cell.new.is_empty() {
            return None;
        }
        let mut source =
            self.context(&|item| !cell.items.iter().any(|(name, text)| *name == item.key || *text == item.key));
        source.push_str(&head(variables, cell.waits));
        source.push_str(&format!("{}\n", &code[..cell.end]));
        // In front of the questions: it may be what says of which type a number is.
        let rest = &code[cell.end..];
        if !rest.trim().is_empty() {
            source.push_str(&format!("{{ let _ = {{ {rest}\n}}; }}\n"));
        }
        let first_line = source.matches('\n').count() + 1;
        for variable in &cell.new {
            source.push_str(&format!("{PROBE}{};\n", variable.name));
        }
        source.push_str("Ok(())\n}\n");
        let messages = self.check(&source)?;
        let mut types = vec![Found::Unknown; cell.new.len()];
        for message in messages {
            if message["code"]["code"] != "E0308" {
                continue;
            }
            for span in message["spans"].as_array().into_iter().flatten() {
                let line = span["line_start"].as_u64().and_then(|line| usize::try_from(line).ok());
                let index = line.and_then(|line| line.checked_sub(first_line));
                let label = span["label"].as_str().unwrap_or_default();
                if let Some(slot) = index.and_then(|index| types.get_mut(index))
                    && let Some(found) = label_type(label)
                {
                    *slot = found;
                }
            }
        }
        Some(types)
    }

    /// Type-checks a source file; the compiler's messages.
    fn check(&self, source: &str) -> Option<Vec<Value>> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let file = self.folder.join("cell.rs");
        std::fs::write(&file, source).ok()?;
        let output = Command::new(self.toolkit.rustc())
            .args(["--edition=2024", "--crate-type=lib", &format!("--crate-name={CHECKED}"), "--error-format=json"])
            .arg("--emit=metadata")
            .arg("-o")
            .arg(self.folder.join("cell.rmeta"))
            // Full paths are a debugging option of the compiler; nothing is built with it.
            .arg("-Ztrim-diagnostic-paths=no")
            .env("RUSTC_BOOTSTRAP", "1")
            .args(self.toolkit.rustc_arguments())
            .arg(&file)
            .output()
            .ok()?;
        let lines = String::from_utf8_lossy(&output.stderr).into_owned();
        Some(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// A type in the compiler's words, with the cells' own types as cells name them: they stand at the top of a
/// check, or in its function. A crate of the toolkit, `haetae_models`, is called so there too where it is `haetae::models`.
fn own_names(of: &str) -> String {
    of.replace(&format!("{CHECKED}::"), "").replace("haetae::haetae_", "haetae::")
}

/// The function that a cell is checked in, as far as its body.
fn head(variables: &[(String, String)], waits: bool) -> String {
    let parameters: Vec<String> = variables.iter().map(|(name, of)| format!("mut {name}: {of}")).collect();
    let kind = if waits { "async fn" } else { "fn" };
    format!("{kind} {CHECKED}({}) -> std::result::Result<(), Box<dyn std::error::Error>> {{\n", parameters.join(", "))
}
