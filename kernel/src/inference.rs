//! The types of a cell's new variables, asked of rustc.
//!
//! evcxr keeps a variable only if its embedded analyzer can name the variable's type, and that
//! analyzer does not know the prebuilt toolkit. rustc does: a type check of the cell with
//! `let () = name;` for each new variable ends in errors that name the types. The cell is then
//! given to evcxr with `let name: Type = name;` in front of its last expression. A cell without
//! `let` costs nothing, any other about 0.15 s.

use crate::evaluator::PROLOGUE_ITEMS;
use crate::toolkit::Toolkit;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use syn::spanned::Spanned;

/// Text around the probes that rustc's answer is matched with.
const PROBE: &str = "let () = ";

/// Remembers the items of earlier cells, which a check needs as context.
pub struct Inference {
    toolkit: Toolkit,
    folder: PathBuf,
    items: Vec<Item>,
}

struct Item {
    key: String,
    text: String,
}

/// A variable that a cell defines with `let` and without a type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NewVariable {
    name: String,
    mutable: bool,
}

struct Cell {
    new: Vec<NewVariable>,
    /// Items as (name, text).
    items: Vec<(String, String)>,
    /// Where statements can be added: before the last expression, else at the end.
    end: usize,
}

impl Inference {
    /// Checks happen in files of `folder`.
    pub fn new(toolkit: Toolkit, folder: PathBuf) -> Self {
        Self { toolkit, folder, items: Vec::new() }
    }

    /// The code with the types of its new variables written out, as far as rustc can tell them.
    pub fn with_types(&self, code: &str, variables: &[(String, String)]) -> String {
        let Some(cell) = parse(code) else { return code.to_owned() };
        if cell.new.is_empty() {
            return code.to_owned();
        }
        let types = self.ask(code, &cell, variables).unwrap_or_default();
        let mut bindings = String::new();
        for (variable, type_name) in cell.new.iter().zip(types) {
            let Some(type_name) = type_name else { continue };
            let mutable = if variable.mutable { "mut " } else { "" };
            let name = &variable.name;
            bindings.push_str(&format!(" let {mutable}{name}: {type_name} = {name};"));
        }
        let (before, after) = code.split_at(cell.end);
        format!("{before}{bindings}{after}")
    }

    /// Called when a cell has run: its items are there for the next ones.
    pub fn keep_items(&mut self, code: &str) {
        for (name, text) in parse(code).map(|cell| cell.items).unwrap_or_default() {
            let key = if name.is_empty() { text.clone() } else { name };
            self.items.retain(|item| item.key != key);
            self.items.push(Item { key, text });
        }
    }

