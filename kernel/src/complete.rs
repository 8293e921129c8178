//! Questions about code that need no compiler: is a cell complete, and which known names begin
//! with what stands at the cursor.

use serde_json::{Value, json};

/// Verbs of the toolkit and words of the language that are worth completing.
const WORDS: &[&str] = &[
    "%%sql",
    "%vars",
    "Chart",
    "ConnectOptions",
    "DataFrame",
    "IntoLazy",
    "LazyFrame",
    "Series",
    "async",
    "await",
    "break",
    "col",
    "connect",
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
    "lit",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "print!",
    "println!",
    "pub",
    "ref",
    "return",
    "sql",
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

/// The content of an `is_complete_reply`.
pub fn is_complete(code: &str) -> Value {
    if code.trim_start().starts_with('%') {
        return json!({"status": "complete"});
    }
    match open_brackets(code) {
        Some(depth) if depth > 0 => json!({"status": "incomplete", "indent": "    ".repeat(depth)}),
        None => json!({"status": "invalid"}),
        Some(_) => {
            let parsed = syn::parse_str::<syn::Block>(&format!("{{\n{code}\n}}"));
            json!({"status": if parsed.is_ok() { "complete" } else { "invalid" }})
        }
    }
}

/// How deep the brackets are open at the end; `None` where one closes what was not opened, an open
/// string counts as open.
fn open_brackets(code: &str) -> Option<usize> {
    let mut stack = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|&c| c == '\n');
            }
            '"' => {
                let mut closed = false;
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => {
                            closed = true;
                            break;
                        }
                        _ => {}
                    }
                }
                if !closed {
                    return Some(stack.len() + 1);
                }
            }
            // A character literal, not a lifetime: its content must not count as a bracket.
            '\'' => {
                let mut ahead = chars.clone();
                let first = ahead.next();
                if first == Some('\\') {
                    chars.by_ref().take(2).for_each(drop);
                    chars.by_ref().find(|&c| c == '\'');
                } else if ahead.next() == Some('\'') {
                    chars.by_ref().take(2).for_each(drop);
                }
            }
            '(' => stack.push(')'),
            '[' => stack.push(']'),
            '{' => stack.push('}'),
            ')' | ']' | '}' if stack.pop() != Some(c) => return None,
            _ => {}
        }
    }
    Some(stack.len())
}

/// The content of a `complete_reply`. `cursor` counts characters, as the protocol does.
pub fn complete(code: &str, cursor: usize, variables: &[(String, String)]) -> Value {
    let before: Vec<char> = code.chars().take(cursor).collect();
    let is_word = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '%' | '!');
    let length = before.iter().rev().take_while(|c| is_word(c)).count();
    let start = before.len() - length;
    let prefix: String = before[start..].iter().collect();
    let after_dot = start > 0 && matches!(before[start - 1], '.' | ':');
    let mut matches: Vec<&str> = Vec::new();
    if !after_dot {
        matches.extend(variables.iter().map(|(name, _)| name.as_str()));
        matches.extend(WORDS);
        matches.retain(|word| word.starts_with(&prefix));
        matches.sort_unstable();
        matches.dedup();
    }
    json!({
        "status": "ok",
        "matches": matches,
        "cursor_start": start,
        "cursor_end": before.len(),
        "metadata": {},
    })
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
        for code in ["fn f() {", "f(1,", "\"open"] {
            assert_eq!(status(code), "incomplete", "{code}");
        }
        for code in ["let let", ")", "(]"] {
            assert_eq!(status(code), "invalid", "{code}");
        }
        assert_eq!(is_complete("if a {\n  g(")["indent"], "        ");
    }

    #[test]
    fn known_names_are_completed_by_character() {
        let variables = [("declared".to_owned(), "i32".to_owned())];
        let reply = complete("해 + de", 6, &variables);
        assert_eq!(reply["matches"], json!(["declared"]));
        assert_eq!((&reply["cursor_start"], &reply["cursor_end"]), (&json!(4), &json!(6)));
        assert_eq!(complete("x.de", 4, &variables)["matches"], json!([]));
    }
}
