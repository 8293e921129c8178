//! Questions about code: is a cell complete, what can stand at the cursor, what is the name there. The
//! compiler is asked for the type in front of a dot; everything else is looked up.

use crate::index::{Entry, Index};
use crate::inference::Inference;
use crate::magics::COMMANDS;
use crate::syntax::{MOST_DEPTH, depth, open_brackets, word_around, word_before};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Words of the language that are worth completing.
const WORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "const",
    "continue",
    "else",
    "enum",
    "false",
    "fn",
    "for",
    "if",
    "impl",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "print!",
    "println!",
    "eprintln!",
    "format!",
    "pub",
    "ref",
    "return",
    "static",
    "struct",
    "trait",
    "true",
    "type",
    "use",
    "vec!",
    "where",
    "while",
];

/// Most matches that a front end is sent.
const MOST: usize = 500;

/// What is known about names, and the compiler's way to types.
pub struct Oracle {
    index: Index,
    inference: Inference,
    /// The last question of the compiler and its answer: each key of a word asks for the same type.
    last: Mutex<Option<(String, String)>>,
}

/// Names and types of the variables.
pub type Variables = [(String, String)];

impl Oracle {
    /// An oracle that checks code in the folder of `inference`.
    pub fn new(index: Index, inference: Inference) -> Self {
        Self { index, inference, last: Mutex::new(None) }
    }

    /// The content of a `complete_reply`. `cursor` counts characters, as the protocol does.
    pub fn complete(&self, code: &str, cursor: usize, variables: &Variables) -> Value {
        let before: String = code.chars().take(cursor).collect();
        let (head, word) = word_before(&before);
        let start = head.chars().count();
        let found: BTreeMap<String, String> =
            self.candidates(head, word, variables).into_iter().filter(|(name, _)| name.starts_with(word)).collect();
        let mut names: Vec<&String> = found.keys().collect();
        // What a cell uses stands before what only the libraries use.
        names.sort_by_key(|name| (!variables.iter().any(|(known, _)| known == *name), *name));
        names.truncate(MOST);
        let end = before.chars().count();
        let typed: Vec<Value> = names
            .iter()
            .map(|name| json!({"start": start, "end": end, "text": name, "type": found[*name], "signature": ""}))
            .collect();
        json!({
            "status": "ok", "matches": names, "cursor_start": start, "cursor_end": end,
            "metadata": {"_jupyter_types_experimental": typed},
        })
    }

    /// What can stand behind `head`, with its kind.
    fn candidates(&self, head: &str, word: &str, variables: &Variables) -> Vec<(String, String)> {
        let kinds =
            |entries: BTreeMap<String, Entry>| entries.into_iter().map(|(name, entry)| (name, entry.kind)).collect();
        if word.starts_with('%') {
            // A command stands at the beginning of a cell only.
            let commands = COMMANDS.iter().map(|(name, _, _)| ((*name).to_owned(), "magic".to_owned()));
            return if head.trim().is_empty() { commands.collect() } else { Vec::new() };
        }
        if head.trim_start().starts_with('%') {
            return Vec::new();
        }
        if let Some(owner) = head.strip_suffix("::") {
            return kinds(self.index.associated(word_before(owner).1));
        }
        if let Some(receiver) = head.strip_suffix('.') {
            let of = self.type_before_dot(receiver, variables).unwrap_or_default();
            return kinds(self.index.methods(&last_name(&of)));
        }
        let names = self.index.prelude.iter().map(|(name, entry)| (name.clone(), entry.kind.clone()));
        let own = variables.iter().map(|(name, _)| (name.clone(), "variable".to_owned()));
        let words = WORDS.iter().map(|word| ((*word).to_owned(), "keyword".to_owned()));
        names.chain(words).chain(own).collect()
    }

    /// The content of an `inspect_reply`.
    pub fn inspect(&self, code: &str, cursor: usize, variables: &Variables) -> Value {
        let (head, word) = word_around(code, cursor);
        let text = match head.strip_suffix('.') {
            Some(receiver) => self.type_before_dot(receiver, variables).and_then(|of| {
                let entry = self.index.methods(&last_name(&of)).remove(word)?;
                Some(format!("{of}\n{}", entry.text()))
            }),
            None => match head.strip_suffix("::") {
                Some(owner) => self.index.associated(word_before(owner).1).get(word).map(Entry::text),
                None => self.described(word, variables),
            },
        };
        let data = text.as_ref().map_or(json!({}), |text| json!({"text/plain": text}));
        json!({"status": "ok", "found": text.is_some(), "data": data, "metadata": {}})
    }