    /// rustc's answer for each new variable.
    fn ask(&self, code: &str, cell: &Cell, variables: &[(String, String)]) -> Option<Vec<Option<String>>> {
        let mut source = String::from("#![allow(warnings)]\n");
        source.push_str(PROLOGUE_ITEMS);
        source.push('\n');
        for item in &self.items {
            if !cell.items.iter().any(|(name, text)| *name == item.key || *text == item.key) {
                source.push_str(&item.text);
                source.push('\n');
            }
        }
        let parameters: Vec<String> = variables.iter().map(|(name, of)| format!("mut {name}: {of}")).collect();
        source.push_str(&format!(
            "fn cell({}) -> std::result::Result<(), Box<dyn std::error::Error>> {{\n{}\n",
            parameters.join(", "),
            &code[..cell.end],
        ));
        let first_line = source.matches('\n').count() + 1;
        for variable in &cell.new {
            source.push_str(&format!("{PROBE}{};\n", variable.name));
        }
        // Inference may need what the last expression says, so it stays in the checked code.
        let rest = &code[cell.end..];
        if rest.trim().is_empty() {
            source.push_str("Ok(())\n}\n");
        } else {
            source.push_str(&format!("{{ let _ = {{ {rest}\n}}; }}\nOk(())\n}}\n"));
        }
        let messages = self.check(&source)?;
        let mut types = vec![None; cell.new.len()];
        for message in messages {
            if message["code"]["code"] != "E0308" {
                continue;
            }
            for span in message["spans"].as_array().into_iter().flatten() {
                let line = span["line_start"].as_u64().and_then(|line| usize::try_from(line).ok());
                let index = line.and_then(|line| line.checked_sub(first_line));
                let label = span["label"].as_str().unwrap_or_default();
                if let Some(slot) = index.and_then(|index| types.get_mut(index))
                    && let Some(type_name) = label_type(label)
                {
                    *slot = Some(type_name);
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
            .args(["--edition=2024", "--crate-type=lib", "--crate-name=cell", "--error-format=json"])
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

/// `this expression has type `T`` -> `T`, where `T` can be written in code.
fn label_type(label: &str) -> Option<String> {
    let type_name = label.strip_prefix("this expression has type `")?.strip_suffix('`')?;
    // Literals without a suffix fall back to these two.
    let type_name = match type_name {
        "integer" => "i32".to_owned(),
        "floating-point number" => "f64".to_owned(),
        other => other.replace("{integer}", "i32").replace("{float}", "f64"),
    };
    // Closures, `impl Trait` and unknown parts have no name that code could use.
    let named =
        syn::parse_str::<syn::Type>(&type_name).is_ok() && !type_name.contains("impl ") && !has_hole(&type_name);
    named.then_some(type_name)
}

/// True where a type has a part that is only `_`.
fn has_hole(type_name: &str) -> bool {
    type_name.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "_")
}

fn parse(code: &str) -> Option<Cell> {
    // The brace and its line keep offsets simple: one line, two bytes before the cell.
    let block: syn::Block = syn::parse_str(&format!("{{\n{code}\n}}")).ok()?;
    let offset = |position: usize| position.checked_sub(2);
    let mut cell = Cell { new: Vec::new(), items: Vec::new(), end: code.len() };
    for (i, statement) in block.stmts.iter().enumerate() {
        let range = statement.span().byte_range();
        match statement {
            syn::Stmt::Local(local) => new_variables(&local.pat, &mut cell.new),
            syn::Stmt::Item(item) => {
                let text = code.get(offset(range.start)?..offset(range.end)?)?;
                cell.items.push((item_name(item), text.to_owned()));
            }
            syn::Stmt::Expr(_, None) if i + 1 == block.stmts.len() => {
                cell.end = offset(range.start)?;
            }
            syn::Stmt::Macro(last) if i + 1 == block.stmts.len() && last.semi_token.is_none() => {
                cell.end = offset(range.start)?;
            }
            _ => {}
        }
    }
    // A comment at the end of the cell would swallow what is added behind it.
    if cell.end == code.len()
        && let Some(last) = block.stmts.last()
    {
        cell.end = offset(last.span().byte_range().end)?;
    }
    (code.is_char_boundary(cell.end)).then_some(cell)
}

/// Names that a pattern binds. A typed pattern needs no answer of rustc's.
fn new_variables(pattern: &syn::Pat, into: &mut Vec<NewVariable>) {
    match pattern {
        syn::Pat::Ident(ident) => {
            let name = ident.ident.to_string();
            let variable = NewVariable { mutable: ident.mutability.is_some(), name };
            // A shadowed name counts as it is at the end of the cell.
            into.retain(|other: &NewVariable| other.name != variable.name);
            into.push(variable);
        }
        syn::Pat::Tuple(tuple) => tuple.elems.iter().for_each(|part| new_variables(part, into)),
        syn::Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|part| new_variables(part, into)),
        syn::Pat::Struct(record) => {
            record.fields.iter().for_each(|field| new_variables(&field.pat, into));
        }
        syn::Pat::Paren(inner) => new_variables(&inner.pat, into),
        syn::Pat::Type(typed) if matches!(*typed.pat, syn::Pat::Ident(_)) => {
            let mut names = Vec::new();
            new_variables(&typed.pat, &mut names);
            into.retain(|other| !names.iter().any(|name| name.name == other.name));
            if has_hole(&quoted(&typed.ty)) {
                into.append(&mut names);
            }
        }
        syn::Pat::Type(typed) => new_variables(&typed.pat, into),
        _ => {}
    }
}

fn quoted(of: &syn::Type) -> String {
    of.span().source_text().unwrap_or_default()
}

fn item_name(item: &syn::Item) -> String {
    match item {
        syn::Item::Fn(item) => format!("value {}", item.sig.ident),
        syn::Item::Const(item) => format!("value {}", item.ident),
        syn::Item::Static(item) => format!("value {}", item.ident),
        syn::Item::Struct(item) => format!("type {}", item.ident),
        syn::Item::Enum(item) => format!("type {}", item.ident),
        syn::Item::Type(item) => format!("type {}", item.ident),
        syn::Item::Trait(item) => format!("type {}", item.ident),
        syn::Item::Union(item) => format!("type {}", item.ident),
        syn::Item::Mod(item) => format!("type {}", item.ident),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<(String, bool)> {
        parse(code).unwrap().new.into_iter().map(|v| (v.name, v.mutable)).collect()
    }

    #[test]
    fn only_untyped_variables_are_asked_for() {
        let found = names("let a = 1; let mut b = 2; let c: i32 = 3; let (d, _) = f(); let a = \"x\"; a");
        let expected = [("b", true), ("d", false), ("a", false)];
        assert_eq!(found, expected.map(|(name, mutable)| (name.to_owned(), mutable)));
        assert_eq!(names("let v: Vec<_> = x.collect();").len(), 1);
    }

    #[test]
    fn bindings_stand_before_the_last_expression_and_before_a_comment() {
        let cell = |code: &str| code[parse(code).unwrap().end..].to_owned();
        assert_eq!(cell("let a = 1;\na + 1"), "a + 1");
        assert_eq!(cell("let a = 1; // one"), " // one");
        assert_eq!(cell("let a = f();\nformat!(\"{a}\")"), "format!(\"{a}\")");
        assert_eq!(cell("let 해 = 1;\n해"), "해");
    }

    #[test]
    fn a_label_is_taken_only_where_code_could_say_it() {
        let label = |of: &str| label_type(&format!("this expression has type `{of}`"));
        assert_eq!(label("haetae::prelude::DataFrame").as_deref(), Some("haetae::prelude::DataFrame"));
        assert_eq!(label("integer").as_deref(), Some("i32"));
        assert_eq!(label("std::vec::Vec<{float}>").as_deref(), Some("std::vec::Vec<f64>"));
        assert_eq!(label("Vec<_>"), None);
        assert_eq!(label("{closure@cell.rs:3:9: 3:12}"), None);
        assert_eq!(label("my_crate::my_type").as_deref(), Some("my_crate::my_type"));
    }

    #[test]
    fn items_are_known_by_their_names() {
        let cell = parse("use std::fmt; fn f() {} struct S; f();").unwrap();
        let names: Vec<&str> = cell.items.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["", "value f", "type S"]);
    }
}