    /// What a variable, a command, or a name of the toolkit is.
    pub fn described(&self, name: &str, variables: &Variables) -> Option<String> {
        if let Some((_, usage, does)) = COMMANDS.iter().find(|(known, _, _)| *known == name) {
            return Some(format!("{usage}\n\n{does}"));
        }
        if let Some((owner, member)) = name.rsplit_once("::") {
            let owner = last_name(owner);
            let associated = self.index.associated(&owner).remove(member);
            return associated.or_else(|| self.index.methods(&owner).remove(member)).map(|entry| entry.text());
        }
        if let Some((_, of)) = variables.iter().find(|(known, _)| known == name) {
            let doc =
                self.index.types.get(&last_name(of)).map(|of| format!("\n\n{}", of.entry.text())).unwrap_or_default();
            return Some(format!("{name}: {of}{doc}"));
        }
        self.index.prelude.get(name).map(Entry::text)
    }

    fn type_before_dot(&self, receiver: &str, variables: &Variables) -> Option<String> {
        // A number's point is no dot.
        if receiver.ends_with(|c: char| c.is_ascii_digit())
            && word_before(receiver).1.starts_with(|c: char| c.is_ascii_digit())
        {
            return None;
        }
        let open = open_brackets(receiver)?;
        let closing: String = open.iter().rev().collect();
        let question = format!("{receiver}{closing}{variables:?}");
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((known, answer)) = last.as_ref()
            && *known == question
        {
            return Some(answer.clone());
        }
        let answer = self.inference.type_before_dot(receiver, &closing, variables);
        // Without an answer the check may have been ended by the stop button.
        *last = answer.clone().map(|answer| (question, answer));
        answer
    }
}

/// `&mut alloc::vec::Vec<f64>` -> `Vec`; `[f64; 5]` -> `slice`.
fn last_name(of: &str) -> String {
    let name = match syn::parse_str::<syn::Type>(of) {
        Ok(syn::Type::Reference(inner)) => return last_of(&inner.elem),
        Ok(of) => last_of(&of),
        Err(_) => String::new(),
    };
    if name.is_empty() { of.rsplit("::").next().unwrap_or("").to_owned() } else { name }
}

fn last_of(of: &syn::Type) -> String {
    let of_path = |path: &syn::Path| path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let of_bound = |bound: &syn::TypeParamBound| match bound {
        syn::TypeParamBound::Trait(bound) => of_path(&bound.path),
        _ => String::new(),
    };
    match of {
        syn::Type::Path(path) => of_path(&path.path),
        syn::Type::Reference(inner) => last_of(&inner.elem),
        syn::Type::Slice(_) | syn::Type::Array(_) => "slice".to_owned(),
        syn::Type::TraitObject(object) => object.bounds.first().map(of_bound).unwrap_or_default(),
        syn::Type::ImplTrait(of) => of.bounds.first().map(of_bound).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The content of an `is_complete_reply`.
pub fn is_complete(code: &str) -> Value {
    let trimmed = code.trim();
    if trimmed.starts_with("%%") && trimmed.lines().count() == 1 {
        // A console sends a cell as soon as it is complete, and such a line asks for others below it.
        return json!({"status": "incomplete", "indent": ""});
    }
    if trimmed.starts_with('%') {
        return json!({"status": "complete"});
    }
    if depth(code) > MOST_DEPTH {
        return json!({"status": "unknown"});
    }
    match open_brackets(code) {
        Some(open) if !open.is_empty() => json!({"status": "incomplete", "indent": "    ".repeat(open.len())}),
        None => json!({"status": "invalid"}),
        Some(_) => {
            let parsed = syn::parse_str::<syn::Block>(&format!("{{\n{code}\n}}"));
            json!({"status": if parsed.is_ok() { "complete" } else { "invalid" }})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: &str) -> String {
        is_complete(code)["status"].as_str().unwrap().to_owned()
    }

    #[test]
    fn complete_incomplete_invalid() {
        for code in ["1 + 1", "let x = '(';", "fn f<'a>(x: &'a str) {}", "\"(\"", "// (", "%%sql\nselect ("] {
            assert_eq!(status(code), "complete", "{code}");
        }
        for code in ["fn f() {", "f(1,", "\"open", "%%sql", "%%sql name <<\n"] {
            assert_eq!(status(code), "incomplete", "{code}");
        }
        for code in ["let let", ")", "(]"] {
            assert_eq!(status(code), "invalid", "{code}");
        }
        assert_eq!(is_complete("if a {\n  g(")["indent"], "        ");
    }

    #[test]
    fn a_type_is_looked_up_by_its_last_name() {
        let cases = [
            ("&mut alloc::vec::Vec<f64>", "Vec"),
            ("[f64; 5]", "slice"),
            ("&dyn haetae::Show", "Show"),
            ("impl std::iter::Iterator<Item = i32>", "Iterator"),
            ("f64", "f64"),
        ];
        for (of, name) in cases {
            assert_eq!(last_name(of), name);
        }
    }
}
